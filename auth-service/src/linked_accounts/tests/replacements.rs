//! Tokens that newer ones replace: they are revoked, now or with the link, and never the newer ones; and a provider that has had too many
//! requests is left alone by all replicas.
use axum::http::header;
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::provider::{IdentityProvider, Mind, Trouble};
use super::tokens::{arrive, brokered, id, revoke, stored};
use super::{linked, oidc, start_linked, start_with, visit};
use crate::linked_accounts::provider_tokens::models::{StoredTokens, TokenRevocation};
use crate::testing::{Person, Posted, detail, finish as run, join_verified};

/// The service, and a provider of which a revocation ends one token, as the settings say.
async fn start_precise(database: PgConnectOptions) -> (Posted, IdentityProvider) {
    let provider = IdentityProvider::start().await;
    let mut setting = oidc(&provider);
    setting["revocation"] = json!("TOKEN");
    (start_with(database, json!([setting]), &[]).await, provider)
}

/// A person who links their account there.
async fn join_linked(platform: &Posted, provider: &IdentityProvider) -> Person {
    let person = join_verified(platform, "bert").await;
    assert_eq!(visit(platform, provider, "acme", Some(&person.token)).await.status, 201);
    person
}

async fn unlink(platform: &Posted, person: &Person) {
    let path = format!("/auth/linked-accounts/{}", linked(platform, &person.token).await[0]["id"].as_str().unwrap());
    let ended = platform.call("DELETE", &path, Some(&person.token), None).await;
    assert_eq!(ended.status, 204, "{ended:?}");
}

/// Whether another service gets a token of the link when the one that is stored has ended.
async fn refreshes(platform: &Posted, person: &Person) -> bool {
    StoredTokens::expire(&platform.app.db, person.id).await.unwrap();
    brokered(platform, &json!(person.id), "acme").await.status == 200
}

fn revoked(provider: &IdentityProvider) -> Vec<String> {
    provider.mind.lock().unwrap().revoked.clone()
}

fn good(provider: &IdentityProvider) -> Vec<String> {
    let read = |mind: &Mind| mind.refresh_tokens.iter().cloned().collect();
    read(&provider.mind.lock().unwrap())
}

/// Where a revocation ends one token, that of before is revoked as soon as the sign-in is committed, and tried again where it fails.
#[sqlx::test(migrations = false)]
async fn a_sign_in_revokes_what_it_replaces(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_precise(database).await;
    let person = join_linked(&platform, &provider).await;
    let first = good(&provider);
    provider.set(|mind| mind.fail("revoke", Trouble::Status(500)));
    assert_eq!(visit(&platform, &provider, "acme", None).await.status, 200);
    run(revoke(&platform)).await;
    assert_eq!(TokenRevocation::waiting(&platform.app.db).await.unwrap(), (1, 0), "it is tried again later");
    provider.set(|mind| mind.trouble.clear());
    TokenRevocation::hasten(&platform.app.db).await.unwrap();
    run(revoke(&platform)).await;
    assert_eq!((revoked(&provider), good(&provider).len()), (first, 1));
    assert!(refreshes(&platform, &person).await, "the newest is good");
    unlink(&platform, &person).await;
    run(revoke(&platform)).await;
    assert_eq!((revoked(&provider).len(), good(&provider).len()), (2, 0), "nothing of it is left");
}

/// Where a revocation may end all that was granted, replaced tokens are kept, encrypted, until the link ends.
#[sqlx::test(migrations = false)]
async fn replaced_tokens_end_with_the_link_where_a_revocation_may_end_all(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let (platform, provider) = start_linked(database).await;
    provider.set(|mind| mind.revokes_all = true);
    let person = join_linked(&platform, &provider).await;
    for _ in 0..2 {
        assert_eq!(visit(&platform, &provider, "acme", None).await.status, 200);
    }
    let mut granted = good(&provider);
    granted.sort_unstable();
    run(revoke(&platform)).await;
    assert_eq!((granted.len(), revoked(&provider).len()), (3, 0));
    for token in &granted {
        assert_eq!(platform.finds(token).await, Vec::<String>::new());
    }
    assert!(refreshes(&platform, &person).await, "the newest is good, and its place is taken by the next");
    let newest = good(&provider).into_iter().find(|token| !granted.contains(token)).unwrap();
    unlink(&platform, &person).await;
    run(revoke(&platform)).await;
    assert_eq!(revoked(&provider), [granted[0].clone(), granted[1].clone(), newest]);
}

/// Who links the same account again does not lose it to the revocation of the link of before, which waits.
#[sqlx::test(migrations = false)]
async fn a_revocation_that_waits_spares_a_new_link(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    provider.set(|mind| {
        mind.revokes_all = true;
        mind.fail("revoke", Trouble::Status(503));
    });
    let person = join_linked(&platform, &provider).await;
    unlink(&platform, &person).await;
    run(revoke(&platform)).await;
    assert_eq!(TokenRevocation::waiting(&platform.app.db).await.unwrap(), (1, 0));
    assert_eq!(visit(&platform, &provider, "acme", Some(&person.token)).await.status, 201);
    assert_eq!(TokenRevocation::waiting(&platform.app.db).await.unwrap(), (0, 0), "it is the new link's");
    provider.set(|mind| mind.trouble.clear());
    run(revoke(&platform)).await;
    assert!(revoked(&provider).is_empty() && refreshes(&platform, &person).await);
    unlink(&platform, &person).await;
    run(revoke(&platform)).await;
    assert_eq!(revoked(&provider).len(), 2);
}

