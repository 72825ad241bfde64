//! A secret is being replaced, and one replica encrypts with a key that another one does not know yet: nothing is lost, and what needs the
//! key is to be tried again.
use axum::http::header;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::tokens::{arrive, brokered, id, revoke, stored};
use super::{begin, finish, linked, start_linked, visit, visit_freshly};
use crate::core::testing::Reply;
use crate::linked_accounts::provider_tokens::models::{StoredTokens, TokenRevocation};
use crate::linked_accounts::schedulers::reencrypt;
use crate::testing::{detail, finish as run, join_verified};

const NEW: &str = "what encrypts from now on in some replicas";
const OTHER_KEY: &str = "The keys of linked accounts are being replaced; try again in a moment";

fn assert_put_off(reply: &Reply) {
    assert_eq!(detail(reply), (503, &json!(OTHER_KEY)));
    assert!(reply.headers.contains_key(header::RETRY_AFTER));
}

/// Neither the broker nor a sign-in nor the job that encrypts anew loses tokens whose key this replica does not have.
#[sqlx::test(migrations = false)]
async fn a_replica_without_the_key_leaves_tokens_as_they_are(_: PgPoolOptions, database: PgConnectOptions) {
    let (old, provider) = start_linked(database).await;
    let new = old.beside_with(&["--linked-accounts-key", NEW]);
    let (user, token) = arrive(&new, &provider).await;
    let before = stored(&old, &user).await;
    assert_eq!(before.key_id, new.providers.keyring.current());
    for _ in 0..2 {
        assert_put_off(&brokered(&old, &user, "acme").await);
        StoredTokens::expire(&old.app.db, id(&user)).await.unwrap();
    }
    reencrypt(&old.app.db, &old.providers.keyring).await.unwrap();
    // The stored refresh token would be gone with tokens that have none.
    provider.set(|mind| mind.grants_refresh = false);
    assert_eq!(arrive(&old, &provider).await.0, user);
    assert_eq!(stored(&old, &user).await.tokens, before.tokens);
    assert_eq!(linked(&old, &token).await[0]["active"], true);
    assert_eq!(provider.mind.lock().unwrap().refreshes, 0);

    provider.set(|mind| mind.grants_refresh = true);
    assert_eq!(brokered(&new, &user, "acme").await.status, 200);
    assert_eq!(provider.mind.lock().unwrap().refreshes, 1);
    // Tokens with which a link is complete may take their place; both read what the old key encrypts.
    arrive(&old, &provider).await;
    for replica in [&old, &new] {
        StoredTokens::expire(&old.app.db, id(&user)).await.unwrap();
        assert_eq!(brokered(replica, &user, "acme").await.status, 200);
    }
    reencrypt(&new.app.db, &new.providers.keyring).await.unwrap();
    assert_eq!(stored(&new, &user).await.key_id, new.providers.keyring.current());
}

/// A sign-in that one replica has begun is not used up by another one that cannot finish it.
#[sqlx::test(migrations = false)]
async fn an_attempt_waits_for_a_replica_with_its_key(_: PgPoolOptions, database: PgConnectOptions) {
    let (old, provider) = start_linked(database).await;
    let new = old.beside_with(&["--linked-accounts-key", NEW]);
    let begun = begin(&new, "acme", None).await;
    let back = provider.agree(&begun.url);
    assert_put_off(&finish(&old, &begun, None, &back).await);
    let foreign = begin(&new, "acme", None).await;
    assert_eq!(finish(&old, &foreign, None, &back).await.status, 400, "it is that of another browser");
    assert_eq!(finish(&new, &begun, None, &back).await.status, 200);
    assert_eq!(finish(&old, &begun, None, &back).await.status, 400, "it is used up");
}

/// A revocation is left to a replica that has its key, however long that takes; after a month it is given up.
#[sqlx::test(migrations = false)]
async fn a_revocation_waits_for_a_replica_with_its_key(_: PgPoolOptions, database: PgConnectOptions) {
    let (old, provider) = start_linked(database).await;
    let new = old.beside_with(&["--linked-accounts-key", NEW]);
    let anna = join_verified(&old, "bert").await;
    let unlink = async |link: &Reply| {
        let path = format!("/auth/linked-accounts/{}", link.body["id"].as_str().unwrap());
        assert_eq!(old.call("DELETE", &path, Some(&anna.token), None).await.status, 204);
    };
    unlink(&visit(&new, &provider, "acme", Some(&anna.token)).await).await;
    for _ in 0..20 {
        TokenRevocation::hasten(&old.app.db).await.unwrap();
        run(revoke(&old)).await;
    }
    assert_eq!(TokenRevocation::waiting(&old.app.db).await.unwrap(), (1, 1));
    run(revoke(&new)).await;
    assert_eq!(TokenRevocation::waiting(&old.app.db).await.unwrap(), (0, 0));
    assert_eq!(provider.mind.lock().unwrap().revoked.len(), 1);

    unlink(&visit(&new, &provider, "acme", Some(&anna.token)).await).await;
    assert_eq!(TokenRevocation::sweep(&old.app.db).await.unwrap(), 0);
    let older = "update token_revocation set created_at = now() - interval '31 days'";
    sqlx::Executor::execute(&old.app.db, older).await.unwrap();
    assert_eq!(TokenRevocation::sweep(&old.app.db).await.unwrap(), 1);
}

/// The order of the documentation: what every replica knows before one of them encrypts with it puts no request off.
#[sqlx::test(migrations = false)]
async fn a_key_that_is_known_everywhere_first_puts_nothing_off(_: PgPoolOptions, database: PgConnectOptions) {
    let (before, provider) = start_linked(database).await;
    let known = before.beside_with(&["--previous-linked-accounts-keys", NEW]);
    assert_eq!(known.providers.keyring.current(), before.providers.keyring.current(), "it decrypts only");
    let current = before.beside_with(&["--linked-accounts-key", NEW]);
    let (user, _) = arrive(&current, &provider).await;
    for replica in [&known, &current] {
        StoredTokens::expire(&before.app.db, id(&user)).await.unwrap();
        let reply = brokered(replica, &user, "acme").await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let begun = begin(&current, "acme", None).await;
    assert_eq!(finish(&known, &begun, None, &provider.agree(&begun.url)).await.status, 200);
    let fresh: Value = visit_freshly(&known, &provider).await.body;
    let links = linked(&current, fresh["access_token"].as_str().unwrap()).await;
    assert_eq!(links.len(), 1);
}
