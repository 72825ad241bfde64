//! Unsubscribing, by the link of a mail.
use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tower::ServiceExt;
use uuid::Uuid;

use super::Scope;
use super::services::UnsubscribeLinks;
use crate::SERVICE;
use crate::core::ground::settings::Environment;
use crate::core::testing::{Platform, new_user};
use crate::matrix::links;
use crate::notifications::Type;
use crate::preferences::TYPES;
use crate::settings::Settings;

const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

/// The status, the kind and the text of an answer to a request without a token of access.
async fn ask(platform: &Platform, method: &str, token: &str, kind: &str, body: &str) -> (u16, String, String) {
    let path = format!("/api/v1/notifications/unsubscribe?token={token}");
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, kind);
    let answer = platform.router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    let status = answer.status().as_u16();
    let cached = answer.headers().get(header::CACHE_CONTROL).map(|value| value.to_str().unwrap());
    assert_eq!(cached, (status == 200).then_some("no-store"), "its page holds tokens");
    (status, kind, String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().into()).unwrap())
}

async fn one_click(platform: &Platform, token: &str) -> u16 {
    ask(platform, "POST", token, "application/x-www-form-urlencoded", ONE_CLICK).await.0
}

/// When each type is mailed, in the order of the types.
async fn mailed(platform: &Platform, token: &str) -> Vec<Value> {
    let types = platform.call("GET", "/me/notification-preferences", Some(token), None).await.body["types"].clone();
    types.as_object().unwrap().values().map(|channels| channels["mail"].clone()).collect()
}

#[sqlx::test(migrations = false)]
async fn one_click_ends_the_mails_of_the_link_and_no_others(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let links = links(&platform);
    let ((anna, her), (bert, him), (carl, his)) = (new_user(), new_user(), new_user());
    let usual = ["DIGEST", "DIGEST", "NEVER", "NEVER", "AT_ONCE", "NEVER", "DIGEST", "DIGEST", "DIGEST", "DIGEST"];
    assert_eq!(mailed(&platform, &anna).await, usual);
    for _ in 0..2 {
        assert_eq!(one_click(&platform, &links.token(her, Scope::Type(Type::UserConnected))).await, 200);
        let expected =
            ["DIGEST", "DIGEST", "NEVER", "NEVER", "AT_ONCE", "NEVER", "NEVER", "DIGEST", "DIGEST", "DIGEST"];
        assert_eq!(mailed(&platform, &anna).await, expected);
    }
    assert_eq!(one_click(&platform, &links.token(him, Scope::Digest)).await, 200);
    let expected = ["NEVER", "NEVER", "NEVER", "NEVER", "AT_ONCE", "NEVER", "NEVER", "NEVER", "NEVER", "NEVER"];
    assert_eq!(mailed(&platform, &bert).await, expected);
    assert_eq!(one_click(&platform, &links.token(his, Scope::All)).await, 200);
    assert_eq!(mailed(&platform, &carl).await, ["NEVER"; 10]);
    // A user who changes their mind does so with the settings.
    let again = json!({ "types": { "USER_CONNECTED": { "mail": "AT_ONCE" } } });
    platform.call("PATCH", "/me/notification-preferences", Some(&carl), Some(again)).await;
    assert_eq!(mailed(&platform, &carl).await[6], "AT_ONCE");
}

/// The link of a mail with both.
#[sqlx::test(migrations = false)]
async fn one_click_ends_the_mails_of_both_recommendations(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, her) = new_user();
    let types = ["CONNECTION_RECOMMENDATION", "POST_RECOMMENDATION"];
    let at_once: Value = types.map(|kind| (kind.to_owned(), json!({ "mail": "AT_ONCE" }))).into_iter().collect();
    platform.call("PATCH", "/me/notification-preferences", Some(&anna), Some(json!({ "types": at_once }))).await;
    assert_eq!(mailed(&platform, &anna).await[2..4], ["AT_ONCE"; 2]);
    let before = mailed(&platform, &anna).await;
    let token = links(&platform).token(her, Scope::Recommendations);
    let page = ask(&platform, "GET", &token, "text/plain", "").await.2;
    assert!(page.contains("no more mails about people whom you may know and posts that you may like?"), "{page}");
    assert_eq!(one_click(&platform, &token).await, 200);
    let after = mailed(&platform, &anna).await;
    assert_eq!(
        (&after[2..4], &after[..2], &after[4..]),
        (&[json!("NEVER"), json!("NEVER")][..], &before[..2], &before[4..])
    );
}

/// RFC 8058 lets mail programs send the form in either encoding, and some send nothing at all.
#[sqlx::test(migrations = false)]
async fn the_post_is_understood_in_every_encoding(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let parts = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    for (kind, body) in [
        ("application/x-www-form-urlencoded", ONE_CLICK),
        ("multipart/form-data; boundary=x", parts),
        ("text/plain", ""),
    ] {
        let (anna, her) = new_user();
        let (status, answered, text) =
            ask(&platform, "POST", &links(&platform).token(her, Scope::All), kind, body).await;
        assert_eq!((status, answered.as_str()), (200, "text/html; charset=utf-8"), "{kind}");
        assert!(text.contains("<p>You get no more mails about notifications of any kind."), "{text}");
        assert_eq!(mailed(&platform, &anna).await, ["NEVER"; 10], "{kind}");
    }
}

