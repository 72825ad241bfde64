//! The posts of followed tags in home feeds.
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{NO_POSTS, World};
use crate::blocks::events::USER_BLOCKED;
use crate::posts::events::{POST_CREATED, POST_UPDATED};

impl World {
    /// A new post with tags.
    async fn tagged(&self, author: Uuid, tags: &[&str]) -> Uuid {
        let id = Uuid::now_v7();
        let mut version = self.version(id, author, "POSTED");
        version["tags"] = json!(tags);
        version["item"] = json!({ "kind": "LINK", "url": "https://x.example/" });
        version["facets"] = json!([{ "kind": "TAG", "value": "Rust", "byte_start": 0, "byte_end": 5, "utf16_start": 0,
            "utf16_end": 5 }]);
        self.platform.consume(POST_CREATED, &version).await;
        id
    }

    async fn tag(&self, method: &str, reader: Uuid, path: &str) {
        let reply = self.platform.call(method, path, Some(&reader.to_string()), None).await;
        assert_eq!(reply.status, 204, "{method} {path}: {reply:?}");
        self.work().await;
    }
}

#[sqlx::test(migrations = false)]
async fn the_posts_of_a_followed_tag_are_in_the_feed_each_once(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let (anna, bert, carl) = (world.join("anna").await, world.join("bert").await, world.join("carl").await);
    world.follow(anna, bert).await;
    let old = world.tagged(carl, &["rust"]).await;
    world.work().await;
    assert_eq!(world.feed(anna).await, NO_POSTS);
    world.tag("PUT", anna, "/me/tags/Rust").await;
    assert_eq!(world.feed(anna).await, [old], "also those that were there before");
    let by_bert = world.tagged(bert, &["rust", "go"]).await;
    let by_carl = world.tagged(carl, &["rust"]).await;
    let other = world.tagged(carl, &["go"]).await;
    let untagged = world.post(bert).await;
    world.work().await;
    let all = [untagged, by_carl, by_bert, old];
    assert_eq!(world.feed(anna).await, all);
    assert!(!world.feed(anna).await.contains(&other));
    let item = &world.read(anna, "/me/feed").await.body[1];
    assert_eq!(item["item"]["url"], "https://x.example/");
    assert_eq!((&item["tags"], &item["facets"][0]["value"]), (&json!(["rust"]), &json!("Rust")));
    world.tag("PUT", anna, "/me/tags/go").await;
    assert_eq!(
        world.feed(anna).await,
        [untagged, other, by_carl, by_bert, old],
        "two tags and a connection show it once"
    );
    world.tag("DELETE", anna, "/me/tags/rust").await;
    assert_eq!(world.feed(anna).await, [untagged, other, by_bert]);
}

#[sqlx::test(migrations = false)]
async fn pages_of_followed_tags_go_on_where_the_one_before_ended(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let (anna, bert, carl) = (world.join("anna").await, world.join("bert").await, world.join("carl").await);
    world.follow(anna, bert).await;
    world.tag("PUT", anna, "/me/tags/rust").await;
    let mut expected = Vec::new();
    for n in 0..30 {
        expected.push(if n % 3 == 0 { world.post(bert).await } else { world.tagged(carl, &["rust"]).await });
    }
    world.work().await;
    expected.reverse();
    // Once from Postgres, as the feed is built, and once from Redis.
    for _ in 0..2 {
        let (mut found, mut path) = (Vec::new(), Some("/me/feed?limit=7".to_owned()));
        while let Some(next) = path {
            let page = world.read(anna, &next).await;
            found.extend(super::ids(&page));
            path = super::link(&page, "next");
        }
        assert_eq!(found, expected);
    }
    // What comes in since is found upwards.
    let first = world.read(anna, "/me/feed?limit=7").await;
    let news = world.tagged(carl, &["rust"]).await;
    world.work().await;
    let since = world.read(anna, &super::link(&first, "prev").unwrap()).await;
    assert_eq!(super::ids(&since), [news]);
}

#[sqlx::test(migrations = false)]
async fn what_a_reader_does_not_want_or_may_not_see_stays_out(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let (anna, bert, carl, dora) =
        (world.join("anna").await, world.join("bert").await, world.join("carl").await, world.join("dora").await);
    world.tag("PUT", anna, "/me/tags/rust").await;
    let by_bert = world.tagged(bert, &["rust"]).await;
    let by_carl = world.tagged(carl, &["rust"]).await;
    let by_dora = world.tagged(dora, &["rust"]).await;
    assert_eq!(world.feed(anna).await, [by_dora, by_carl, by_bert]);
    world.tag("POST", anna, &format!("/me/mutes/{bert}")).await;
    assert_eq!(world.feed(anna).await, [by_dora, by_carl]);
    world.pair(USER_BLOCKED, carl, anna).await;
    world.work().await;
    assert_eq!(world.feed(anna).await, [by_dora]);
    world.tag("POST", anna, &format!("/posts/{by_dora}/hide")).await;
    assert_eq!(world.feed(anna).await, NO_POSTS);
    world.tag("DELETE", anna, &format!("/posts/{by_dora}/hide")).await;
    assert_eq!(world.feed(anna).await, [by_dora]);
    world.turn(by_dora, dora, "ARCHIVED").await;
    assert_eq!(world.feed(anna).await, NO_POSTS);
    let mut version = world.version(by_dora, dora, "POSTED");
    version["tags"] = json!(["rust"]);
    world.platform.consume(POST_UPDATED, &version).await;
    assert_eq!(world.feed(anna).await, [by_dora]);
    world
        .sql(&format!("insert into moderated_post (post_id, author, limited) values ('{by_dora}', '{dora}', true)"))
        .await;
    assert_eq!(world.feed(anna).await, NO_POSTS, "a limited post is in its author's feed alone");
}
