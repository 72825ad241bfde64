//! The tokens of providers: how they are kept, refreshed, handed to other services, and revoked.
use axum::body::Body;
use axum::http::{Request, header};
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use super::provider::{IdentityProvider, Mind, Trouble};
use super::{age, begin, link, linked, me, start_linked, visit, visit_freshly};
use crate::accounts::events::LINKED_ACCOUNT_CHANGED;
use crate::core::testing::{Platform, Reply};
use crate::linked_accounts::encryption::Keyring;
use crate::linked_accounts::models::{LinkedAccount, LinkedState};
use crate::linked_accounts::provider_tokens::models::{StoredTokens, TokenRevocation};
use crate::linked_accounts::providers::ProviderKey;
use crate::linked_accounts::schedulers::{RevocationWorker, reencrypt};
use crate::testing::{PASSWORD, Posted, detail, finish as run, join_verified, mailbox, sign_in, token_to};

/// Asks the broker as another service does.
pub async fn brokered(platform: &Platform, user: &Value, provider: &str) -> Reply {
    let path = format!("/internal/linked-accounts/{}/{provider}/token", user.as_str().unwrap());
    let request = Request::get(path).header(header::AUTHORIZATION, "Bearer operator");
    platform.send(request.body(Body::empty()).unwrap()).await
}

/// A person who has come from the provider: their id and their token here.
pub async fn arrive(platform: &Posted, provider: &IdentityProvider) -> (Value, String) {
    let reply = visit(platform, provider, "acme", None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let token = reply.body["access_token"].as_str().unwrap().to_owned();
    (me(platform, &token).await["id"].clone(), token)
}

/// The same, of a person who has signed in there for this.
pub async fn arrive_freshly(platform: &Posted, provider: &IdentityProvider) -> (Value, String) {
    let reply = visit_freshly(platform, provider).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let token = reply.body["access_token"].as_str().unwrap().to_owned();
    (me(platform, &token).await["id"].clone(), token)
}

pub fn id(user: &Value) -> Uuid {
    user.as_str().unwrap().parse().unwrap()
}

/// The tokens of a person at the provider, as they are stored.
pub async fn stored(platform: &Posted, user: &Value) -> StoredTokens {
    let provider = platform.providers.get("acme").unwrap();
    StoredTokens::find(&platform.app.db, id(user), provider.key()).await.unwrap().unwrap()
}

pub fn revoke(platform: &Posted) -> RevocationWorker {
    RevocationWorker::new(&platform.app, platform.providers.clone())
}

/// Another service gets a token that is good, and one refresh serves all who ask at once.
#[sqlx::test(migrations = false)]
async fn the_broker_refreshes_a_token_once(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let (user, _) = arrive(&platform, &provider).await;
    let first = brokered(&platform, &user, "acme").await;
    assert_eq!((first.status.as_u16(), &first.body["subject"]), (200, &json!("person-1")), "{first:?}");
    assert_eq!(first.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(
        (&first.body["scopes"], &first.body["token_type"]),
        (&json!(["openid", "email", "profile"]), &json!("bearer"))
    );
    assert_eq!(brokered(&platform, &user, "acme").await.body, first.body, "it is good for an hour");

    StoredTokens::expire(&platform.app.db, id(&user)).await.unwrap();
    let answers = join_all((0..5).map(|_| brokered(&platform, &user, "acme"))).await;
    let tokens: Vec<&str> = answers.iter().map(|reply| reply.body["access_token"].as_str().unwrap()).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0] && *token != first.body["access_token"]), "{answers:?}");
    let mind = provider.mind.lock().unwrap();
    assert_eq!(mind.refreshes, 1, "the second use of a refresh token would end the link");
    assert!(mind.access_tokens.contains(tokens[0]));
}

/// A link that the provider does not accept any more says so, until its person signs in by it.
#[sqlx::test(migrations = false)]
async fn a_refused_refresh_asks_for_a_sign_in(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let (user, token) = arrive(&platform, &provider).await;
    assert_eq!(brokered(&platform, &user, "other").await.status, 404);
    let stranger = join_verified(&platform, "bert").await;
    assert_eq!(brokered(&platform, &json!(stranger.id), "acme").await.status, 404);

    // A provider that is away costs nothing but time.
    StoredTokens::expire(&platform.app.db, id(&user)).await.unwrap();
    provider.set(|mind| mind.fail("token", Trouble::Status(503)));
    assert_eq!(brokered(&platform, &user, "acme").await.status, 502);
    assert_eq!(linked(&platform, &token).await[0]["active"], true);
    provider.set(|mind| mind.trouble.clear());
    assert_eq!(brokered(&platform, &user, "acme").await.status, 200);

    StoredTokens::expire(&platform.app.db, id(&user)).await.unwrap();
    provider.set(Mind::forget_grants);
    for _ in 0..2 {
        let refused = brokered(&platform, &user, "acme").await;
        let sentence = "The provider does not accept the link any more; its user has to sign in by it";
        assert_eq!(detail(&refused), (409, &json!(sentence)));
    }
    assert_eq!(provider.mind.lock().unwrap().refreshes, 2, "it is not asked again");
    assert_eq!(linked(&platform, &token).await[0]["active"], false);
    arrive(&platform, &provider).await;
    assert_eq!(linked(&platform, &token).await[0]["active"], true);
    assert_eq!(brokered(&platform, &user, "acme").await.status, 200);
}

