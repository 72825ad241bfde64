//! Every operation of every service goes through the gateway as if it went straight to the service.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::documents::{Operation, operations};
use super::platform::{GatewayPerson, GatewayPlatform, eventually};
use crate::platform::stack;

/// An answer as far as two of them have to be alike.
#[derive(Debug, PartialEq)]
struct Seen {
    status: StatusCode,
    kind: Option<String>,
    challenge: Option<String>,
    /// Of a refusal.
    body: Value,
}

async fn see(request: RequestBuilder, operation: &Operation) -> (Seen, String) {
    let request = if operation.has_body { request.json(&json!({})) } else { request };
    let answer = request.send().await.unwrap();
    let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let ids: Vec<_> = answer.headers().get_all("x-request-id").into_iter().collect();
    assert_eq!(ids.len(), 1, "{operation:?}");
    let id = ids[0].to_str().unwrap().to_owned();
    let (status, kind, challenge) = (answer.status(), header("content-type"), header("www-authenticate"));
    let body = answer.json().await.unwrap_or_default();
    let body = if status.is_success() { Value::Null } else { body };
    (Seen { status, kind, challenge, body }, id)
}

/// A person whose profile exists, so that whether it does yet makes no difference.
async fn known(platform: &GatewayPlatform, name: &str) -> GatewayPerson {
    let person = platform.join(name).await;
    let profile = async || {
        let request = platform.ask(Method::GET, "/api/v1/me/activity-profile", Some(&person.token));
        request.send().await.unwrap().status()
    };
    eventually("the profile is there", profile, |status| *status == StatusCode::OK).await;
    person
}

#[tokio::test]
async fn every_operation_reaches_its_service_and_is_answered_as_there() {
    let platform = GatewayPlatform::up(&[]);
    // One asks the services themselves, so that what either does does not matter to the other.
    let (mut through, mut straight) = (known(&platform, "ada").await, known(&platform, "ben").await);
    for operation in operations() {
        let Operation { service, method, path, .. } = &operation;
        let (seen, id) = see(platform.ask(method.clone(), path, Some(&through.token)), &operation).await;
        let url = format!("{}{path}", platform.service(service));
        let direct = platform.http.request(method.clone(), url).bearer_auth(&straight.token);
        let (expected, _) = see(direct, &operation).await;
        assert_eq!(seen, expected, "{operation:?}");
        let line = platform.logged(&id).await;
        assert_eq!(line["service"], *service, "{line}");
        assert_eq!(format!("http://{}", line["upstream"].as_str().unwrap()), platform.service(service), "{line}");
        let user = if operation.public { "" } else { through.id.as_str() };
        assert_eq!((&line["user"], &line["status"]), (&json!(user), &json!(seen.status.as_u16())), "{line}");
        if path.contains("/signout") {
            for person in [&mut through, &mut straight] {
                person.token = platform.sign_in(&person.email).await;
            }
        }
    }
    platform.stop();
}

#[tokio::test]
async fn what_needs_a_token_is_refused_at_the_door_and_what_is_public_is_not() {
    let platform = GatewayPlatform::up(&[]);
    for operation in operations() {
        let Operation { service, method, path, public, .. } = &operation;
        let (seen, id) = see(platform.ask(method.clone(), path, None), &operation).await;
        let direct = platform.http.request(method.clone(), format!("{}{path}", platform.service(service)));
        let (expected, _) = see(direct, &operation).await;
        assert_eq!(seen, expected, "{operation:?}");
        let line = platform.logged(&id).await;
        assert_eq!(line["upstream"] != "", *public, "{line}");
        assert_eq!(seen.status == StatusCode::UNAUTHORIZED, !public, "{operation:?}");
        if !public {
            let (bad, _) = see(platform.ask(method.clone(), path, Some("nonsense")), &operation).await;
            let direct = platform.http.request(method.clone(), format!("{}{path}", platform.service(service)));
            let (expected, _) = see(direct.bearer_auth("nonsense"), &operation).await;
            assert_eq!(bad, expected, "{operation:?}");
        }
    }
    // What is no token, to the services and here.
    for authorization in ["Basic YTpi", "Bearer", "Bearer ", "Bearer \u{e9}", "x", ""] {
        let ask = |base: &str| platform.http.get(format!("{base}/api/v1/posts")).header("Authorization", authorization);
        let (here, there) =
            (ask(platform.gateway()).send().await.unwrap(), ask(platform.service("post")).send().await.unwrap());
        assert_eq!((here.status(), there.status()), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
        assert_eq!(here.text().await.unwrap(), there.text().await.unwrap(), "{authorization:?}");
    }
    platform.stop();
}

#[tokio::test]
async fn the_demo_and_the_seed_go_through_one_origin() {
    let platform = GatewayPlatform::up(&[]);
    let demo = stack(&["demo", "--gateway-url", platform.gateway()]);
    let said = String::from_utf8_lossy(&demo.stdout).into_owned();
    assert!(demo.status.success(), "{said}{}", String::from_utf8_lossy(&demo.stderr));
    assert!(said.ends_with("Every action was counted exactly.\n"), "{said}");
    let seed = stack(&["seed", "--users", "4", "--posts", "4", "--gateway-url", platform.gateway()]);
    assert!(seed.status.success(), "{}", String::from_utf8_lossy(&seed.stderr));
    let log = platform.access_log();
    for service in ["auth", "post", "interaction", "engagement"] {
        assert!(log.contains(&format!("\"service\":\"{service}\"")), "{service}");
    }
    platform.stop();
}