#[sqlx::test(migrations = false)]
async fn opening_the_link_changes_nothing_and_its_buttons_do(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (links, (anna, her)) = (links(&platform), new_user());
    let token = links.token(her, Scope::Type(Type::PostReactionReceived));
    let before = mailed(&platform, &anna).await;
    let (status, kind, page) = ask(&platform, "GET", &token, "text/plain", "").await;
    assert_eq!((status, kind.as_str()), (200, "text/html; charset=utf-8"));
    assert!(page.contains("<p>Do you want no more mails about reactions to your posts?</p>"), "{page}");
    assert_eq!(mailed(&platform, &anna).await, before);
    let actions: Vec<_> = page
        .split("<form method=\"post\" action=\"?token=")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert_eq!(actions, [token, links.token(her, Scope::All)]);
    assert_eq!(page.matches("<input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">").count(), 2);
    for action in actions {
        assert_eq!(one_click(&platform, action).await, 200);
    }
    assert_eq!(mailed(&platform, &anna).await, ["NEVER"; 10]);
}

#[sqlx::test(migrations = false)]
async fn a_forged_link_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let foreign = platform.beside(&["--unsubscribe-secret", "another one"]);
    let (anna, her) = new_user();
    let before = mailed(&platform, &anna).await;
    let token = links(&platform).token(her, Scope::Digest);
    let other = links(&platform).token(Uuid::now_v7(), Scope::Digest);
    let forged = [
        links(&foreign).token(her, Scope::Digest),
        // The user of one link with the hash of another.
        format!("{}{}", &token[..22], &other[22..]),
        // Another scope under the same hash.
        links(&platform).token(her, Scope::All)[..24].to_owned() + &token[24..],
        token[..token.len() - 1].to_owned(),
        format!("{token}A"),
        "AZMAAA".to_owned(),
        String::new(),
        "%00".to_owned(),
    ];
    for forged in forged {
        for method in ["GET", "POST"] {
            let (status, kind, text) = ask(&platform, method, &forged, "text/plain", "").await;
            assert_eq!((status, kind.as_str()), (400, "application/problem+json"), "{forged}");
            assert!(text.contains("The link is not valid"), "{text}");
        }
    }
    for method in ["GET", "POST"] {
        assert_eq!(platform.call(method, "/notifications/unsubscribe", None, None).await.status, 422);
    }
    assert_eq!(mailed(&platform, &anna).await, before);
}

/// Mails are opened years later: a link must not depend on the process that made it, or on what a type is called.
#[sqlx::test(migrations = false)]
async fn a_link_of_another_replica_and_time_is_valid(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--unsubscribe-secret", "one that does not change"]).await;
    let user: Uuid = "01930000-0000-7000-8000-000000000000".parse().unwrap();
    let ours = links(&platform);
    for scope in [Scope::All, Scope::Digest, Scope::Recommendations].into_iter().chain(TYPES.map(Scope::Type)) {
        assert_eq!(links(&platform.beside(&[])).read(&ours.token(user, scope)), Some((user, scope)));
    }
    let token = "AZMAAAAAcACAAAAAAAAAAAFpqGA6c1N5doz1kxfAv_28po8KWowpzvzOweSrzIMT1g";
    assert_eq!(ours.token(user, Scope::Digest), token);
}

#[test]
fn production_refuses_the_secret_of_development() {
    let command = SERVICE.command();
    let check = |arguments: &[&str]| {
        let arguments = [&["test", "--database-url", "postgres://127.0.0.1/x"], arguments].concat();
        let matches = command.clone().try_get_matches_from(arguments).unwrap();
        let settings = <Settings as clap::FromArgMatches>::from_arg_matches(&matches).unwrap();
        UnsubscribeLinks::new(&settings.links, Environment::Production).map(drop).map_err(|cause| cause.to_string())
    };
    let refusal =
        "UNSUBSCRIBE_SECRET holds a word of development; make one for production with: openssl rand -base64 32";
    assert_eq!(check(&[]), Err(refusal.to_owned()));
    assert_eq!(check(&["--unsubscribe-secret", "2Wc0mVwMyr0Y5uHn8Gf0vQk1Zb3uXoXcJ4sT7aYpLeA="]), Ok(()));
    // What stands in the compose files is public.
    for file in ["docker-compose.yaml", "../docker-compose-local.yaml"] {
        let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let default =
            text.split_once("UNSUBSCRIBE_SECRET: ${UNSUBSCRIBE_SECRET:-").unwrap().1.split('}').next().unwrap();
        assert!(check(&["--unsubscribe-secret", default]).is_err(), "{file}");
    }
}