/// The end of a link needs a fresh sign-in, leaves a way in, and revokes what the provider has granted.
#[sqlx::test(migrations = false)]
async fn a_link_ends_unless_it_is_the_last_way_in(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let (_, only) = arrive_freshly(&platform, &provider).await;
    let path = |links: &[Value]| format!("/auth/linked-accounts/{}", links[0]["id"].as_str().unwrap());
    let last = platform.call("DELETE", &path(&linked(&platform, &only).await), Some(&only), None).await;
    let sentence = "This is the last way to sign in; set a password first, by /auth/forgot-password";
    assert_eq!(detail(&last), (409, &json!(sentence)));
    assert_eq!(linked(&platform, &only).await.len(), 1);

    let anna = join_verified(&platform, "bert").await;
    provider.set(|mind| mind.claims["sub"] = json!("person-2"));
    assert_eq!(visit(&platform, &provider, "acme", Some(&anna.token)).await.status, 201);
    let own = path(&linked(&platform, &anna.token).await);
    let foreign = platform.call("DELETE", &own, Some(&only), None).await;
    assert_eq!(detail(&foreign), (404, &json!("Linked account not found")));
    assert_eq!(platform.call("DELETE", "/auth/linked-accounts/x", Some(&only), None).await.status, 422);
    assert_eq!(TokenRevocation::waiting(&platform.app.db).await.unwrap(), (0, 0));

    assert_eq!(platform.call("DELETE", &own, Some(&anna.token), None).await.status, 204);
    assert_eq!(platform.call("DELETE", &own, Some(&anna.token), None).await.status, 404);
    let mails = mailbox(&platform).await;
    let is_warned = |mail: &&String| mail.contains(&anna.email) && mail.contains("one of Acme was removed");
    assert_eq!(mails.iter().filter(is_warned).count(), 1, "{mails:?}");
    let changes = platform.published(LINKED_ACCOUNT_CHANGED).await;
    let last = changes.last().unwrap();
    assert_eq!((changes.len(), &last["user_id"], &last["linked"]), (3, &json!(anna.id), &json!(false)));
    // The provider is away: the revocation waits, and is tried again.
    provider.set(|mind| mind.fail("revoke", Trouble::Status(500)));
    run(revoke(&platform)).await;
    assert_eq!(TokenRevocation::waiting(&platform.app.db).await.unwrap(), (1, 0));
    provider.set(|mind| mind.trouble.clear());
    TokenRevocation::hasten(&platform.app.db).await.unwrap();
    run(revoke(&platform)).await;
    assert_eq!(TokenRevocation::waiting(&platform.app.db).await.unwrap(), (0, 0));
    let revoked = provider.mind.lock().unwrap().revoked.clone();
    assert!(revoked.len() == 1 && revoked[0].starts_with("refresh-"), "{revoked:?}");

    // The same account elsewhere can be linked again; the end of a link takes a fresh sign-in, too.
    assert_eq!(visit(&platform, &provider, "acme", Some(&anna.token)).await.status, 201);
    let own = path(&linked(&platform, &anna.token).await);
    age(&platform, &anna).await;
    assert_eq!(platform.call("DELETE", &own, Some(&anna.token), None).await.status, 401);
}

