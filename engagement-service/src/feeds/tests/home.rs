//! What a home feed and an author's feed show, and what not.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{NO_POSTS, World, ids};
use crate::blocks::events::{USER_BLOCKED, USER_UNBLOCKED};
use crate::core::testing::link::{Link, State};
use crate::posts::events::{POST_DELETED, POST_VIEWED};
use crate::reactions::events::REACTION_CREATED;

#[sqlx::test(migrations = false)]
async fn a_feed_has_the_posts_of_connections_and_ones_own_complete(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert, carl] = [world.join("anna").await, world.join("bert").await, world.join("carl").await];
    world.follow(anna, bert).await;
    let (theirs, own) = (world.post(bert).await, world.post(anna).await);
    world.post(carl).await;
    let reaction = json!({ "id": Uuid::now_v7(), "created_at": world.now(), "created_by": anna, "updated_at": world.now(),
        "updated_by": null, "post_id": theirs, "type": "LOVE" });
    world.platform.consume(REACTION_CREATED, &reaction).await;
    world.platform.consume(POST_VIEWED, &json!({ "id": theirs, "viewed_by": anna })).await;
    for turn in ["built", "read from Redis"] {
        world.work().await;
        let reply = world.read(anna, "/me/feed").await;
        assert_eq!(ids(&reply), [own, theirs], "{turn}");
        let item = &reply.body[1];
        assert_eq!(
            item["author"],
            json!({ "id": bert, "username": "bert", "first_name": "bert", "last_name": null, "avatar_url": null })
        );
        assert_eq!(
            [&item["total_views"], &item["total_comments"], &item["total_reactions"], &item["my_reaction"]],
            [&json!(1), &json!(0), &json!(1), &json!("LOVE")]
        );
        assert_eq!((&item["content"], &item["types"]), (&json!(format!("by {bert}")), &json!(["NEWS"])));
        assert_eq!((&reply.body[0]["my_reaction"], &reply.body[0]["total_views"]), (&Value::Null, &json!(0)));
    }
    // A count that is below zero for a moment is shown as none.
    world.sql("update post_count set reactions = -3").await;
    assert_eq!(world.read(anna, "/me/feed").await.body[1]["total_reactions"], 0);
}

/// The jobs that take posts out of feeds wait here, as they do while Redis is away: what may not be seen is not shown all the same.
#[sqlx::test(migrations = false)]
async fn nothing_is_shown_that_its_reader_may_not_see_while_jobs_wait(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert, carl] = [world.join("anna").await, world.join("bert").await, world.join("carl").await];
    world.follow(anna, bert).await;
    world.follow(anna, carl).await;
    let (old, new, other) = (world.post(bert).await, world.post(bert).await, world.post(carl).await);
    world.work().await;
    assert_eq!(world.feed(anna).await, [other, new, old]);
    let token = anna.to_string();
    let call = async |method: &str, path: String| {
        assert_eq!(world.platform.call(method, &path, Some(&token), None).await.status, 204, "{path}");
    };

    world.turn(new, bert, "ARCHIVED").await;
    assert_eq!(world.feed(anna).await, [other, old]);
    world.turn(new, bert, "POSTED").await;
    assert_eq!(world.feed(anna).await, [other, new, old], "at its old place");
    let mut found = world.version(new, bert, "POSTED");
    found["hidden_at"] = found["updated_at"].clone();
    world.platform.consume(POST_DELETED, &found).await;
    assert_eq!(world.feed(anna).await, [other, old], "moderation has hidden it");
    world.platform.consume(POST_DELETED, &world.version(old, bert, "POSTED")).await;
    assert_eq!(world.feed(anna).await, [other]);

    call("POST", format!("/me/mutes/{carl}")).await;
    assert_eq!(world.feed(anna).await, NO_POSTS);
    call("DELETE", format!("/me/mutes/{carl}")).await;
    assert_eq!(world.feed(anna).await, [other]);
    call("POST", format!("/posts/{other}/hide")).await;
    assert_eq!(world.feed(anna).await, NO_POSTS);
    call("DELETE", format!("/posts/{other}/hide")).await;
    world.pair(USER_BLOCKED, carl, anna).await;
    assert_eq!(world.feed(anna).await, NO_POSTS, "the other side has blocked her");
    world.pair(USER_UNBLOCKED, carl, anna).await;
    assert_eq!(world.feed(anna).await, [other]);
    world.unfollow(anna, carl).await;
    assert_eq!(world.feed(anna).await, NO_POSTS);
}

