//! The fan-out: what enters which feeds, crashes, and authors with very many followers.
use futures::StreamExt;
use secrecy::ExposeSecret;
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{NO_POSTS, World};
use crate::blocks::events::{USER_BLOCKED, USER_UNBLOCKED};
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::counted::Counted;
use crate::feeds::fan_out::models::FanOut;
use crate::feeds::fan_out::schedulers::{CLAIM, FeedBacklogGauges, FeedWorker, PAGE};
use crate::posts::events::{POST_CREATED, POST_UPDATED};

#[sqlx::test(migrations = false)]
async fn a_post_enters_the_feeds_that_are_kept_and_no_other(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert, away] = [world.join("anna").await, world.join("bert").await, world.join("away").await];
    world.follow(anna, bert).await;
    world.follow(away, bert).await;
    world.work().await;
    assert_eq!(world.feed(anna).await, NO_POSTS);
    let redis = redis::Client::open(world.platform.app.settings.redis_url.expose_secret()).unwrap();
    let mut news = redis.get_async_pubsub().await.unwrap();
    news.subscribe("feed:news").await.unwrap();
    let post = world.post(bert).await;
    world.work().await;
    let key = world.members(anna).await.remove(1);
    assert_eq!(key[6..], post.as_bytes()[6..]);
    assert!(world.members(away).await.is_empty(), "who does not read has no feed");
    let mut news = news.into_on_message();
    let holds = |named: &[u8], reader: Uuid| named.chunks_exact(16).any(|id| id == reader.as_bytes());
    // Other tests publish on the same channel.
    let named = loop {
        let message = news.next().await.unwrap();
        let ids = message.get_payload_bytes();
        if holds(ids, anna) {
            break ids.to_vec();
        }
    };
    assert!(holds(&named, away), "who has no feed may have an open stream");

    world.turn(post, bert, "ARCHIVED").await;
    world.work().await;
    assert_eq!(world.members(anna).await.len(), 1, "it has left");
    world.turn(post, bert, "POSTED").await;
    world.work().await;
    assert_eq!(world.members(anna).await[1..], [key]);
}

/// They filled the feed with what no page shows, and woke live streams for nothing.
#[sqlx::test(migrations = false)]
async fn posts_of_muted_and_blocked_authors_enter_no_feed(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, other] = [world.join("anna").await, world.join("other").await];
    let [muted, blocked, blocking] =
        [world.join("muted").await, world.join("blocked").await, world.join("blocking").await];
    for author in [muted, blocked, blocking] {
        world.follow(anna, author).await;
        world.follow(other, author).await;
    }
    let mute = async |method: &str| {
        let reply = world.platform.call(method, &format!("/me/mutes/{muted}"), Some(&anna.to_string()), None).await;
        assert_eq!(reply.status, 204, "{reply:?}");
    };
    mute("POST").await;
    world.pair(USER_BLOCKED, anna, blocked).await;
    world.pair(USER_BLOCKED, blocking, anna).await;
    world.work().await;
    for reader in [anna, other] {
        assert_eq!(world.feed(reader).await, NO_POSTS);
    }
    let counted = Counted::begin();
    let [first, second, third] = [world.post(muted).await, world.post(blocked).await, world.post(blocking).await];
    world.work().await;
    assert_eq!(world.members(anna).await.len(), 1, "its state alone");
    assert_eq!(world.members(other).await.len(), 4);
    counted.assert("feed_entries_added_total 3");

    // The end of each brings the posts of the meantime.
    let see = async |wanted: &[Uuid]| {
        world.work().await;
        assert_eq!(world.feed(anna).await, wanted, "built");
        assert_eq!(world.feed(anna).await, wanted, "from Redis");
        assert_eq!(world.members(anna).await.len(), 1 + wanted.len());
    };
    mute("DELETE").await;
    see(&[first]).await;
    world.pair(USER_UNBLOCKED, anna, blocked).await;
    see(&[second, first]).await;
    world.pair(USER_UNBLOCKED, blocking, anna).await;
    see(&[third, second, first]).await;
    let fourth = world.post(muted).await;
    see(&[fourth, third, second, first]).await;
}

