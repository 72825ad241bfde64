//! Sessions and links that end while a sign-in, a link or the end of another link waits for the lock of the account.
use futures::future::join;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, PgTransaction, Row};
use uuid::Uuid;

use super::provider::{CLIENT, IdentityProvider, SECRET};
use super::tokens::{arrive_freshly, id};
use super::{begin, finish, link, linked, oidc, start_linked, start_with, visit};
use crate::linked_accounts::models::LinkedAccount;
use crate::sessions::Reason;
use crate::sessions::models::Session;
use crate::testing::{PASSWORD, Posted, detail, join_verified, sign_in};
use crate::users::models::Account;

const UNKNOWN: &str =
    "This sign-in was not begun in this browser, is over, or took longer than 10 minutes; begin again";

/// Commits a change as soon as a request waits for its locks.
async fn commit_when_awaited(platform: &Posted, tx: PgTransaction<'static>) {
    let waiting = "select count(*) > 0 as waiting from pg_locks join pg_stat_activity using (pid)
        where not granted and datname = current_database()";
    while !platform.app.db.fetch_one(waiting).await.unwrap().get::<bool, _>("waiting") {
        tokio::task::yield_now().await;
    }
    tx.commit().await.unwrap();
}

/// A session that ends while the provider is asked links nothing.
#[sqlx::test(migrations = false)]
async fn a_session_that_ends_meanwhile_links_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let anna = join_verified(&platform, "anna").await;
    let attempt = begin(&platform, "acme", Some(&anna.token)).await;
    let back = provider.agree(&attempt.url);
    let mut tx = platform.app.db.begin().await.unwrap();
    Account::lock(&mut tx, anna.id).await.unwrap().unwrap();
    Session::end_all(&mut tx, anna.id, Reason::SignedOutEverywhere).await.unwrap();
    let finished = finish(&platform, &attempt, Some(&anna.token), &back);
    let (reply, ()) = join(finished, commit_when_awaited(&platform, tx)).await;
    assert_eq!(detail(&reply), (400, &json!(UNKNOWN)));
    let again = sign_in(&platform, &anna.email, PASSWORD).await;
    let token = again.body["access_token"].as_str().unwrap();
    assert_eq!(linked(&platform, token).await, Vec::<Value>::new());
}

/// A link that ends while its person signs in by it opens nothing.
#[sqlx::test(migrations = false)]
async fn a_link_that_ends_meanwhile_opens_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let anna = join_verified(&platform, "anna").await;
    let reply = visit(&platform, &provider, "acme", Some(&anna.token)).await;
    let link: Uuid = serde_json::from_value(reply.body["id"].clone()).unwrap();
    let mut tx = platform.app.db.begin().await.unwrap();
    Account::lock(&mut tx, anna.id).await.unwrap().unwrap();
    LinkedAccount::delete(&mut tx, link, anna.id).await.unwrap().unwrap();
    let signed_in = visit(&platform, &provider, "acme", None);
    let (reply, ()) = join(signed_in, commit_when_awaited(&platform, tx)).await;
    assert_eq!(detail(&reply), (400, &json!(UNKNOWN)));
}

/// Of two requests that end the last two links at once, one leaves a way in.
#[sqlx::test(migrations = false)]
async fn of_the_last_two_links_one_stays(_: PgPoolOptions, database: PgConnectOptions) {
    let (first, second) = (IdentityProvider::start().await, IdentityProvider::start().await);
    let other = json!({ "name": "other", "title": "Other", "issuer": second.url, "client_id": CLIENT, "client_secret": SECRET });
    let platform = start_with(database, json!([oidc(&first), other]), &[]).await;
    let (user, token) = arrive_freshly(&platform, &first).await;
    link(&platform, id(&user), "other").await;
    let links = linked(&platform, &token).await;
    let unlink = async |place: usize| {
        let path = format!("/auth/linked-accounts/{}", links[place]["id"].as_str().unwrap());
        platform.call("DELETE", &path, Some(&token), None).await.status.as_u16()
    };
    // What ends a link waits for this, so that both are under way.
    let mut tx = platform.app.db.begin().await.unwrap();
    sqlx::raw_sql("select from linked_account for update").execute(&mut *tx).await.unwrap();
    let ((one, two), ()) = join(join(unlink(0), unlink(1)), commit_when_awaited(&platform, tx)).await;
    assert_eq!((one.min(two), one.max(two)), (204, 409));
    assert_eq!(linked(&platform, &token).await.len(), 1);
}
