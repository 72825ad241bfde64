//! The pages of the gateway: how the services are, and their documentation on one origin.

use reqwest::header::HeaderValue;
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

use super::documents::document;
use super::platform::{GatewayPlatform, NOUNS};

async fn get(platform: &GatewayPlatform, path: &str) -> Response {
    let answer = platform.ask(Method::GET, path, None).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer
}

/// What a page loads and leads to on its own origin.
fn targets(page: &str) -> Vec<String> {
    let attributes = ["href=\"", "src=\""].into_iter().flat_map(|attribute| page.split(attribute).skip(1));
    let targets = attributes.filter_map(|rest| rest.split('"').next()).filter(|target| target.starts_with('/'));
    targets.map(str::to_owned).collect()
}

#[tokio::test]
async fn the_pages_lead_to_every_service_and_load_nothing_from_elsewhere() {
    let platform = GatewayPlatform::up(&[]);
    for path in ["/", "/docs"] {
        let answer = get(&platform, path).await;
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        let page = answer.text().await.unwrap();
        assert!(!page.contains("://") && !page.contains("style=") && !page.contains("onclick"), "{page}");
        let targets = targets(&page);
        for service in NOUNS {
            assert!(targets.contains(&format!("/docs/{service}/")), "{targets:?}");
        }
        for target in targets {
            let kind = get(&platform, &target).await.headers()["content-type"].to_str().unwrap().to_owned();
            let expected = match target.rsplit_once('.').map(|(_, end)| end) {
                Some("css") => "text/css; charset=utf-8",
                Some("js") => "text/javascript; charset=utf-8",
                Some("svg") => "image/svg+xml",
                Some("json") => "application/json",
                _ => continue,
            };
            assert_eq!(kind, expected, "{target}");
        }
    }
    platform.stop();
}

#[tokio::test]
async fn swagger_of_each_service_tries_out_this_origin() {
    let platform = GatewayPlatform::up(&[]);
    for service in NOUNS {
        let answer = get(&platform, &format!("/docs/{service}/")).await;
        let policies: Vec<_> = answer.headers().get_all("content-security-policy").iter().collect();
        let is_frameless = |policy: &&HeaderValue| policy.to_str().unwrap().contains("frame-ancestors 'none'");
        assert!(policies.len() == 2 && policies.iter().all(is_frameless), "{policies:?}");
        let page = answer.text().await.unwrap();
        assert!(page.contains("swagger-ui-bundle.js"), "{page}");
        get(&platform, &format!("/docs/{service}/swagger-ui-bundle.js")).await;
        let script = get(&platform, &format!("/docs/{service}/swagger-initializer.js")).await.text().await.unwrap();
        assert!(script.contains("\"url\": \"openapi.json\""), "{script}");
        let served: Value = get(&platform, &format!("/docs/{service}/openapi.json")).await.json().await.unwrap();
        // Without a server of its own it means the origin that it was loaded from.
        assert_eq!(served.get("servers"), None);
        assert_eq!(served, document(service));
    }
    platform.stop();
}

#[tokio::test]
async fn the_state_of_each_service_is_for_everybody_and_costs_one_question() {
    let platform = GatewayPlatform::up(&[]);
    for service in NOUNS {
        let state: Value = get(&platform, &format!("/status/{service}")).await.json().await.unwrap();
        assert_eq!(
            (&state["service"], &state["ready"]),
            (&format!("{service}-service").into(), &true.into()),
            "{state}"
        );
        let heard = state["events"]["heard"].as_array().unwrap();
        assert!(heard.iter().all(|stream| stream["dead_letters"] == 0), "{state}");
    }
    let mut asked = 0;
    for _ in 0..20 {
        let answer = get(&platform, "/status/post").await;
        let id = answer.headers()["x-request-id"].to_str().unwrap();
        asked += usize::from(platform.logged(id).await["upstream"] != "");
    }
    assert!(asked <= 2, "{asked} questions for 20 requests");
    platform.stop();
}