#[sqlx::test(migrations = false)]
async fn the_order_of_events_and_their_repetition_change_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert] = [world.join("anna").await, world.join("bert").await];
    world.follow(anna, bert).await;
    world.work().await;
    world.feed(anna).await;
    let post = Uuid::now_v7();
    let [draft, posted, edited] = ["DRAFT", "POSTED", "POSTED"].map(|status| world.version(post, bert, status));
    world.platform.consume(POST_UPDATED, &edited).await;
    world.work().await;
    let late = world.members(anna).await.remove(1);
    // The earlier publication is consumed behind the later one: the post moves to its place.
    for version in [&posted, &draft, &edited, &posted] {
        world.platform.consume(if *version == draft { POST_CREATED } else { POST_UPDATED }, version).await;
    }
    world.work().await;
    let members = world.members(anna).await;
    assert_eq!(members.len(), 2, "{members:?}");
    assert!(members[1] < late);
    assert_eq!(world.feed(anna).await, [post]);
    let row = sqlx::raw_sql("select count(*) from fan_out").fetch_one(&world.platform.app.db).await.unwrap();
    assert_eq!(row.get::<i64, _>(0), 0);
}

#[sqlx::test(migrations = false)]
async fn a_crash_halfway_repeats_a_page_and_loses_none(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let bert = world.join("bert").await;
    let followers = 2 * PAGE + 500;
    world
        .sql(&format!(
            "insert into follow (user_id, target_id, stands, at)
        select lpad(to_hex(n), 32, '0')::uuid, '{bert}', true, now() from generate_series(1, {followers}) as n"
        ))
        .await;
    let all: Vec<Uuid> = (1..=u128::try_from(followers).unwrap()).map(Uuid::from_u128).collect();
    for reader in [all[0], all[999], all[1000], all[2499]] {
        assert_eq!(world.feed(reader).await, NO_POSTS);
    }
    let post = world.post(bert).await;
    let db = &world.platform.app.db;
    let mut worker = FeedWorker(world.feeds());
    assert_eq!(worker.step().await.unwrap(), Outcome::Busy);
    // Another worker takes the second page and dies.
    let job = FanOut::claim(db, CLAIM).await.unwrap().unwrap();
    assert_eq!(job.done_to, all[999]);
    world.feeds().cache.spread(&all[1000..1500], job.enters, &[]).await.unwrap();
    assert!(FanOut::claim(db, CLAIM).await.unwrap().is_none(), "no two are at one job");
    assert!(matches!(worker.step().await.unwrap(), Outcome::Idle(_)));
    world.sql("update fan_out set free_at = now()").await;
    assert_eq!(worker.step().await.unwrap(), Outcome::Busy);
    // While the last page is under way, the post changes: nothing that was begun before counts.
    let job = FanOut::claim(db, CLAIM).await.unwrap().unwrap();
    world.turn(post, bert, "ARCHIVED").await;
    job.finish(db).await.unwrap();
    let row = sqlx::raw_sql("select done_to, enters from fan_out").fetch_one(db).await.unwrap();
    assert_eq!((row.get::<Uuid, _>(0), row.get::<Option<Uuid>, _>(1)), (Uuid::nil(), None));
    world.turn(post, bert, "POSTED").await;
    let counted = Counted::begin();
    FeedBacklogGauges(world.feeds()).step().await.unwrap();
    counted.assert("feed_jobs_waiting 1");
    world.work().await;
    for reader in [all[0], all[999], all[1000], all[2499]] {
        assert_eq!(world.members(reader).await.len(), 2, "{reader}");
    }
    counted.assert("feed_entries_added_total 1");
}

