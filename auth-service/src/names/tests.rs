//! Folded names in the database: every name is found, also one that was written past the service.
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::folding::VERSION;
use super::schedulers::NameFolder;
use crate::testing::{finish, join, start};

/// The version and the text that a person is found by, and their keys.
async fn folded(db: &PgPool, id: uuid::Uuid) -> (i16, String, Vec<String>) {
    let row = sqlx::query!(
        r#"select folding, text, array(select key from search_key where user_id = $1 order by key) as "keys!: Vec<String>"
        from search_name where user_id = $1"#,
        id
    );
    let row = row.fetch_one(db).await.unwrap();
    (row.folding, row.text, row.keys)
}

/// An older release writes names and folds none; so did the rows of before.
#[sqlx::test(migrations = false)]
async fn names_that_were_written_past_the_service_are_folded_by_the_worker(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database, &[]).await;
    let db = &platform.app.db;
    let anna = join(&platform, "anna").await;
    assert_eq!(folded(db, anna.id).await, (VERSION, String::new(), Vec::new()), "with the sign-up");
    sqlx::query!("update account set first_name = 'İNCİ', last_name = 'Ærø' where id = $1", anna.id)
        .execute(db)
        .await
        .unwrap();
    assert_eq!(folded(db, anna.id).await.0, 0);
    finish(NameFolder::new(&platform.app)).await;
    let keys = ["aeroinci", "inciaero"].map(str::to_owned).to_vec();
    assert_eq!(folded(db, anna.id).await, (VERSION, "inci aero".into(), keys));
    sqlx::query!("update account set total_followers = 1 where id = $1", anna.id).execute(db).await.unwrap();
    assert_eq!(folded(db, anna.id).await.0, VERSION, "a counter is no name");
}

/// Two workers and a person who changes their name: each row is folded once, and the last name counts.
#[sqlx::test(migrations = false)]
async fn a_row_that_another_transaction_folds_is_left_to_it(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let db = &platform.app.db;
    let anna = join(&platform, "anna").await;
    let mut tx = db.begin().await.unwrap();
    sqlx::query!("update account set first_name = 'Zoë' where id = $1", anna.id).execute(&mut *tx).await.unwrap();
    finish(NameFolder::new(&platform.app)).await;
    super::models::refold(&mut tx, &[anna.id]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(folded(db, anna.id).await, (VERSION, "zoe".into(), vec!["zoe".into()]));
}

#[sqlx::test(migrations = false)]
async fn what_a_person_was_found_by_goes_with_them(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let body = serde_json::json!({ "first_name": "Unverwechselbar", "last_name": "王" });
    platform.call("PATCH", "/users/me", Some(&anna.token), Some(body)).await;
    assert_eq!(folded(&platform.app.db, anna.id).await.2, ["unverwechselbar王", "王unverwechselbar"]);
    assert_eq!(platform.call("DELETE", &format!("/users/{}", anna.id), Some(&anna.token), None).await.status, 204);
    let left = sqlx::query_scalar!(
        r#"select (select count(*) from search_name) + (select count(*) from search_key) as "rows!""#
    );
    assert_eq!(left.fetch_one(&platform.app.db).await.unwrap(), 0);
}