/// With the account its links go, and what the provider has granted is revoked without naming anyone.
#[sqlx::test(migrations = false)]
async fn a_deleted_account_leaves_no_link(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    provider.set(|mind| mind.claims["sub"] = json!("subject-of-anna"));
    let (user, token) = arrive(&platform, &provider).await;
    let exported = platform.personal_data_of(id(&user), "linked_accounts").await;
    assert_eq!((exported.len(), &exported[0]["subject"]), (1, &json!("subject-of-anna")), "{exported:?}");
    assert!(exported[0].get("tokens").is_none() && exported[0].get("key_id").is_none(), "{exported:?}");
    // An attempt to link that is under way goes, too.
    let (_, fresh) = arrive_freshly(&platform, &provider).await;
    begin(&platform, "acme", Some(&fresh)).await;
    let gone = platform.call("DELETE", &format!("/users/{}", id(&user)), Some(&token), None).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    run(revoke(&platform)).await;
    assert_eq!(provider.mind.lock().unwrap().revoked.len(), 2, "of both sign-ins");
    assert_eq!(platform.finds("subject-of-anna").await, Vec::<String>::new());
    // Who comes again is new.
    let (again, _) = arrive(&platform, &provider).await;
    assert_ne!(again, user);
}

/// No table has a provider's token in it, and a replaced secret can be thrown away after a while.
#[sqlx::test(migrations = false)]
async fn tokens_are_stored_encrypted_and_change_their_key(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let (user, _) = arrive(&platform, &provider).await;
    let token = brokered(&platform, &user, "acme").await.body["access_token"].as_str().unwrap().to_owned();
    let hex = token.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    for form in [&token, &hex] {
        assert_eq!(platform.finds(form).await, Vec::<String>::new());
    }
    let before = stored(&platform, &user).await;
    let old = platform.app.tokens.settings.secret();
    let both = Keyring::new(["a new secret", old].into_iter()).unwrap();
    reencrypt(&platform.app.db, &both).await.unwrap();
    let changed = stored(&platform, &user).await;
    assert_eq!(changed.key_id, both.current());
    assert_ne!(changed.tokens, before.tokens);
    let new = Keyring::new(["a new secret"].into_iter()).unwrap();
    let text = String::from_utf8(new.open(&changed.sealed(), changed.id.as_bytes()).unwrap()).unwrap();
    assert!(text.contains(&token), "{text}");
    // A row that no key opens is reported and left, and does not hold the job up.
    reencrypt(&platform.app.db, &Keyring::new(["a third secret"].into_iter()).unwrap()).await.unwrap();
    let left = stored(&platform, &user).await;
    assert_eq!(left.tokens, changed.tokens);
}

/// Who takes a change of the password back is rid of the links that its thief has made since.
#[sqlx::test(migrations = false)]
async fn a_change_is_taken_back_with_the_links_after_it(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let anna = join_verified(&platform, "anna").await;
    let change = json!({ "current_password": PASSWORD, "new_password": "a thief's goose", "confirm_password": "a thief's goose" });
    let changed = platform.call("POST", "/auth/change-password", Some(&anna.token), Some(change)).await;
    let thief = changed.body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(visit(&platform, &provider, "acme", Some(&thief)).await.status, 201);
    assert_eq!(visit(&platform, &provider, "acme", None).await.status, 200);
    let token = token_to(&platform, &anna.email).await;
    let undone = platform.call("POST", "/auth/undo-change", None, Some(json!({ "token": token }))).await;
    assert_eq!(undone.status, 200, "{undone:?}");
    let refused = visit(&platform, &provider, "acme", None).await;
    assert_eq!(refused.status, 409, "the link is gone, and the address opens nothing: {refused:?}");
    run(revoke(&platform)).await;
    let revoked = provider.mind.lock().unwrap().revoked.len();
    assert_eq!(revoked, 3, "of the link, of the sign-in by it, and of the one that was refused");
    let changes = platform.published(LINKED_ACCOUNT_CHANGED).await;
    let linked: Vec<&Value> = changes.iter().map(|change| &change["linked"]).collect();
    assert_eq!(linked, [true, true, false], "linked, signed in by, and ended");
}

/// A thief at an open device who links first and changes the password then keeps no link; older links stay.
#[sqlx::test(migrations = false)]
async fn a_change_is_taken_back_with_the_links_just_before_it(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let anna = join_verified(&platform, "anna").await;
    let own = link(&platform, anna.id, "github").await;
    let older = format!("update linked_account set linked_at = linked_at - interval '73 hours' where id = '{own}'");
    platform.app.db.execute(AssertSqlSafe(older)).await.unwrap();
    assert_eq!(visit(&platform, &provider, "acme", Some(&anna.token)).await.status, 201);
    let change = json!({ "current_password": PASSWORD, "new_password": "a thief's goose", "confirm_password": "a thief's goose" });
    let changed = platform.call("POST", "/auth/change-password", Some(&anna.token), Some(change)).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let token = token_to(&platform, &anna.email).await;
    let undone = platform.call("POST", "/auth/undo-change", None, Some(json!({ "token": token }))).await;
    assert_eq!(undone.status, 200, "{undone:?}");
    let back = sign_in(&platform, &anna.email, PASSWORD).await;
    let links = linked(&platform, back.body["access_token"].as_str().unwrap()).await;
    assert_eq!((links.len(), &links[0]["provider"]), (1, &json!("github")), "{links:?}");
}

