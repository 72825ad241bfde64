//! Watching: what is counted on the way from the outbox to the effect.
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::{drain, start};
use crate::core::testing::counted::Counted;

#[sqlx::test(migrations = false)]
async fn what_was_carried_applied_parked_and_heard_twice_is_counted(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.tell_all(1..=2).await;
    platform.tell(json!({ "n": 3, "fails": "permanently" })).await;
    let counted = Counted::begin();
    platform.told("conformance").await;
    drain(&mut platform.consumer()).await.unwrap();
    platform.redis(&["XGROUP", "SETID", "conformance", platform.app.service.group, "0"]).await;
    drain(&mut platform.consumer()).await.unwrap();
    let count = |name: &str, events| counted.assert(&format!("{name}{{stream=\"conformance\"}} {events}"));
    count("events_appended_total", 3);
    count("events_duplicate_total", 3);
    count("events_parked_total", 1);
    // What is put aside is done with, and has no effect.
    count("events_consumed_total", 3);
    count("events_effect_seconds_count", 2);
}
