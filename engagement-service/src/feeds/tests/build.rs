//! The build of feeds, and what becomes of them when Redis has lost them, or when they have very many posts or connections.
use redis::AsyncCommands;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{NO_POSTS, World, ids, link};
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::counted::Counted;
use crate::feeds::cache::{CAPACITY, FeedLookup};
use crate::feeds::drops::models::{FeedDrop, FullDrop};
use crate::feeds::drops::schedulers::RedisWatch;
use crate::feeds::fan_out::schedulers::{DROPS, FeedBacklogGauges, FeedWorker};
use crate::feeds::pages::Place;

#[sqlx::test(migrations = false)]
async fn a_feed_is_the_same_after_redis_has_lost_its_memory(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert, carl] = [world.join("anna").await, world.join("bert").await, world.join("carl").await];
    world.follow(anna, bert).await;
    world.work().await;
    assert_eq!(world.feed(anna).await, NO_POSTS);
    let (first, second) = (world.post(bert).await, world.post(bert).await);
    world.work().await;
    let members = world.members(anna).await;
    assert_eq!(members.len(), 3);
    redis::cmd("FLUSHDB").query_async::<()>(&mut world.platform.app.redis.clone()).await.unwrap();
    let counted = Counted::begin();
    assert_eq!(world.feed(anna).await, [second, first]);
    assert_eq!(world.members(anna).await, members);
    assert_eq!(world.feed(anna).await, [second, first]);
    counted.assert("feed_pages_total{source=\"build\"} 1");
    counted.assert("feed_pages_total{source=\"redis\"} 1");
    counted.assert("feed_builds_total{outcome=\"kept\"} 1");
    world.follow(anna, carl).await;
    world.work().await;
    assert!(world.members(anna).await.is_empty(), "a new connection has it built anew");
}

/// A build that began before a connection ended once would have kept the feed with the posts of that connection.
#[sqlx::test(migrations = false)]
async fn a_build_that_was_overtaken_is_thrown_away(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert] = [world.join("anna").await, world.join("bert").await];
    world.follow(anna, bert).await;
    world.work().await;
    let feeds = world.feeds();
    let Some(FeedLookup::Missing(mark)) = feeds.cache.read(anna, Place::TOP, 10).await else {
        panic!("it is not there")
    };
    let Some(FeedLookup::Missing(same)) = feeds.cache.read(anna, Place::TOP, 10).await else {
        panic!("it is being built")
    };
    assert_eq!(mark, same, "two that build at once build one");
    let published = world.post(bert).await;
    world.work().await;
    let old = Uuid::from_u128(5 << 100);
    feeds.cache.finish(anna, &mark, &[old], true, false).await;
    let members = world.members(anna).await;
    assert_eq!(members.len(), 3, "what was published during the build is in it: {members:?}");
    assert_eq!(members[2][6..], published.as_bytes()[6..]);

    world.unfollow(anna, bert).await;
    world.work().await;
    let Some(FeedLookup::Missing(mark)) = feeds.cache.read(anna, Place::TOP, 10).await else {
        panic!("it was dropped")
    };
    world.follow(anna, bert).await;
    world.work().await;
    let counted = Counted::begin();
    feeds.cache.finish(anna, &mark, &[], true, false).await;
    counted.assert("feed_builds_total{outcome=\"dropped\"} 1");
    assert!(world.members(anna).await.is_empty());
    assert_eq!(world.feed(anna).await, [published]);
}

#[sqlx::test(migrations = false)]
async fn a_page_beyond_what_redis_keeps_goes_on_in_postgres(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert] = [world.join("anna").await, world.join("bert").await];
    world.follow(anna, bert).await;
    world.work().await;
    // As the platform's own Redis has it, so that a feed is one packed list.
    let mut packed = redis::cmd("CONFIG");
    packed.arg("SET").arg("zset-max-listpack-entries").arg(1024);
    packed.query_async::<()>(&mut world.platform.app.redis.clone()).await.unwrap();
    let posts = CAPACITY + 150;
    world
        .sql(&format!(
            "insert into post_card (id, user_id, created_at, content, types, status, version, published_at)
        select gen_random_uuid(), '{bert}', now(), 'x', '{{NEWS}}', 'POSTED', now(),
            '2026-11-01'::timestamptz + make_interval(secs => n) from generate_series(1, {posts}) as n"
        ))
        .await;
    let walk = async || {
        let (mut seen, mut path) = (Vec::new(), Some("/me/feed?limit=100".to_owned()));
        while let Some(page) = path {
            let reply = world.read(anna, &page).await;
            seen.extend(ids(&reply));
            path = link(&reply, "next");
        }
        seen
    };
    let seen = walk().await;
    assert_eq!(i64::try_from(seen.len()).unwrap(), posts);
    let mut distinct = seen.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), seen.len());
    let kept = usize::try_from(CAPACITY).unwrap();
    assert_eq!(world.members(anna).await.len(), 1 + kept);

    // A new post pushes the oldest out; one that comes back from before them does not tear a hole.
    let new = world.post(bert).await;
    let (oldest, author) = (seen[seen.len() - 1], bert);
    world.turn(oldest, author, "ARCHIVED").await;
    world.work().await;
    world.turn(oldest, author, "POSTED").await;
    world.work().await;
    assert_eq!(world.members(anna).await.len(), 1 + kept);
    let expected: Vec<Uuid> = [new].into_iter().chain(seen).collect();
    assert_eq!(walk().await, expected);
    // Upwards from the depth of Postgres, too.
    let path = Place::After(Uuid::nil());
    let oldest_first = world.feeds().home_keys(anna, path, 3).await.unwrap();
    let of = |key: &Uuid| expected.iter().position(|id| id.as_bytes()[6..] == key.as_bytes()[6..]).unwrap();
    assert_eq!(oldest_first.iter().map(of).collect::<Vec<_>>(), [950, 949, 948]);

    let mut memory = redis::cmd("MEMORY");
    memory.arg("USAGE").arg(format!("feed:{}", anna.simple())).arg("SAMPLES").arg(0);
    let bytes: usize = memory.query_async(&mut world.platform.app.redis.clone()).await.unwrap();
    assert!(bytes / kept <= 25, "{bytes} bytes for {kept} entries");
}

