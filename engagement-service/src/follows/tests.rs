//! Connections, through their events.
use serde_json::json;
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::{USER_CONNECTED, USER_DISCONNECTED};
use crate::SERVICE;
use crate::core::testing::Platform;

#[sqlx::test(migrations = false)]
async fn the_newest_beginning_or_end_of_a_connection_counts(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let [anna, bert] = [(); 2].map(|()| Uuid::now_v7());
    let link =
        |second: u8| json!({ "user_id": anna, "target_id": bert, "at": format!("2026-11-20T12:00:0{second}+00:00") });
    let stands = async || {
        let row = sqlx::raw_sql("select stands from follow").fetch_one(&platform.app.db).await.unwrap();
        row.get::<bool, _>(0)
    };
    platform.consume(USER_DISCONNECTED, &link(3)).await;
    platform.consume(USER_CONNECTED, &link(1)).await;
    assert!(!stands().await, "the beginning came behind the end");
    platform.consume(USER_CONNECTED, &link(3)).await;
    assert!(!stands().await, "a connection that began and ended at one time is none");
    platform.consume(USER_CONNECTED, &link(4)).await;
    assert!(stands().await);
    platform.erase(bert).await;
    platform.consume(USER_CONNECTED, &link(5)).await;
    let rows = sqlx::raw_sql("select from follow").fetch_all(&platform.app.db).await.unwrap();
    assert_eq!(rows.len(), 0, "nothing is connected to who left");
}
