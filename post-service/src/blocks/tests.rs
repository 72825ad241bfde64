//! Blocks, through their events and the routes of posts.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};
use uuid::Uuid;

use super::events::{USER_BLOCKED, USER_UNBLOCKED};
use super::models::delete_blocks;
use crate::SERVICE;
use crate::core::testing::{Platform, new_user};

#[sqlx::test(migrations = false)]
async fn a_block_hides_the_two_users_content_from_each_other(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, her), (bert, him)) = (new_user(), new_user());
    let write = async |token: &str| {
        let post = json!({ "content": "x", "types": [], "status": "POSTED" });
        platform.call("POST", "/posts", Some(token), Some(post)).await.body["id"].clone()
    };
    let (hers, his) = (write(&anna).await, write(&bert).await);
    let sees = async |token: &str, post: &Value| {
        let read = platform.call("GET", &format!("/posts/{}", post.as_str().unwrap()), Some(token), None).await;
        let list = platform.call("GET", "/posts", Some(token), None).await.body;
        let listed = list.as_array().unwrap().iter().any(|listed| listed["id"] == *post);
        assert_eq!(read.status == 200, listed, "the list and the post say the same");
        listed
    };
    let link = |at: &str| json!({ "user_id": her, "target_id": him, "at": format!("2026-11-20T12:00:0{at}+00:00") });
    platform.consume(USER_BLOCKED, &link("1")).await;
    assert_eq!([sees(&anna, &his).await, sees(&bert, &hers).await], [false, false]);
    assert_eq!([sees(&anna, &hers).await, sees(&bert, &his).await], [true, true]);
    let (stranger, _) = new_user();
    assert!(sees(&stranger, &hers).await);
    // The end of a later block overtakes its beginning: no block is active afterwards.
    platform.consume(USER_UNBLOCKED, &link("5")).await;
    platform.consume(USER_BLOCKED, &link("3")).await;
    assert_eq!([sees(&anna, &his).await, sees(&bert, &hers).await], [true, true]);
}

/// A block that is consumed after one of the two was erased would bring their id back, and is not stored.
#[sqlx::test(migrations = false)]
async fn a_late_block_of_an_erased_user_is_not_stored(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let [anna, bert, carl] = [(); 3].map(|()| Uuid::now_v7());
    platform.erase(anna).await;
    for (user, target) in [(anna, bert), (bert, anna), (bert, carl)] {
        let link = json!({ "user_id": user, "target_id": target, "at": "2026-11-20T12:00:01+00:00" });
        platform.consume(USER_BLOCKED, &link).await;
    }
    let block = format!("{}.block", crate::SERVICE.schema);
    assert!(platform.finds(&carl.to_string()).await.contains(&block));
    assert!(!platform.finds(&anna.to_string()).await.contains(&block));
}

/// However many have blocked a user, one step of their erasure deletes a page of it, and all steps together delete all.
#[sqlx::test(migrations = false)]
async fn the_blocks_of_an_erased_user_are_deleted_in_pages(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let anna = Uuid::now_v7();
    let block = async |pair: &str, pairs: i64| {
        let rows = format!(
            "insert into block (user_id, target_id, stands, at) select {pair}, true, now() from generate_series(1, {pairs})"
        );
        platform.app.db.execute(AssertSqlSafe(rows)).await.unwrap();
    };
    let (by_her, of_her) = (format!("'{anna}', gen_random_uuid()"), format!("gen_random_uuid(), '{anna}'"));
    for (pair, pairs) in [(by_her.as_str(), 3), (of_her.as_str(), 3), ("gen_random_uuid(), gen_random_uuid()", 1)] {
        block(pair, pairs).await;
    }
    let mut tx = platform.app.db.begin().await.unwrap();
    for (more, left) in [(true, 3), (true, 1), (false, 1)] {
        assert_eq!(delete_blocks(&mut tx, anna, 2).await.unwrap(), more);
        let rows = tx.fetch_one("select count(*) from block").await.unwrap();
        assert_eq!(rows.get::<i64, _>(0), left);
    }
    tx.rollback().await.unwrap();
    block(&of_her, 20_000).await;
    platform.erase(anna).await;
    let left = platform.app.db.fetch_one("select count(*) from block").await.unwrap();
    assert_eq!(left.get::<i64, _>(0), 1);
}
