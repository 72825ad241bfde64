//! Fresh sign-ins: one by a provider is as fresh as the provider says, and what needs a fresh one does not believe more.
use chrono::Utc;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::settings::github;
use super::{IdentityProvider, browse, linked, start_linked, start_with, visit, visit_freshly};
use crate::core::testing::Reply;
use crate::testing::{Posted, detail};

const NOT_FRESH: &str = "The provider does not say that you have signed in there just now; sign in with your password, or set one \
    first, by /auth/forgot-password";
const INVALID: &str = "The provider's answer is not valid for this sign-in; begin again";

fn token(reply: &Reply) -> String {
    reply.body["access_token"].as_str().unwrap_or_else(|| panic!("{reply:?}")).to_owned()
}

/// What a session gets that links another account, and one that ends its link.
async fn changes(platform: &Posted, token: &str) -> [Reply; 2] {
    let path = format!("/auth/linked-accounts/{}", linked(platform, token).await[0]["id"].as_str().unwrap());
    [
        browse(platform, "/auth/providers/acme/link", Some(token), None, json!({})).await,
        platform.call("DELETE", &path, Some(token), None).await,
    ]
}

/// Who finds a device that is signed in at the provider gets a session, and neither links nor unlinks with it.
#[sqlx::test(migrations = false)]
async fn a_sign_in_without_one_at_the_provider_changes_no_link(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let by_session_there = token(&visit(&platform, &provider, "acme", None).await);
    for refused in changes(&platform, &by_session_there).await {
        assert_eq!((refused.status.as_u16(), &refused.body["code"]), (401, &json!("insufficient_user_authentication")));
    }
    let update = json!({ "email": "anna@example.com", "password": "a thief's goose", "interests": [] });
    let person = super::me(&platform, &by_session_there).await;
    let path = format!("/users/{}", person["id"].as_str().unwrap());
    let refused = platform.call("PUT", &path, Some(&by_session_there), Some(update)).await;
    assert_eq!(refused.status, 401, "nor a password: {refused:?}");

    let fresh = token(&visit_freshly(&platform, &provider).await);
    let [begun, last] = changes(&platform, &fresh).await;
    assert_eq!((begun.status.as_u16(), last.status.as_u16()), (200, 409), "{begun:?} {last:?}");
}

/// The provider has to say when its person has signed in, and that has to be after the sign-in here began.
#[sqlx::test(migrations = false)]
async fn a_fresh_sign_in_is_one_that_the_provider_confirms(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let now = Utc::now().timestamp();
    let claims: [(&str, Value, u16, &str); 4] = [
        ("a session of yesterday", json!(now - 86_400), 409, NOT_FRESH),
        ("of just before", json!(now - 90), 409, NOT_FRESH),
        ("no time", Value::Null, 409, NOT_FRESH),
        ("of the future", json!(now + 300), 400, INVALID),
    ];
    for (case, auth_time, status, sentence) in claims {
        provider.set(|mind| mind.claims["auth_time"] = auth_time);
        let reply = visit_freshly(&platform, &provider).await;
        assert_eq!(detail(&reply), (status, &json!(sentence)), "{case}");
    }
    provider.set(|mind| {
        mind.claims.as_object_mut().unwrap().remove("auth_time");
        mind.signed_in_since = Some(now - 3_600);
    });
    assert_eq!(detail(&visit_freshly(&platform, &provider).await).0, 409, "it lets its person go on");
    provider.set(|mind| mind.signed_in_since = None);
    assert_eq!(visit_freshly(&platform, &provider).await.status, 200);
}

/// What a provider says of its own accord counts as well: that its person has signed in there a moment ago, or long ago.
#[sqlx::test(migrations = false)]
async fn a_time_that_was_not_asked_for_counts(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    for (seconds, expected) in [(60, 200), (660, 401)] {
        provider.set(|mind| mind.claims["auth_time"] = json!(Utc::now().timestamp() - seconds));
        let session = token(&visit(&platform, &provider, "acme", None).await);
        let [begun, _] = changes(&platform, &session).await;
        assert_eq!(begun.status.as_u16(), expected, "{seconds}: {begun:?}");
    }
}

/// A provider that never says when its people sign in is not asked to.
#[sqlx::test(migrations = false)]
async fn a_profile_has_no_fresh_sign_ins(_: PgPoolOptions, database: PgConnectOptions) {
    let provider = IdentityProvider::start().await;
    let platform = start_with(database, json!([github(&provider)]), &[]).await;
    let listed = platform.call("GET", "/auth/providers", None, None).await;
    assert_eq!(listed.body, json!([{ "name": "github", "title": "GitHub", "fresh": false }]));
    let begin = async |query: &str| {
        let path = format!("/auth/providers/github/sign-in{query}");
        platform.call("POST", &path, None, None).await.status.as_u16()
    };
    assert_eq!(
        [begin("?fresh=true").await, begin("?fresh=maybe").await, begin("?fresh=false").await, begin("").await],
        [409, 422, 200, 200]
    );
    let session = token(&visit(&platform, &provider, "github", None).await);
    let path = format!("/auth/linked-accounts/{}", linked(&platform, &session).await[0]["id"].as_str().unwrap());
    assert_eq!(platform.call("DELETE", &path, Some(&session), None).await.status, 401, "a password is needed");
}
