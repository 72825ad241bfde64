//! The parts of the outbox: an old day leaves it as a whole, and nothing else does.
use serde_json::json;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};

use crate::SERVICE;
use crate::core::events::outbox::list_numbered;
use crate::core::events::tests::{STREAM, dense, start};
use crate::core::events::{Id, numbering, retention};
use crate::core::ground::database;
use crate::core::testing::Platform;

/// The part that holds what was written before there were parts.
const FROM_BEFORE: i32 = 10;

impl Platform {
    /// Lets an event have been written some days ago, into a part.
    async fn age(&self, n: i64, part: i32, days: i32) {
        let age = format!(
            "update outbox set slot = {part}, occurred_at = now() - interval '{days} days' where message->>'n' = '{n}'"
        );
        let aged = self.app.db.execute(AssertSqlSafe(age)).await.unwrap();
        assert_eq!(aged.rows_affected(), 1);
    }

    /// Runs the retention; the events that the outbox still has.
    async fn kept(&self) -> Vec<i64> {
        retention::run_retention(&self.app).await.unwrap();
        let kept = "select (message->>'n')::bigint from outbox order by seq";
        self.app.db.fetch_all(kept).await.unwrap().iter().map(|row| row.get(0)).collect()
    }
}

#[sqlx::test(migrations = false)]
async fn the_outbox_forgets_only_what_is_old_and_published(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_all(0..4).await;
    platform.published(STREAM).await;
    platform.publish_all([4]).await;
    for (n, part, days) in [(0, 1, 9), (1, 1, 8), (2, 2, 8), (3, 2, 6), (4, 3, 8)] {
        platform.age(n, part, days).await;
    }
    assert_eq!(platform.kept().await, [2, 3, 4], "a part stays as long as one of its events has to");
    platform.age(3, 2, 8).await;
    assert_eq!(platform.kept().await, [4], "it is not published");
    platform.published(STREAM).await;
    assert!(platform.kept().await.is_empty());
    // What is gone is not published again, and numbering goes on.
    platform.publish_all([5]).await;
    platform.published(STREAM).await;
    assert_eq!(platform.ids().await.last().unwrap(), "6-0");
}

#[sqlx::test(migrations = false)]
async fn what_is_not_published_keeps_its_part_and_all_later_ones(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_all([1]).await;
    platform.age(1, 9, 9).await;
    // Numbered by a relay that died before it appended.
    let mut redis = platform.app.redis.clone();
    numbering::number(&platform.app.db, &mut redis, STREAM, Id::default()).await.unwrap();
    assert_eq!(platform.kept().await, [1]);
    platform.published(STREAM).await;
    // Of a stream that no relay of this release publishes.
    let foreign = "update outbox set stream = 'elsewhere', pos = null where pos = 1";
    platform.app.db.execute(foreign).await.unwrap();
    platform.publish_all([2]).await;
    platform.published(STREAM).await;
    platform.age(2, 0, 8).await;
    assert_eq!(platform.kept().await, [1, 2], "a stream never has a hole");
    platform.app.db.execute("delete from outbox where stream = 'elsewhere'").await.unwrap();
    assert!(platform.kept().await.is_empty());
}

#[sqlx::test(migrations = false)]
async fn a_part_that_a_transaction_holds_is_left_for_the_next_run(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_all([1]).await;
    platform.published(STREAM).await;
    platform.age(1, 4, 8).await;
    let mut writer = platform.app.db.begin().await.unwrap();
    let late = "insert into outbox (event_id, stream, message, slot)
        values (gen_random_uuid(), 'conformance', '{\"n\": 2}', 4)";
    writer.execute(late).await.unwrap();
    assert_eq!(platform.kept().await, [1]);
    // Writers of other parts are not held up by either.
    platform.publish_all([3]).await;
    platform.age(3, 6, 0).await;
    writer.commit().await.unwrap();
    assert_eq!(platform.kept().await, [1, 2, 3], "its part is not old any more");
    platform.published(STREAM).await;
    platform.age(2, 4, 8).await;
    let mut backup = platform.app.db.begin().await.unwrap();
    backup.execute("lock table outbox_4 in access share mode").await.unwrap();
    assert_eq!(platform.kept().await, [1, 2, 3]);
    backup.rollback().await.unwrap();
    assert_eq!(platform.kept().await, [3]);
}

/// Redis was away until the day came round to the same part.
#[sqlx::test(migrations = false)]
async fn a_part_that_comes_round_with_old_events_loses_none(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_all([1]).await;
    platform.age(1, 5, 10).await;
    platform.publish_all([2]).await;
    platform.age(2, 5, 0).await;
    assert_eq!(platform.kept().await, [1, 2]);
    assert_eq!(platform.published(STREAM).await, [json!({ "n": 1 }), json!({ "n": 2 })]);
    assert_eq!(platform.kept().await, [1, 2], "the newer one may be needed");
    platform.age(2, 5, 8).await;
    assert!(platform.kept().await.is_empty());
}

/// The tables of the release before, with rows, become those of this one.
#[sqlx::test(migrations = false)]
async fn events_from_before_the_parts_are_published_handed_out_and_forgotten(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let first = SERVICE.migrations.iter().position(|migration| migration.description == "outbox slots").unwrap();
    let before = SERVICE.migrations.iter().take(first).cloned().collect();
    let mut before = Migrator::with_migrations(before);
    before.set_locking(false);
    let options = database::options(database.clone(), SERVICE.schema);
    let db = database::pool(options.clone(), 2);
    database::prepare(&db, &options, SERVICE.schema, &before).await.unwrap();
    let write = "insert into outbox (event_id, stream, message)
        select gen_random_uuid(), 'conformance', json_build_object('n', n) from generate_series(1, 3) as n order by n";
    db.execute(write).await.unwrap();
    db.close().await;

    let platform = start(database).await;
    platform.publish_all([4]).await;
    let parts = platform.app.db.fetch_all("select slot = 10, seq from outbox order by seq").await.unwrap();
    let parts: Vec<(bool, i64)> = parts.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(parts, [(true, 1), (true, 2), (true, 3), (false, 4)], "numbers go on");
    assert_eq!(platform.published(STREAM).await, [1, 2, 3, 4].map(|n| json!({ "n": n })));
    assert_eq!(platform.ids().await, dense(4));
    let handed_out = list_numbered(&platform.app.db, STREAM, Id::default()).await.unwrap();
    assert_eq!(handed_out.iter().map(|event| event.id.as_str()).collect::<Vec<_>>(), dense(4));
    for n in 1..=3 {
        platform.age(n, FROM_BEFORE, 8).await;
    }
    assert_eq!(platform.kept().await, [4]);
}