#[sqlx::test(migrations = false)]
async fn a_feed_of_very_many_connections_is_kept_for_minutes(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &["--feed-many-connections", "2"]).await;
    let reader = world.join("reader").await;
    let mut authors = Vec::new();
    for name in ["anna", "bert", "carl"] {
        authors.push(world.join(name).await);
        world.follow(reader, authors[authors.len() - 1]).await;
        world.work().await;
        assert_eq!(world.feed(reader).await, NO_POSTS);
        let left: i64 = world.platform.app.redis.clone().pttl(format!("feed:{}", reader.simple())).await.unwrap();
        let expected = if authors.len() > 2 { 600_000 } else { 14 * 86_400_000 };
        assert!((expected - 60_000..=expected).contains(&left), "{} connections: {left} ms", authors.len());
    }
    let post = world.post(authors[0]).await;
    world.work().await;
    assert_eq!(world.members(reader).await.len(), 2, "while it is kept it is up to date");
    // A read keeps it alive.
    let name = format!("feed:{}", reader.simple());
    let _: bool = world.platform.app.redis.clone().pexpire(&name, 400_000).await.unwrap();
    assert_eq!(world.feed(reader).await, [post]);
    let left: i64 = world.platform.app.redis.clone().pttl(&name).await.unwrap();
    assert!(left > 540_000, "{left}");
}

#[sqlx::test(migrations = false)]
async fn no_feed_outlives_the_run_of_its_redis(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let (ann, bert) = (world.join("ann").await, world.join("bert").await);
    world.follow(ann, bert).await;
    let post = world.post(bert).await;
    world.work().await;
    assert_eq!(world.feed(ann).await, [post]);
    let watch = async || RedisWatch::new(world.feeds()).step().await.unwrap();
    watch().await;
    watch().await;
    world.work().await;
    assert_eq!(world.members(ann).await.len(), 2, "it is the same run");
    world.sql("update feed_redis set run_id = 'the one before'").await;
    watch().await;
    world.work().await;
    assert_eq!(world.members(ann).await.len(), 0, "it may have lost what was written last");
    assert_eq!(world.feed(ann).await, [post]);
}

#[sqlx::test(migrations = false)]
async fn all_feeds_are_dropped_in_pages_that_a_restart_goes_on_with(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    // Readers are people, and users who are not known but for a connection or a post.
    world
        .sql(&format!(
            "insert into person (id, status, version)
            select lpad(to_hex(n), 32, '0')::uuid, 'ACTIVE', now() from generate_series(1, {}) as n;
            insert into follow (user_id, target_id, stands, at)
            select lpad(to_hex({DROPS} + n), 32, '0')::uuid, '{}', true, now() from generate_series(1, 10) as n;
            insert into post_card (id, user_id, created_at, content, types, status, version, published_at)
            select gen_random_uuid(), lpad(to_hex({DROPS} + 11), 32, '0')::uuid, now(), 'x', '{{NEWS}}', 'POSTED', now(), now()
            from generate_series(1, 10)",
            DROPS - 1,
            Uuid::max()
        ))
        .await;
    let id = |number: i64| Uuid::from_u128(u128::try_from(number).unwrap());
    let (early, last_of_page, late) = (id(1), id(DROPS + 1), id(DROPS + 11));
    let readers = [early, last_of_page, late];
    let count = async || {
        let mut kept = Vec::new();
        for reader in readers {
            kept.push(!world.members(reader).await.is_empty());
        }
        kept
    };
    let read = async || {
        for reader in readers {
            world.feed(reader).await;
        }
        assert_eq!(count().await, [true, true, true]);
    };
    let db = &world.platform.app.db;
    let order = async || {
        let mut tx = db.begin().await.unwrap();
        FeedDrop::create_for_all(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    };
    let step = async || FeedWorker(world.feeds()).step().await.unwrap();
    read().await;
    order().await;
    assert!(FeedDrop::list(db, 1).await.unwrap().is_empty(), "no row for each of them");
    let counted = Counted::begin();
    FeedBacklogGauges(world.feeds()).step().await.unwrap();
    counted.assert("feed_jobs_waiting 1");
    assert_eq!(step().await, Outcome::Busy);
    assert_eq!(count().await, [false, false, true], "a page");
    world.feed(early).await;
    assert_eq!(step().await, Outcome::Busy);
    assert_eq!(count().await, [true, false, false], "another worker goes on, and does not begin again");
    assert!(matches!(step().await, Outcome::Idle(_)));

    // An order that comes meanwhile begins anew, and a worker at a page of the one before does not end it.
    read().await;
    order().await;
    step().await;
    let late_worker = FullDrop::find(db).await.unwrap().unwrap();
    read().await;
    order().await;
    late_worker.advance(db, Uuid::max()).await.unwrap();
    late_worker.finish(db).await.unwrap();
    world.work().await;
    assert_eq!(count().await, [false, false, false]);
    assert!(FullDrop::find(db).await.unwrap().is_none());
}
