//! The partitions of reactions: a table that has rows becomes a partitioned one, its last partition is cut, and all routes go on.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, Executor, Row};
use uuid::Uuid;

use super::models::LastPartition;
use super::schedulers::{PartitionMeter, cut};
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::counted::Counted;
use crate::core::testing::{Platform, new_user};
use crate::personal_data::USER_ERASED;
use crate::posts::events::{POST_CREATED, POST_DELETED};
use crate::posts::testing::{id, post, react, remove_all, start};
use crate::reactions::events::REACTION_DELETED;

/// The tables as they were before there were partitions.
const BEFORE: [&str; 2] =
    [include_str!("../../../migrations/0001_interactions.sql"), include_str!("../../../migrations/0009_people.sql")];
/// What makes partitions of them.
const PARTITIONS: [&str; 2] = [
    include_str!("../../../migrations/0080_reaction_partitions.sql"),
    include_str!("../../../migrations/0081_reaction_cuts.sql"),
];
/// An id as other implementations give one (version 4), behind every month.
const RANDOM_ID: &str = "f47ac10b-58cc-4372-a567-0e02b2c3d479";

async fn fetch(platform: &Platform, query: String) -> PgRow {
    platform.app.db.fetch_one(AssertSqlSafe(query)).await.unwrap()
}

/// The partitions with their bounds, in the order in which they were made.
async fn partitions(platform: &Platform) -> Vec<(String, String)> {
    let query = "select relname::text, pg_get_expr(relpartbound, oid) from pg_inherits join pg_class on oid = inhrelid
        where inhparent = 'reaction'::regclass order by oid";
    let rows = platform.app.db.fetch_all(query).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// In which partition a reaction is.
async fn partition_of(platform: &Platform, reaction: Uuid) -> String {
    fetch(platform, format!("select tableoid::regclass::text from reaction where id = '{reaction}'")).await.get(0)
}

/// A published post that was made now, or some days later.
async fn post_of_day(platform: &Platform, day: u32) -> Value {
    let mut made = post(new_user().1, "POSTED");
    if day > 0 {
        let later = fetch(platform, format!("select first_id_of(now() + interval '{day} days')")).await;
        made["id"] = json!(later.get::<Uuid, _>(0));
    }
    platform.consume(POST_CREATED, &made).await;
    made
}

/// Rows whose posts have ids of every kind are kept where they are, and the statements of the release before do what they did.
#[sqlx::test(migrations = false)]
async fn a_table_with_rows_becomes_its_own_first_partition(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let mut db = platform.app.db.acquire().await.unwrap();
    db.execute("create schema earlier; set search_path to earlier").await.unwrap();
    for file in BEFORE {
        db.execute(file).await.unwrap();
    }
    let ids = [Uuid::now_v7(), RANDOM_ID.parse().unwrap(), Uuid::nil(), Uuid::max()];
    for id in ids {
        let rows = format!(
            "insert into post values ('{id}', gen_random_uuid(), 'POSTED', now());
            insert into reaction (id, created_by, post_id, type) values (gen_random_uuid(), '{id}', '{id}', 'LIKE');
            insert into reaction (id, created_by, post_id, type)
            select gen_random_uuid(), gen_random_uuid(), '{id}', 'LOVE' from generate_series(1, 10)"
        );
        db.execute(AssertSqlSafe(rows)).await.unwrap();
    }
    let place = "select array_agg((id, ctid)::text order by id) from reaction";
    let places: Vec<String> = db.fetch_one(place).await.unwrap().get(0);
    for file in PARTITIONS {
        db.execute(file).await.unwrap();
    }
    assert_eq!(db.fetch_one(place).await.unwrap().get::<Vec<String>, _>(0), places, "no row has moved");
    for id in ids {
        let save = format!(
            "insert into reaction (id, created_by, post_id, type) values (gen_random_uuid(), '{id}', '{id}', 'SAD')
            on conflict on constraint reaction_post_id_created_by_key do update set type = excluded.type returning type"
        );
        assert_eq!(db.fetch_one(AssertSqlSafe(save)).await.unwrap().get::<String, _>(0), "SAD");
        let delete = format!("delete from reaction where post_id = '{id}'");
        assert_eq!(db.execute(AssertSqlSafe(delete)).await.unwrap().rows_affected(), 11);
    }
    let orphan = "insert into reaction (id, created_by, post_id, type)
        values (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'LIKE')";
    let refused = db.execute(orphan).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().constraint(), Some("reaction_post_id_fkey"));
    let indexes = "select count(*) from pg_index join pg_class on pg_class.oid = indrelid
        where relnamespace = 'earlier'::regnamespace and relname = 'reaction_first'";
    assert_eq!(db.fetch_one(indexes).await.unwrap().get::<i64, _>(0), 4, "none was built anew");
    // Its search path is another one now.
    db.close().await.unwrap();
}

