//! How soon a change is in a page: what a reader did, in the very next one; what happened to others, as soon as its event is consumed.
use serde_json::json;
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::pages::count_queries;
use super::{NO_POSTS, World, ids, link};
use crate::blocks::events::{USER_BLOCKED, USER_UNBLOCKED};
use crate::core::ground::worker::Worker;
use crate::feeds::fan_out::schedulers::FeedWorker;
use crate::posts::events::POST_DELETED;

impl World {
    async fn change(&self, reader: Uuid, method: &str, path: &str) {
        let reply = self.platform.call(method, path, Some(&reader.to_string()), None).await;
        assert_eq!(reply.status, 204, "{method} {path}: {reply:?}");
    }
}

/// The worker is woken by the commit of a change, and one step of it is enough: what readers wait for is done before all else.
#[sqlx::test(migrations = false)]
async fn each_change_of_connections_blocks_and_mutes_is_in_the_page_behind_one_step(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let world = World::start(database, &[]).await;
    let [anna, bert] = [world.join("anna").await, world.join("bert").await];
    let post = world.post(bert).await;
    world.work().await;
    assert_eq!(world.feed(anna).await, NO_POSTS);
    let see = async |wanted: &[Uuid], why: &str| {
        // Others are published meanwhile.
        world.post(bert).await;
        FeedWorker(world.feeds()).step().await.unwrap();
        for turn in ["built", "from Redis"] {
            let mut seen = world.feed(anna).await;
            seen.retain(|seen| *seen == post);
            assert_eq!(seen, wanted, "{why}, {turn}");
        }
    };
    world.follow(anna, bert).await;
    see(&[post], "followed").await;
    world.unfollow(anna, bert).await;
    see(&[], "not followed any more").await;
    world.follow(anna, bert).await;
    see(&[post], "followed again").await;
    for (one, other) in [(anna, bert), (bert, anna)] {
        world.pair(USER_BLOCKED, one, other).await;
        see(&[], "blocked").await;
        world.pair(USER_UNBLOCKED, one, other).await;
        see(&[post], "not blocked any more").await;
    }
    let mute = format!("/me/mutes/{bert}");
    world.change(anna, "POST", &mute).await;
    see(&[], "muted").await;
    world.change(anna, "DELETE", &mute).await;
    see(&[post], "not muted any more").await;
}

/// Mutes and hidden posts are rows of this service, and pages look at them: no worker has a part in it.
#[sqlx::test(migrations = false)]
async fn what_a_reader_mutes_or_hides_is_gone_without_a_step(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert, carl] = [world.join("anna").await, world.join("bert").await, world.join("carl").await];
    world.follow(anna, bert).await;
    world.follow(anna, carl).await;
    let (first, second) = (world.post(bert).await, world.post(carl).await);
    world.edit().await;
    let pages = async |home: &[Uuid], explore: &[Uuid], why: &str| {
        assert_eq!(world.feed(anna).await, home, "{why}");
        assert_eq!(ids(&world.read(anna, "/feed/explore").await), explore, "{why}");
    };
    pages(&[second, first], &[second, first], "built").await;
    let (mute, hide) = (format!("/me/mutes/{carl}"), format!("/posts/{first}/hide"));
    world.change(anna, "POST", &mute).await;
    pages(&[first], &[first], "muted").await;
    world.change(anna, "DELETE", &mute).await;
    pages(&[second, first], &[second, first], "not muted any more").await;
    world.change(anna, "POST", &hide).await;
    pages(&[second], &[second], "hidden").await;
    assert_eq!(ids(&world.read(anna, &format!("/users/{bert}/feed")).await), NO_POSTS);
    world.change(anna, "DELETE", &hide).await;
    pages(&[second, first], &[second, first], "not hidden any more").await;
}

/// All workers stand still, and what lies in the feed in Redis above the posts that may be seen is more than a page.
#[sqlx::test(migrations = false)]
async fn a_page_is_full_whatever_lies_above_it_while_no_worker_runs(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert] = [world.join("anna").await, world.join("bert").await];
    world.follow(anna, bert).await;
    let mut shown = Vec::new();
    for _ in 0..6 {
        shown.push(world.post(bert).await);
    }
    shown.reverse();
    let mut others = Vec::new();
    for fate in ["archived", "deleted", "moderated", "limited", "blocked", "blocking", "muted", "hidden", "left"] {
        let author = world.join(fate).await;
        world.follow(anna, author).await;
        let posts = [world.post(author).await, world.post(author).await, world.post(author).await];
        others.push((fate, author, posts));
    }
    world.work().await;
    world.edit().await;
    assert_eq!(world.feed(anna).await.len(), 6 + 27);
    let kept = world.members(anna).await;

    for (fate, author, posts) in &others {
        for post in posts {
            match *fate {
                "archived" => world.turn(*post, *author, "ARCHIVED").await,
                "limited" => world.decide(*post, *author, 1, "LIMITED").await,
                "hidden" => world.change(anna, "POST", &format!("/posts/{post}/hide")).await,
                "deleted" | "moderated" => {
                    let mut end = world.version(*post, *author, "POSTED");
                    if *fate == "moderated" {
                        end["hidden_at"] = end["updated_at"].clone();
                    }
                    world.platform.consume(POST_DELETED, &end).await;
                }
                _ => {}
            }
        }
        match *fate {
            "blocked" => world.pair(USER_BLOCKED, anna, *author).await,
            "blocking" => world.pair(USER_BLOCKED, *author, anna).await,
            "muted" => world.change(anna, "POST", &format!("/me/mutes/{author}")).await,
            "left" => world.unfollow(anna, *author).await,
            _ => {}
        }
    }
    assert_eq!(world.members(anna).await, kept, "nothing is taken out yet");
    let page = world.read(anna, "/me/feed?limit=4").await;
    assert_eq!(ids(&page), shown[..4]);
    let next = world.read(anna, &link(&page, "next").unwrap()).await;
    assert_eq!((ids(&next), link(&next, "next")), (shown[4..].to_vec(), None));

    // Who has not been followed any more is one of all.
    let (_, _, left) = &others[8];
    let all = [left[2], left[1], left[0]].into_iter().chain(shown.iter().copied()).collect::<Vec<_>>();
    let page = world.read(anna, "/feed/explore?limit=5").await;
    let next = world.read(anna, &link(&page, "next").unwrap()).await;
    assert_eq!((ids(&page), ids(&next)), (all[..5].to_vec(), all[5..].to_vec()));
    world.turn(shown[0], bert, "ARCHIVED").await;
    let page = world.read(anna, &format!("/users/{bert}/feed?limit=4")).await;
    assert_eq!(ids(&page), shown[1..5]);
}

