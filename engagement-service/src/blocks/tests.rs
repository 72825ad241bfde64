//! Blocks, through their events.
use serde_json::json;
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::{USER_BLOCKED, USER_UNBLOCKED};
use crate::SERVICE;
use crate::core::testing::Platform;

#[sqlx::test(migrations = false)]
async fn a_block_hides_two_users_from_each_other_until_its_end(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let [anna, bert] = [(); 2].map(|()| Uuid::now_v7());
    let link =
        |second: u8| json!({ "user_id": anna, "target_id": bert, "at": format!("2026-11-20T12:00:0{second}+00:00") });
    let hidden = async || {
        let both = sqlx::raw_sql("select hidden(user_id, target_id), hidden(target_id, user_id) from block");
        let row = both.fetch_one(&platform.app.db).await.unwrap();
        (row.get::<bool, _>(0), row.get::<bool, _>(1))
    };
    platform.consume(USER_BLOCKED, &link(1)).await;
    assert_eq!(hidden().await, (true, true));
    // The end of a later block overtakes its beginning.
    platform.consume(USER_UNBLOCKED, &link(5)).await;
    platform.consume(USER_BLOCKED, &link(3)).await;
    assert_eq!(hidden().await, (false, false));
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