/// What is granted to a person who is refused belongs to no link, and is revoked; at a provider where that may end all, unless they have one.
#[sqlx::test(migrations = false)]
async fn the_grant_of_a_refused_sign_in_is_revoked(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    provider.set(|mind| {
        mind.revokes_all = true;
        mind.claims["email_verified"] = json!(false);
    });
    assert_eq!(visit(&platform, &provider, "acme", None).await.status, 409);
    run(revoke(&platform)).await;
    assert_eq!((revoked(&provider).len(), good(&provider).len()), (1, 0));
    let person = join_linked(&platform, &provider).await;
    let other = join_verified(&platform, "carl").await;
    assert_eq!(visit(&platform, &provider, "acme", Some(&other.token)).await.status, 409, "it is linked");
    run(revoke(&platform)).await;
    assert_eq!(revoked(&provider).len(), 1);
    assert!(refreshes(&platform, &person).await);
}

/// A process that answers after its claim has run out changes nothing: neither tokens, nor the claim of another one.
#[sqlx::test(migrations = false)]
async fn a_late_answer_of_a_lost_claim_changes_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let (user, token) = arrive(&platform, &provider).await;
    let (db, keyring) = (&platform.app.db, &platform.providers.keyring);
    let before = stored(&platform, &user).await;
    let late = before.claim_refresh(db).await.unwrap().unwrap();
    assert!(before.claim_refresh(db).await.unwrap().is_none(), "one refresh is in flight");
    StoredTokens::end_claims(db, id(&user)).await.unwrap();
    let claim = before.claim_refresh(db).await.unwrap().unwrap();
    let sealed = |text: &[u8]| keyring.seal(text, before.id.as_bytes()).unwrap();
    assert!(!late.store(db, &sealed(b"late"), "openid", None).await.unwrap());
    late.release(db, true).await.unwrap();
    let after = stored(&platform, &user).await;
    assert!(after.is_refreshing && after.tokens == before.tokens && after.refused_at.is_none());
    assert!(claim.store(db, &sealed(b"newer"), "openid", None).await.unwrap());
    late.release(db, true).await.unwrap();
    assert_eq!(linked(&platform, &token).await[0]["active"], true);

    // Tokens of a sign-in are newer, too.
    let before = stored(&platform, &user).await;
    let claim = before.claim_refresh(db).await.unwrap().unwrap();
    arrive(&platform, &provider).await;
    assert!(!claim.store(db, &sealed(b"late"), "openid", None).await.unwrap());
    assert_eq!(brokered(&platform, &user, "acme").await.status, 200);
}

/// A caller that goes away while its token is being refreshed does not lose what the provider has granted.
#[sqlx::test(migrations = false)]
async fn a_refresh_outlives_its_caller(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let (user, _) = arrive(&platform, &provider).await;
    StoredTokens::expire(&platform.app.db, id(&user)).await.unwrap();
    let before = stored(&platform, &user).await;
    let granted = async {
        while provider.mind.lock().unwrap().refreshes == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = granted => {}
        reply = brokered(&platform, &user, "acme") => panic!("{reply:?}"),
    }
    while stored(&platform, &user).await.tokens == before.tokens {
        tokio::task::yield_now().await;
    }
    assert_eq!(brokered(&platform, &user, "acme").await.status, 200);
    assert_eq!(provider.mind.lock().unwrap().refreshes, 1);
}

/// A provider counts the requests of the platform: what one replica learns of its limit holds for all, for refreshes and revocations.
#[sqlx::test(migrations = false)]
async fn a_provider_that_wants_to_be_left_alone_is_by_all_replicas(_: PgPoolOptions, database: PgConnectOptions) {
    let (here, provider) = start_linked(database).await;
    let there = here.beside();
    let person = join_linked(&here, &provider).await;
    let user = json!(person.id);
    StoredTokens::expire(&here.app.db, person.id).await.unwrap();
    provider.set(|mind| mind.fail("token", Trouble::TooMany));
    let first = brokered(&here, &user, "acme").await;
    assert_eq!(detail(&first), (429, &json!("Too many requests")));
    assert_eq!(first.headers[header::RETRY_AFTER], "77");
    provider.set(|mind| mind.trouble.clear());
    for replica in [&there, &here] {
        let refused = brokered(replica, &user, "acme").await;
        let wait: u64 = refused.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
        assert!(refused.status == 429 && (60..=77).contains(&wait), "{refused:?}");
    }
    assert_eq!(provider.mind.lock().unwrap().refreshes, 0);
    unlink(&here, &person).await;
    run(revoke(&there)).await;
    assert_eq!((TokenRevocation::waiting(&here.app.db).await.unwrap(), revoked(&provider).len()), ((1, 1), 0));
    // A person who signs in does not wait; and the time runs out.
    assert_eq!(visit(&here, &provider, "acme", Some(&person.token)).await.status, 201);
    here.app.db.execute("update provider_pause set not_before = now()").await.unwrap();
    assert!(refreshes(&there, &person).await);

    // A revocation that meets the limit waits as long, and this is no try.
    unlink(&here, &person).await;
    provider.set(|mind| mind.fail("revoke", Trouble::TooMany));
    for _ in 0..12 {
        here.app.db.execute("update provider_pause set not_before = now()").await.unwrap();
        TokenRevocation::hasten(&here.app.db).await.unwrap();
        run(revoke(&here)).await;
    }
    assert_eq!(TokenRevocation::waiting(&here.app.db).await.unwrap(), (1, 0));
    let asked: Value = brokered(&there, &user, "acme").await.body["detail"].clone();
    assert_eq!(asked, json!("The user has no account of this provider linked"));
}