/// The newest of 5,000 authors, one of which has as many posts as all others: a feed is built within the time limit of its statements.
/// Their number does not depend on that of the authors or on the size of the page, and what is built is kept.
#[sqlx::test(migrations = false)]
async fn a_feed_of_5_000_connections_is_built_within_its_bounds(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &["--rate-limits", "off"]).await;
    let [few, many] = [world.join("few").await, world.join("many").await];
    let (author, prolific) = ("lpad(to_hex(n), 32, '0')::uuid", Uuid::from_u128(1));
    world
        .sql(&format!(
            "insert into follow (user_id, target_id, stands, at)
            select '{many}', {author}, true, now() from generate_series(1, 5000) as n;
            insert into follow (user_id, target_id, stands, at) values ('{few}', '{prolific}', true, now());
            insert into post_card (id, user_id, created_at, content, types, status, version, published_at)
            select gen_random_uuid(), {author}, now(), 'x', '{{NEWS}}', 'POSTED', now(),
                '2026-11-01'::timestamptz + make_interval(secs => n + 5000 * round) from generate_series(1, 5000) as n
            cross join generate_series(0, 1) as round;
            insert into post_card (id, user_id, created_at, content, types, status, version, published_at)
            select gen_random_uuid(), '{prolific}', now(), 'x', '{{NEWS}}', 'POSTED', now(),
                '2026-11-01'::timestamptz + make_interval(secs => n + 0.5) from generate_series(1, 10000) as n;
            analyze follow; analyze post_card"
        ))
        .await;
    let newest = "select id from post_card order by feed_key desc limit 200";
    let newest = sqlx::raw_sql(newest).fetch_all(&world.platform.app.db).await.unwrap();
    let newest: Vec<Uuid> = newest.iter().map(|row| row.get(0)).collect();
    let flush = async || {
        redis::cmd("FLUSHDB").query_async::<()>(&mut world.platform.app.redis.clone()).await.unwrap();
    };
    let mut statements = Vec::new();
    for (reader, limit) in [(few, 1), (few, 200), (many, 1), (many, 200)] {
        flush().await;
        let (page, counted) = count_queries(&world, reader, &format!("/me/feed?limit={limit}")).await;
        assert_eq!(ids(&page).len(), limit);
        if reader == many {
            assert_eq!(ids(&page), newest[..limit]);
        }
        statements.push(counted);
        let (again, counted) = count_queries(&world, reader, &format!("/me/feed?limit={limit}")).await;
        assert_eq!((ids(&again), counted), (ids(&page), 2), "it is kept");
    }
    assert!(statements.iter().all(|counted| *counted == statements[0] && *counted <= 6), "{statements:?}");
    assert_eq!(world.members(many).await.len(), 801);
}

/// A reader who is away for 14 days has no feed; what was published and what changed meanwhile is in the next page.
#[sqlx::test(migrations = false)]
async fn who_comes_back_after_a_long_time_misses_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert, carl] = [world.join("anna").await, world.join("bert").await, world.join("carl").await];
    world.follow(anna, bert).await;
    let first = world.post(bert).await;
    world.work().await;
    assert_eq!(world.feed(anna).await, [first]);
    // As Redis does it in the end.
    let feed = format!("feed:{}", anna.simple());
    redis::cmd("DEL").arg(&feed).query_async::<()>(&mut world.platform.app.redis.clone()).await.unwrap();
    let second = world.post(bert).await;
    let third = world.post(carl).await;
    world.follow(anna, carl).await;
    world.turn(first, bert, "ARCHIVED").await;
    world.work().await;
    assert!(world.members(anna).await.is_empty(), "what happens costs nothing for a reader who is away");
    for _ in 0..2 {
        assert_eq!(world.feed(anna).await, [third, second]);
    }
    assert_eq!(world.read(anna, "/me/feed").await.body[0]["author"]["username"], json!("carl"));
}
