//! That no answer about a token is given again after something has changed.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::time::Duration;

use crate::INVALIDATING_STREAMS;
use crate::accounts::events::USER_DELETED;
use crate::app::verdicts::VerdictCache;
use crate::connections::events::{USER_CONNECTED, USER_DISCONNECTED};
use crate::connections::tests::{connect, disconnect};
use crate::core::app::identity::Role;
use crate::core::ground::worker::Worker;
use crate::core::testing::Platform;
use crate::profiles::events::USER_UPDATED;
use crate::roles::commands::grant;
use crate::sessions::events::SESSION_REVOKED;
use crate::sessions::introspection::{follower, introspect};
use crate::testing::{PASSWORD, Person, join, sign_in, start};

/// What the next answer about a token says.
async fn said(platform: &Platform, token: &str) -> Value {
    let reply = platform.call("GET", "/auth/verify-token", Some(token), None).await;
    assert!(reply.status == 200 || reply.body["detail"] == "Invalid username or password", "{reply:?}");
    json!([
        reply.status.as_u16(),
        reply.body["first_name"],
        reply.body["total_connections"],
        reply.body["role"],
        reply.body["status"]
    ])
}

/// A token of another session of a user, whose answer was cached a moment ago.
async fn believed(platform: &Platform, person: &Person) -> String {
    let reply = sign_in(platform, &person.email, PASSWORD).await;
    let token = reply.body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(said(platform, &token).await[0], 200);
    token
}

async fn changed(platform: &Platform, token: &str, method: &str, path: &str, body: Option<Value>) {
    let reply = platform.call(method, path, Some(token), body).await;
    assert!(reply.status.is_success(), "{method} {path}: {reply:?}");
}

#[sqlx::test(migrations = false)]
async fn what_changes_about_a_person_is_in_the_very_next_answer(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let (anna, ben, root) = tokio::join!(join(&platform, "anna"), join(&platform, "ben"), join(&platform, "root"));
    grant(&platform.app, &root.email, Role::Admin).await.unwrap();
    let now = async || said(&platform, &anna.token).await;
    assert_eq!(now().await, json!([200, null, 0, "USER", "INACTIVE"]));
    connect(&platform, &anna, ben.id).await;
    assert_eq!(now().await, json!([200, null, 1, "USER", "INACTIVE"]));
    disconnect(&platform, &anna, ben.id).await;
    assert_eq!(now().await, json!([200, null, 0, "USER", "INACTIVE"]));
    changed(&platform, &anna.token, "PATCH", "/users/me", Some(json!({ "first_name": "Anna" }))).await;
    assert_eq!(now().await, json!([200, "Anna", 0, "USER", "INACTIVE"]));
    let of_anna = |what: &str| format!("/admin/users/{}/{what}", anna.id);
    let role = json!({ "role": "MODERATOR", "reason": "a test" });
    changed(&platform, &root.token, "PUT", &of_anna("role"), Some(role)).await;
    assert_eq!(now().await, json!([200, "Anna", 0, "MODERATOR", "INACTIVE"]));
    let mute = json!({ "status": "MUTED", "reason": "a test" });
    changed(&platform, &root.token, "PUT", &of_anna("status"), Some(mute)).await;
    assert_eq!(now().await[4], "MUTED");
}

#[sqlx::test(migrations = false)]
async fn a_session_that_has_ended_is_refused_by_the_very_next_answer(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let (anna, root) = tokio::join!(join(&platform, "anna"), join(&platform, "root"));
    grant(&platform.app, &root.email, Role::Admin).await.unwrap();
    let over = async |token: &str| assert_eq!(said(&platform, token).await[0], 401);

    let token = believed(&platform, &anna).await;
    changed(&platform, &token, "POST", "/auth/signout", None).await;
    over(&token).await;

    let (token, other) = (believed(&platform, &anna).await, believed(&platform, &anna).await);
    let verified = platform.call("GET", "/auth/verify-token", Some(&token), None).await;
    let session = format!("/auth/sessions/{}", verified.body["session_id"].as_str().unwrap());
    changed(&platform, &other, "DELETE", &session, None).await;
    over(&token).await;

    changed(&platform, &other, "POST", "/auth/signout-everywhere", None).await;
    over(&other).await;

    let (token, other) = (believed(&platform, &anna).await, believed(&platform, &anna).await);
    let password = json!({
        "current_password": PASSWORD, "new_password": "eight wild geese", "confirm_password": "eight wild geese",
    });
    changed(&platform, &token, "POST", "/auth/change-password", Some(password)).await;
    over(&token).await;
    over(&other).await;

    let ben = join(&platform, "ben").await;
    let token = believed(&platform, &ben).await;
    let ban = json!({ "status": "BANNED", "reason": "a test" });
    changed(&platform, &root.token, "PUT", &format!("/admin/users/{}/status", ben.id), Some(ban)).await;
    over(&token).await;

    let carl = join(&platform, "carl").await;
    let token = believed(&platform, &carl).await;
    changed(&platform, &token, "DELETE", &format!("/users/{}", carl.id), None).await;
    over(&token).await;
}

#[sqlx::test(migrations = false)]
async fn what_another_replica_does_is_heard(_: PgPoolOptions, database: PgConnectOptions) {
    let here = start(database, &[]).await;
    let there = here.beside();
    let mut followers = INVALIDATING_STREAMS.map(|stream| follower(&here.app, stream));
    for follower in &mut followers {
        follower.begin().await.unwrap();
    }
    let ben = join(&there, "ben").await;
    let act = async |stream: &str, anna: &Person| match stream {
        SESSION_REVOKED => changed(&there, &anna.token, "POST", "/auth/signout-everywhere", None).await,
        USER_UPDATED => changed(&there, &anna.token, "PATCH", "/users/me", Some(json!({ "first_name": "A" }))).await,
        USER_DELETED => changed(&there, &anna.token, "DELETE", &format!("/users/{}", anna.id), None).await,
        USER_CONNECTED => changed(&there, &anna.token, "POST", &format!("/users/{}/connect", ben.id), None).await,
        USER_DISCONNECTED => {
            connect(&there, anna, ben.id).await;
            changed(&there, &anna.token, "DELETE", &format!("/users/{}/disconnect", ben.id), None).await;
        }
        other => panic!("nobody does what {other} tells"),
    };
    for (number, (stream, follower)) in INVALIDATING_STREAMS.into_iter().zip(&mut followers).enumerate() {
        let anna = join(&there, &format!("anna{number}")).await;
        let before = said(&here, &anna.token).await;
        act(stream, &anna).await;
        assert!(!there.published(stream).await.is_empty(), "{stream}");
        let changes = here.app.verdicts.changes();
        follower.step().await.unwrap();
        assert!(here.app.verdicts.changes() > changes, "{stream} was not heard");
        // A connection that was made and ended leaves everything as it was.
        assert_eq!(said(&here, &anna.token).await == before, stream == USER_DISCONNECTED, "{stream}");
    }
}

#[sqlx::test(migrations = false)]
async fn an_answer_is_looked_up_once_as_long_as_nothing_happens(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let (verdicts, token) =
        (VerdictCache::with_ttl(platform.app.commits.subscribe(), Duration::from_hours(1)), anna.token);
    let first = introspect(&platform.app, &verdicts, &token).await.unwrap();
    assert_eq!(introspect(&platform.app, &verdicts, &token).await.unwrap(), first);
    verdicts.invalidate_all();
    let second = introspect(&platform.app, &verdicts, &token).await.unwrap();
    assert_eq!(second.body, first.body);
    assert!(second.since > first.since, "it was looked up anew");
}