/// A worker that took longer than its claim changes nothing that another worker, or a newer job of the same post, has begun.
#[sqlx::test(migrations = false)]
async fn a_late_worker_undoes_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let bert = world.join("bert").await;
    let post = world.post(bert).await;
    let db = &world.platform.app.db;
    // A claim of no seconds is over at once.
    let late = FanOut::claim(db, 0.0).await.unwrap().unwrap();
    let next = FanOut::claim(db, CLAIM).await.unwrap().unwrap();
    assert_eq!((late.post_id, late.revision), (next.post_id, next.revision));
    late.release(db).await.unwrap();
    late.advance(db, Uuid::max()).await.unwrap();
    late.finish(db).await.unwrap();
    assert!(FanOut::claim(db, CLAIM).await.unwrap().is_none(), "the other worker still has it");
    let done_to = async || {
        let rows = sqlx::raw_sql("select done_to from fan_out").fetch_all(db).await.unwrap();
        rows.iter().map(|row| row.get::<Uuid, _>(0)).collect::<Vec<_>>()
    };
    assert_eq!(done_to().await, [Uuid::nil()]);
    next.advance(db, Uuid::max()).await.unwrap();
    assert_eq!(done_to().await, [Uuid::max()]);
    // When the job is done, the next one of the post counts its revisions from the beginning.
    FanOut::claim(db, CLAIM).await.unwrap().unwrap().finish(db).await.unwrap();
    assert_eq!(done_to().await, Vec::<Uuid>::new());
    world.turn(post, bert, "ARCHIVED").await;
    next.finish(db).await.unwrap();
    assert_eq!(done_to().await, [Uuid::nil()]);
}

#[sqlx::test(migrations = false)]
async fn a_big_authors_posts_are_looked_up_and_not_copied(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &["--feed-big-author", "2"]).await;
    let star = world.join("star").await;
    let small = world.join("small").await;
    let mut readers = Vec::new();
    for name in ["anna", "bert", "carl"] {
        let reader = world.join(name).await;
        world.follow(reader, star).await;
        if name != "carl" {
            world.follow(reader, small).await;
        }
        readers.push(reader);
    }
    world.unfollow(readers[2], star).await;
    world.work().await;
    let see = async |wanted: &[Uuid], kept: usize, why: &str| {
        world.work().await;
        for reader in &readers[..2] {
            assert_eq!(world.feed(*reader).await, wanted, "{why}");
            assert_eq!(world.members(*reader).await.len() - 1, kept, "{why}");
        }
    };
    see(&[], 0, "nothing is there").await;
    let first = world.post(star).await;
    see(&[first], 1, "two followers are few").await;
    world.follow(readers[2], star).await;
    let second = world.post(star).await;
    let between = world.post(small).await;
    see(&[between, second, first], 2, "three are many").await;
    assert_eq!(world.feed(readers[2]).await, [second, first]);
    // A page that ends among the looked up posts neither skips nor repeats any.
    let page = world.read(readers[0], "/me/feed?limit=1").await;
    let next = world.read(readers[0], &super::link(&page, "next").unwrap()).await;
    let last = world.read(readers[0], &super::link(&next, "next").unwrap()).await;
    assert_eq!([super::ids(&page), super::ids(&next), super::ids(&last)], [[between], [second], [first]]);
    let since = world.read(readers[0], &super::link(&last, "prev").unwrap()).await;
    assert_eq!(super::ids(&since), [second]);

    world.unfollow(readers[2], star).await;
    let third = world.post(star).await;
    see(&[third, between, second, first], 2, "two are not few enough yet").await;
    world.unfollow(readers[1], star).await;
    let fourth = world.post(star).await;
    world.work().await;
    assert_eq!(world.feed(readers[0]).await, [fourth, third, between, second, first]);
    assert_eq!(world.members(readers[0]).await.len() - 1, 5, "copied again");
}