/// Reactions to posts on both sides of a cut are made, changed, listed, exported and deleted alike.
#[sqlx::test(migrations = false)]
async fn all_goes_on_over_two_partitions(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let ((anna, her), (bert, his)) = (new_user(), new_user());
    let early = post_of_day(&platform, 0).await;
    let mut felt = vec![react(&platform, &anna, &early, "LIKE").await.body];
    cut(&platform.app.db, 1).await.unwrap();
    // The first post of the next partition, and one of a year that is far away.
    for day in [70, 4_000] {
        let late = post_of_day(&platform, day).await;
        felt.push(react(&platform, &anna, &late, "LIKE").await.body);
        assert_ne!(partition_of(&platform, id(felt.last().unwrap())).await, "reaction_first");
    }
    assert_eq!(partition_of(&platform, id(&felt[0])).await, "reaction_first");
    for reaction in &felt {
        let (about, own) = (reaction["post_id"].as_str().unwrap(), format!("/post-reactions/{}", id(reaction)));
        let twice = platform.call("POST", &format!("/{about}/post-reactions"), Some(&anna), Some(json!({}))).await;
        assert_eq!(twice.status, 400, "a user has one reaction to a post");
        let mine = format!("/{about}/post-reactions/mine");
        let changed = platform.call("PUT", &mine, Some(&anna), Some(json!({ "type": "SAD" }))).await;
        assert_eq!((&changed.body["id"], &changed.body["type"]), (&reaction["id"], &json!("SAD")));
        assert_eq!(platform.call("GET", &own, Some(&bert), None).await.body, changed.body);
        let listed = platform.call("GET", &format!("/{about}/post-reactions"), Some(&bert), None).await.body;
        assert_eq!(listed, json!([changed.body]));
        let other = platform.call("PUT", &mine, Some(&bert), Some(json!({ "type": "JOY" }))).await.body;
        let path = format!("/post-reactions/{}", id(&other));
        assert_eq!(platform.call("DELETE", &path, Some(&bert), None).await.status, 204);
        assert_eq!(platform.call("PUT", &mine, Some(&bert), Some(json!({ "type": "JOY" }))).await.status, 201);
    }
    assert_eq!(platform.personal_data_of(her, "reactions").await.len(), 3);
    platform.consume("user_deleted", &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00+00:00" })).await;
    platform.erase(her).await;
    assert_eq!(platform.published(USER_ERASED).await, [json!({ "user_id": her })]);
    assert_eq!(platform.personal_data_of(his, "reactions").await.len(), 3, "of others none is gone");
    platform.consume(POST_DELETED, &early).await;
    remove_all(&platform).await;
    let left = fetch(&platform, "select count(*), count(distinct tableoid) from reaction".to_owned()).await;
    assert_eq!((left.get::<i64, _>(0), left.get::<i64, _>(1)), (2, 1));
    let gone = platform.published(REACTION_DELETED).await;
    for reaction in felt {
        assert!(gone.iter().any(|event| event["id"] == reaction["id"]), "{reaction} is in {gone:?}");
    }
}

/// The next partition begins where the one before ends, a run more changes nothing, and a small partition is not cut.
#[sqlx::test(migrations = false)]
async fn a_large_partition_is_cut_once(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let whole = [("reaction_first".to_owned(), "FOR VALUES FROM (MINVALUE) TO (MAXVALUE)".to_owned())];
    assert_eq!(partitions(&platform).await, whole);
    cut(&platform.app.db, i64::MAX).await.unwrap();
    assert_eq!(partitions(&platform).await, whole);
    // Another replica is at it.
    let mut other = platform.app.db.begin().await.unwrap();
    assert!(other.fetch_one("select lock_reaction_cut()").await.unwrap().get::<bool, _>(0));
    cut(&platform.app.db, 1).await.unwrap();
    other.rollback().await.unwrap();
    assert_eq!(partitions(&platform).await, whole);
    for _ in 0..2 {
        cut(&platform.app.db, 1).await.unwrap();
    }
    let made = partitions(&platform).await;
    assert_eq!(made.len(), 2, "{made:?}");
    let end = made[0].1.strip_prefix("FOR VALUES FROM (MINVALUE) TO ").unwrap();
    assert_eq!(made[1].1, format!("FOR VALUES FROM {end} TO (MAXVALUE)"));
    let ahead = "select moment_of_id(begins_at) > now() + interval '27 days' and moment_of_id(begins_at) < now() + interval '63 days'
        and name = to_char(moment_of_id(begins_at) at time zone 'UTC', '\"reaction_\"YYYY_MM') from last_reaction_partition";
    assert!(fetch(&platform, ahead.to_owned()).await.get::<bool, _>(0));
    let invalid = "select count(*) from pg_index where not indisvalid";
    assert_eq!(fetch(&platform, invalid.to_owned()).await.get::<i64, _>(0), 0);
}

/// A process that ends between two steps leaves a cut that the next run finishes, however large the partition is.
#[sqlx::test(migrations = false)]
async fn a_cut_that_broke_off_is_finished(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let db = &platform.app.db;
    react(&platform, &new_user().0, &post_of_day(&platform, 0).await, "LIKE").await;
    assert!(LastPartition::begin_cut(db).await.unwrap());
    assert!(!LastPartition::begin_cut(db).await.unwrap(), "there is one");
    assert!(!LastPartition::finish_cut(db).await.unwrap(), "its rows were not read");
    let last = LastPartition::find(db).await.unwrap();
    assert!(last.is_cut && !last.is_void);
    assert_eq!(react(&platform, &new_user().0, &post_of_day(&platform, 0).await, "LIKE").await.status, 201);
    assert!(LastPartition::validate_cut(db).await.unwrap());
    assert!(!LastPartition::validate_cut(db).await.unwrap());
    cut(db, i64::MAX).await.unwrap();
    assert_eq!(partitions(&platform).await.len(), 2);
    assert_eq!(fetch(&platform, "select count(*) from reaction".to_owned()).await.get::<i64, _>(0), 2);
}

/// A check that outlived its month would refuse reactions to new posts.
#[sqlx::test(migrations = false)]
async fn a_cut_that_would_be_too_late_is_given_up(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let begun = "select begin_reaction_cut(now() + interval '3 days')";
    assert!(fetch(&platform, begun.to_owned()).await.get::<bool, _>(0));
    assert!(LastPartition::find(&platform.app.db).await.unwrap().is_void);
    cut(&platform.app.db, 1).await.unwrap();
    assert_eq!(react(&platform, &new_user().0, &post_of_day(&platform, 4).await, "LIKE").await.status, 201);
    cut(&platform.app.db, 1).await.unwrap();
    assert_eq!(partitions(&platform).await.len(), 2, "a later month");
}

/// Where posts have ids that say no time, all reactions stay in one partition, and none is refused.
#[sqlx::test(migrations = false)]
async fn nothing_is_cut_where_ids_say_no_time(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let mut other = post(new_user().1, "POSTED");
    other["id"] = json!(RANDOM_ID);
    platform.consume(POST_CREATED, &other).await;
    cut(&platform.app.db, 1).await.unwrap();
    assert_eq!(partitions(&platform).await.len(), 1);
    assert!(!LastPartition::find(&platform.app.db).await.unwrap().is_cut);
    assert_eq!(react(&platform, &new_user().0, &other, "LIKE").await.status, 201);
}

/// The first of them may come while a cut is under way.
#[sqlx::test(migrations = false)]
async fn a_cut_is_given_up_when_a_post_comes_whose_id_says_no_time(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    assert!(LastPartition::begin_cut(&platform.app.db).await.unwrap());
    let mut other = post(new_user().1, "POSTED");
    other["id"] = json!(RANDOM_ID);
    platform.consume(POST_CREATED, &other).await;
    for _ in 0..2 {
        cut(&platform.app.db, 1).await.unwrap();
        assert!(!LastPartition::find(&platform.app.db).await.unwrap().is_cut);
    }
    assert_eq!(partitions(&platform).await.len(), 1);
    assert_eq!(react(&platform, &new_user().0, &other, "LIKE").await.status, 201);
}

/// Posts with such ids may come later: they lie in the last partition.
#[sqlx::test(migrations = false)]
async fn ids_that_say_no_time_are_taken_after_a_cut(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    cut(&platform.app.db, 1).await.unwrap();
    let mut other = post(new_user().1, "POSTED");
    other["id"] = json!(RANDOM_ID);
    platform.consume(POST_CREATED, &other).await;
    let felt = react(&platform, &new_user().0, &other, "LIKE").await;
    assert_eq!(felt.status, 201);
    assert_ne!(partition_of(&platform, id(&felt.body)).await, "reaction_first");
}

#[sqlx::test(migrations = false)]
async fn the_last_partition_is_measured(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let bytes = LastPartition::find(&platform.app.db).await.unwrap().bytes;
    let counted = Counted::begin();
    let mut meter = PartitionMeter::new(&platform.app, bytes);
    assert!(matches!(meter.step().await.unwrap(), Outcome::Idle(_)));
    counted.assert("partition_fill_ratio{table=\"reaction\"} 1");
}
