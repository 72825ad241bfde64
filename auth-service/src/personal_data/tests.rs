//! What is held about people, and its end.
use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, Request, header};
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::events::{ENGAGEMENT_USER_ERASED, INTERACTION_USER_ERASED, MODERATION_USER_ERASED, POST_USER_ERASED};
use super::models;
use crate::SERVICE;
use crate::connections::tests::connect;
use crate::core::ground::worker::Worker;
use crate::core::testing::Platform;
use crate::core::testing::counted::Counted;
use crate::directory::schedulers::HashWriter;
use crate::personal_data::schedulers::ErasureWatch;
use crate::testing::{PASSWORD, finish, join, join_verified, mailed, start};

/// A neighbour that holds two pages of posts about every user; its address.
async fn neighbour() -> String {
    async fn posts(Path(person): Path<Uuid>, headers: HeaderMap, uri: axum::http::Uri) -> impl IntoResponse {
        assert_eq!(headers[header::AUTHORIZATION], "Bearer operator");
        let second = uri.query().unwrap().contains("cursor=");
        let next =
            (!second).then(|| [(header::LINK, format!("<{}&cursor=2>; rel=\"next\"", uri.path_and_query().unwrap()))]);
        (next, axum::Json(json!([{ "of": person, "page": if second { 2 } else { 1 } }])))
    }
    let router = Router::new()
        .route("/internal/people/{person}", get(|| async { axum::Json(["posts"]) }))
        .route("/internal/people/{person}/posts", get(posts));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    TaskTracker::new().spawn(async { axum::serve(listener, router).await });
    url
}

#[sqlx::test(migrations = false)]
async fn somebody_gets_everything_that_all_services_hold(_: PgPoolOptions, database: PgConnectOptions) {
    let producers = format!("auth-service=http://127.0.0.1:1,post-service={}", neighbour().await);
    let platform = start(database, &["--producers", &producers]).await;
    let (anna, bert) = (join(&platform, "anna").await, join(&platform, "bert").await);
    connect(&platform, &anna, bert.id).await;
    let export = platform.call("GET", "/users/me/export", Some(&anna.token), None).await;
    assert_eq!((export.status.as_u16(), &export.body["person"]), (200, &json!(anna.id)), "{export:?}");
    assert_eq!(export.headers[header::CONTENT_DISPOSITION], "attachment; filename=\"export.json\"");
    let services: BTreeMap<String, Value> = serde_json::from_value(export.body["services"].clone()).unwrap();
    let kinds: Vec<&String> = services["auth-service"].as_object().unwrap().keys().collect();
    let expected = "accounts account_changes connections followers blocks dismissed_suggestions sessions places linked_accounts mails decisions \
        standings audit";
    assert_eq!(kinds, expected.split_whitespace().collect::<Vec<_>>());
    let own = &services["auth-service"];
    assert_eq!((&own["accounts"][0]["email"], &own["accounts"][0].get("password_hash")), (&json!(anna.email), &None));
    assert_eq!(own["connections"][0]["target_id"], json!(bert.id));
    assert_eq!((own["sessions"].as_array().unwrap().len(), &own["followers"]), (1, &json!([])));
    let posts = json!({ "posts": [{ "of": anna.id, "page": 1 }, { "of": anna.id, "page": 2 }] });
    assert_eq!(services["post-service"], posts);
    assert!(!export.body.to_string().contains(&bert.email), "of others, only who they are");
}

#[sqlx::test(migrations = false)]
async fn an_address_to_come_and_one_of_before_are_exported_and_erased(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &["--producers", "auth-service=http://127.0.0.1:1"]).await;
    let anna = join_verified(&platform, "anna-unmistakable").await;
    let body = json!({ "email": "anna-to-come@example.org", "password": PASSWORD, "interests": [] });
    let asked = platform.call("PUT", &format!("/users/{}", anna.id), Some(&anna.token), Some(body)).await;
    assert_eq!(asked.status, 200);
    let export = platform.call("GET", "/users/me/export", Some(&anna.token), None).await.body;
    let own = &export["services"]["auth-service"];
    assert_eq!(own["accounts"][0]["pending_email"], "anna-to-come@example.org");
    let change = own["account_changes"][0].as_object().unwrap();
    assert_eq!(change.keys().collect::<Vec<_>>(), ["id", "kind", "email", "user_id", "changed_at"]);
    assert_eq!((&change["kind"], &change["email"]), (&json!("ADDRESS_ASKED"), &json!(anna.email)));
    for secret in ["argon2", "signed_up_by", "email_key"] {
        assert!(!export.to_string().contains(secret), "{secret}");
    }
    mailed(&platform).await;
    let gone = platform.call("DELETE", &format!("/users/{}", anna.id), Some(&anna.token), None).await;
    assert_eq!(gone.status, 204);
    finish(HashWriter::new(&platform.app)).await;
    for stream in SERVICE.publishes {
        platform.published(stream).await;
    }
    platform.erase(anna.id).await;
    for text in ["anna-to-come", "anna-unmistakable"] {
        assert_eq!(platform.finds(text).await, [""; 0], "{text}");
    }
}