/// A refresh that is in flight stores what it got, although the key changes meanwhile; its row has its turn later.
#[sqlx::test(migrations = false)]
async fn a_change_of_the_key_waits_for_a_refresh(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let (user, _) = arrive(&platform, &provider).await;
    let db = &platform.app.db;
    let before = stored(&platform, &user).await;
    let claim = before.claim_refresh(db).await.unwrap().unwrap();
    let both = Keyring::new(["a new secret", platform.app.tokens.settings.secret()].into_iter()).unwrap();
    reencrypt(db, &both).await.unwrap();
    let refreshed = platform.providers.keyring.seal(b"refreshed", before.id.as_bytes()).unwrap();
    assert!(claim.store(db, &refreshed, "openid", None).await.unwrap(), "the refresh token of before is spent");
    reencrypt(db, &both).await.unwrap();
    let after = stored(&platform, &user).await;
    assert_eq!(after.key_id, both.current());
    assert_eq!(both.open(&after.sealed(), after.id.as_bytes()).unwrap(), b"refreshed");
}

/// A page of rows that no key opens does not keep the job from the rows after them.
#[sqlx::test(migrations = false)]
async fn a_change_of_the_key_passes_what_no_key_opens(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let (user, _) = arrive(&platform, &provider).await;
    let lost = Keyring::new(["a lost secret"].into_iter()).unwrap();
    let mut tx = platform.app.db.begin().await.unwrap();
    for n in 1..=100 {
        let (row, name) = (Uuid::from_u128(n), format!("old-{n}"));
        let sealed = lost.seal(b"{}", row.as_bytes()).unwrap();
        let state = LinkedState { name: None, email: None, scopes: "openid", tokens: &sealed, expires_at: None };
        let key = ProviderKey { issuer: &name, name: &name };
        LinkedAccount::create(&mut tx, row, id(&user), (key, &name), &state).await.unwrap();
    }
    tx.commit().await.unwrap();
    let both = Keyring::new(["a new secret", platform.app.tokens.settings.secret()].into_iter()).unwrap();
    reencrypt(&platform.app.db, &both).await.unwrap();
    assert_eq!(stored(&platform, &user).await.key_id, both.current());
}

/// A link to a provider that is not configured any more is no way in.
#[sqlx::test(migrations = false)]
async fn the_last_way_in_is_one_that_is_configured(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let (user, token) = arrive_freshly(&platform, &provider).await;
    let gone = link(&platform, id(&user), "gone").await;
    let kept = linked(&platform, &token).await[0]["id"].as_str().unwrap().to_owned();
    let last = platform.call("DELETE", &format!("/auth/linked-accounts/{kept}"), Some(&token), None).await;
    assert_eq!(last.status, 409, "{last:?}");
    let ended = platform.call("DELETE", &format!("/auth/linked-accounts/{gone}"), Some(&token), None).await;
    assert_eq!(ended.status, 204, "{ended:?}");
}

/// A provider that grants a refresh token with the first agreement alone leaves the stored one good.
#[sqlx::test(migrations = false)]
async fn a_sign_in_without_a_refresh_token_keeps_the_stored_one(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let (user, _) = arrive(&platform, &provider).await;
    let first = brokered(&platform, &user, "acme").await.body["access_token"].clone();
    provider.set(|mind| mind.grants_refresh = false);
    arrive(&platform, &provider).await;
    assert_ne!(brokered(&platform, &user, "acme").await.body["access_token"], first, "the access token is the new one");
    provider.set(|mind| mind.grants_refresh = true);
    StoredTokens::expire(&platform.app.db, id(&user)).await.unwrap();
    let refreshed = brokered(&platform, &user, "acme").await;
    assert_eq!((refreshed.status.as_u16(), provider.mind.lock().unwrap().refreshes), (200, 1), "{refreshed:?}");

    // While a refresh spends it, a sign-in leaves the tokens as they are, and the refresh stores the next one.
    let before = stored(&platform, &user).await;
    let claim = before.claim_refresh(&platform.app.db).await.unwrap().unwrap();
    provider.set(|mind| mind.grants_refresh = false);
    arrive(&platform, &provider).await;
    let next = platform.providers.keyring.seal(b"refreshed", before.id.as_bytes()).unwrap();
    assert!(claim.store(&platform.app.db, &next, "openid", None).await.unwrap());
}