#[sqlx::test(migrations = false)]
async fn a_change_of_connections_mutes_and_blocks_is_in_the_next_page(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert] = [world.join("anna").await, world.join("bert").await];
    let (post, token) = (world.post(bert).await, anna.to_string());
    let see = async |wanted: &[Uuid], why: &str| {
        world.work().await;
        assert_eq!(world.feed(anna).await, wanted, "{why}");
        assert_eq!(world.feed(anna).await, wanted, "{why}, from Redis");
    };
    see(&[], "she reads no one").await;
    world.follow(anna, bert).await;
    see(&[post], "older posts are there after a follow").await;
    world.platform.call("POST", &format!("/me/mutes/{bert}"), Some(&token), None).await;
    see(&[], "muted").await;
    world.platform.call("DELETE", &format!("/me/mutes/{bert}"), Some(&token), None).await;
    see(&[post], "not muted any more").await;
    world.pair(USER_BLOCKED, anna, bert).await;
    see(&[], "blocked").await;
    world.pair(USER_UNBLOCKED, anna, bert).await;
    see(&[post], "not blocked any more").await;
    world.platform.call("POST", &format!("/posts/{post}/hide"), Some(&token), None).await;
    see(&[], "hidden").await;
    world.platform.consume("user_deleted", &json!({ "id": bert, "deleted_at": world.now() })).await;
    world.platform.erase(bert).await;
    world.platform.call("DELETE", &format!("/posts/{post}/hide"), Some(&token), None).await;
    see(&[], "the author has left").await;
}

#[sqlx::test(migrations = false)]
async fn an_authors_feed_is_what_the_reader_may_see_of_them(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert] = [world.join("anna").await, world.join("bert").await];
    let (first, second) = (world.post(bert).await, world.post(bert).await);
    let draft = Uuid::now_v7();
    world.turn(draft, bert, "DRAFT").await;
    let path = format!("/users/{bert}/feed");
    assert_eq!(ids(&world.read(anna, &path).await), [second, first], "a draft is the author's own affair");
    world.turn(draft, bert, "POSTED").await;
    assert_eq!(ids(&world.read(anna, &path).await), [draft, second, first], "it enters when it is published");
    // Who mutes keeps an author out of their feed, and may look them up.
    world.platform.call("POST", &format!("/me/mutes/{bert}"), Some(&anna.to_string()), None).await;
    assert_eq!(ids(&world.read(anna, &path).await), [draft, second, first]);
    let page = world.read(anna, &format!("{path}?limit=2")).await;
    let next = world.read(anna, &super::link(&page, "next").unwrap()).await;
    assert_eq!((ids(&page), ids(&next)), (vec![draft, second], vec![first]));
    assert_eq!(super::link(&next, "next"), None);

    world.pair(USER_BLOCKED, bert, anna).await;
    for (reader, author) in [(anna, bert), (bert, anna), (anna, Uuid::now_v7())] {
        let path = format!("/users/{author}/feed");
        let reply = world.platform.call("GET", &path, Some(&reader.to_string()), None).await;
        assert_eq!((reply.status.as_u16(), &reply.body["detail"]), (404, &json!("User not found")));
    }
}

#[sqlx::test(migrations = false)]
async fn while_redis_is_away_a_page_comes_from_postgres(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let (link, url) = Link::before(&world.platform.app.settings.redis_url).await;
    let url = secrecy::ExposeSecret::expose_secret(&url).to_owned();
    let [anna, bert] = [world.join("anna").await, world.join("bert").await];
    world.follow(anna, bert).await;
    let first = world.post(bert).await;
    world.work().await;
    let far = World::of(world.platform.beside(&["--feed-redis-url", &url]));
    assert_eq!(far.feed(anna).await, [first]);
    link.set(State::Cut);
    let second = world.post(bert).await;
    assert_eq!(far.feed(anna).await, [second, first]);
    // The job fails and waits; it is there when Redis is back.
    let mut worker = crate::feeds::fan_out::schedulers::FeedWorker(far.feeds());
    let failed = crate::core::ground::worker::Worker::step(&mut worker).await;
    assert!(failed.is_err(), "{failed:?}");
    link.set(State::Open);
    world.work().await;
    assert_eq!(world.members(anna).await.len(), 3, "its state and two posts");
}