#[sqlx::test(migrations = false)]
async fn an_export_without_a_service_does_not_begin(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &["--producers", "post-service=http://127.0.0.1:1"]).await;
    let anna = join(&platform, "anna").await;
    let refused = platform.call("GET", "/users/me/export", Some(&anna.token), None).await;
    assert_eq!(refused.status, 503);
    assert!(refused.headers.contains_key(header::RETRY_AFTER));
}

async fn erasure(platform: &Platform, person: Uuid) -> Value {
    let request = Request::get(format!("/internal/erasures/{person}"));
    platform.send(request.header(header::AUTHORIZATION, "Bearer operator").body(Body::empty()).unwrap()).await.body
}

#[sqlx::test(migrations = false)]
async fn who_leaves_is_forgotten_and_every_service_says_so(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna-unmistakable").await;
    let words = json!({ "first_name": "Annasword", "bio": "Annasword" });
    assert_eq!(platform.call("PATCH", "/users/me", Some(&anna.token), Some(words)).await.status, 200);
    mailed(&platform).await;
    finish(HashWriter::new(&platform.app)).await;
    for stream in SERVICE.publishes {
        platform.published(stream).await;
    }
    let hash = format!(":apps.core.models.UserDetailInfo:{}", anna.id);
    assert_eq!(platform.finds("Annasword").await, [hash.as_str(), "auth.account", "auth.outbox", "user_updated"]);
    let places = [hash.as_str(), "auth.account", "auth.outbox", "auth.user_token", "user_registered", "user_updated"];
    assert_eq!(platform.finds(&anna.email).await, places);
    assert_eq!(erasure(&platform, anna.id).await["detail"], "No such erasure");

    let gone = platform.call("DELETE", &format!("/users/{}", anna.id), Some(&anna.token), None).await;
    assert_eq!(gone.status, 204);
    assert_eq!(erasure(&platform, anna.id).await["confirmed"], json!([]));
    finish(HashWriter::new(&platform.app)).await;
    platform.erase(anna.id).await;
    for text in ["Annasword", &anna.email] {
        assert_eq!(platform.finds(text).await, [""; 0], "{text}");
    }
    assert_eq!(erasure(&platform, anna.id).await["confirmed"], json!(["auth-service"]));
    for stream in [POST_USER_ERASED, INTERACTION_USER_ERASED, MODERATION_USER_ERASED, ENGAGEMENT_USER_ERASED] {
        platform.consume(stream, &json!({ "user_id": anna.id })).await;
    }
    let all = ["auth-service", "engagement-service", "interaction-service", "moderation-service", "post-service"];
    assert_eq!(erasure(&platform, anna.id).await["confirmed"], json!(all));
}

/// Erasures that no service but this one had confirmed raised no alert.
#[sqlx::test(migrations = false)]
async fn an_erasure_is_watched_until_every_service_has_confirmed_it(_: PgPoolOptions, database: PgConnectOptions) {
    let producers = "auth-service=http://127.0.0.1:1,post-service=http://127.0.0.1:1";
    let platform = start(database, &["--producers", producers]).await;
    let (counted, mut watch) = (Counted::begin(), ErasureWatch::new(&platform.app));
    let person = Uuid::now_v7();
    platform.erase(person).await;
    platform.app.db.execute("update erasure set asked_at = now() - interval '2 hours'").await.unwrap();
    watch.step().await.unwrap();
    let text = counted.text();
    let waiting = text.lines().find_map(|line| line.strip_prefix("erasures_unconfirmed_seconds ")).unwrap();
    let waiting: f64 = waiting.parse().unwrap();
    assert!((7200.0..7260.0).contains(&waiting), "{waiting}");
    let mut tx = platform.app.db.begin().await.unwrap();
    models::confirm(&mut tx, "post-service", &[person]).await.unwrap();
    tx.commit().await.unwrap();
    watch.step().await.unwrap();
    counted.assert("erasures_unconfirmed_seconds 0");
}
