//! Who a person is at a provider: by its issuer and subject, whatever the settings call it.
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::tokens::{arrive, brokered, id, revoke};
use super::{IdentityProvider, linked, me, oidc, start_linked, visit, visit_freshly};
use crate::core::testing::Reply;
use crate::linked_accounts::provider_tokens::models::TokenRevocation;
use crate::linked_accounts::schedulers::identify;
use crate::testing::{Posted, detail, finish as run, join_verified};

/// The service with these providers in place of those of before.
fn reconfigured(platform: &Posted, providers: &Value) -> Posted {
    platform.beside_with(&["--linked-providers", &providers.to_string()])
}

fn named(provider: &IdentityProvider, name: &str) -> Value {
    let mut setting = oidc(provider);
    setting["name"] = json!(name);
    setting
}

async fn person(platform: &Posted, reply: &Reply) -> Value {
    let token = reply.body["access_token"].as_str().unwrap_or_else(|| panic!("{reply:?}"));
    me(platform, token).await["id"].clone()
}

/// A provider that gets another name keeps its people, and their tokens.
#[sqlx::test(migrations = false)]
async fn a_provider_may_be_renamed(_: PgPoolOptions, database: PgConnectOptions) {
    let (before, provider) = start_linked(database).await;
    let (user, token) = arrive(&before, &provider).await;
    let after = reconfigured(&before, &json!([named(&provider, "new-name")]));
    assert_eq!(linked(&after, &token).await[0]["provider"], "new-name");
    assert_eq!(brokered(&after, &user, "new-name").await.status, 200);
    let reply = visit(&after, &provider, "new-name", None).await;
    assert_eq!(person(&after, &reply).await, user);
    assert_eq!(linked(&after, &token).await.len(), 1);
    assert_eq!(before.published("user_registered").await.len(), 1, "there is no second account");
    let exported = after.personal_data_of(id(&user), "linked_accounts").await;
    assert_eq!(exported[0]["issuer"], provider.url);
}

/// Another provider under a name of before opens no account of that one, and gets none of its tokens.
#[sqlx::test(migrations = false)]
async fn a_name_hands_nothing_over(_: PgPoolOptions, database: PgConnectOptions) {
    let (before, first) = start_linked(database).await;
    let anna = join_verified(&before, "bert").await;
    assert_eq!(visit(&before, &first, "acme", Some(&anna.token)).await.status, 201);
    let second = IdentityProvider::start().await;
    let after = reconfigured(&before, &json!([oidc(&second)]));
    // The same subject, of another issuer.
    let stranger = visit(&after, &second, "acme", None).await;
    assert_eq!(stranger.status, 409, "{stranger:?}");
    second.set(|mind| mind.claims["sub"] = json!("person-9"));
    let stranger = visit(&after, &second, "acme", None).await;
    assert_ne!(person(&after, &stranger).await, json!(anna.id));
    let unknown = brokered(&after, &json!(anna.id), "acme").await;
    assert_eq!(detail(&unknown), (404, &json!("The user has no account of this provider linked")));
    let path = format!("/auth/linked-accounts/{}", linked(&after, &anna.token).await[0]["id"].as_str().unwrap());
    assert_eq!(after.call("DELETE", &path, Some(&anna.token), None).await.status, 204);
    run(revoke(&after)).await;
    assert_eq!(TokenRevocation::waiting(&after.app.db).await.unwrap(), (0, 0));
    let revoked = second.mind.lock().unwrap().revoked.len();
    assert_eq!(revoked, 1, "of the sign-in that was refused there; tokens of one provider are not sent to another");
}

/// A link of the release before whose provider is not configured is no way in for another provider that gets its name, which gets none of
/// its tokens either. It is one again when the operators say that its own provider is back.
#[sqlx::test(migrations = false)]
async fn a_link_of_a_provider_that_was_away_is_adopted_on_request_only(_: PgPoolOptions, database: PgConnectOptions) {
    let (before, first) = start_linked(database).await;
    let (user, token) = arrive(&before, &first).await;
    let db = &before.app.db;
    db.execute("delete from provider_identity").await.unwrap();
    let without = reconfigured(&before, &json!([]));
    for _ in 0..2 {
        identify(db, &without.providers).await.unwrap();
    }
    assert_eq!(linked(&without, &token).await.len(), 1, "its person is still shown it");

    let second = IdentityProvider::start().await;
    let other = reconfigured(&before, &json!([oidc(&second)]));
    identify(db, &other.providers).await.unwrap();
    let stranger = visit(&other, &second, "acme", None).await;
    assert_eq!(stranger.status, 409, "the same subject, of another issuer: {stranger:?}");
    assert_eq!(brokered(&other, &user, "acme").await.status, 404);

    let unsaid = reconfigured(&before, &json!([oidc(&first)]));
    identify(db, &unsaid.providers).await.unwrap();
    assert_eq!(visit(&unsaid, &first, "acme", None).await.status, 409, "it may be another one, as far as is known");
    let mut setting = named(&first, "acme");
    setting["adopt_links"] = json!(true);
    let adopted = reconfigured(&before, &json!([setting]));
    for _ in 0..2 {
        identify(db, &adopted.providers).await.unwrap();
    }
    assert_eq!(person(&adopted, &visit(&adopted, &first, "acme", None).await).await, user);
    assert_eq!(brokered(&adopted, &user, "acme").await.status, 200);
}

/// A link of the release before, which knows names alone, is the same person's, and gets its identity.
#[sqlx::test(migrations = false)]
async fn a_link_without_an_identity_gets_one(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let (user, _) = arrive(&platform, &provider).await;
    let db = &platform.app.db;
    db.execute("delete from provider_identity").await.unwrap();
    assert_eq!(person(&platform, &visit(&platform, &provider, "acme", None).await).await, user);
    assert_eq!(brokered(&platform, &user, "acme").await.status, 200);
    let fresh = visit_freshly(&platform, &provider).await;
    let token = fresh.body["access_token"].as_str().unwrap();
    let path = format!("/auth/linked-accounts/{}", linked(&platform, token).await[0]["id"].as_str().unwrap());
    let last = platform.call("DELETE", &path, Some(token), None).await;
    assert_eq!(last.status, 409, "it is a way in by its name: {last:?}");
    for _ in 0..2 {
        identify(db, &platform.providers).await.unwrap();
    }
    let after = reconfigured(&platform, &json!([named(&provider, "new-name")]));
    assert_eq!(person(&after, &visit(&after, &provider, "new-name", None).await).await, user);
    let gone = after.call("DELETE", &format!("/users/{}", id(&user)), Some(token), None).await;
    assert_eq!(gone.status, 204);
    assert_eq!(platform.finds(&provider.url).await, ["auth.token_revocation"], "until its tokens are revoked");
}
