//! Explore: ranks, interests, editions.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{NO_POSTS, World, ids, link};
use crate::blocks::events::USER_BLOCKED;
use crate::core::ground::worker::Worker;
use crate::feeds::explore::schedulers::EditionWorker;
use crate::people::events::USER_UPDATED;
use crate::posts::events::{POST_CREATED, POST_VIEWED};

impl World {
    /// Makes an edition as if a minute had passed.
    pub async fn edit(&self) {
        self.sql("update explore_edition set made_at = made_at - interval '1 minute'").await;
        EditionWorker(self.platform.app.clone()).step().await.unwrap();
    }

    /// A post of a category, some hours before the others.
    async fn post_of(&self, author: Uuid, category: &str, hours: i64) -> Uuid {
        let mut post = self.version(Uuid::now_v7(), author, "POSTED");
        post["types"] = json!([category]);
        post["published_at"] = json!(self.now() - chrono::TimeDelta::hours(hours));
        self.platform.consume(POST_CREATED, &post).await;
        post["id"].as_str().unwrap().parse().unwrap()
    }

    async fn reactions(&self, post: Uuid, number: u32) {
        let count = format!(
            "insert into post_count (post_id, reactions) values ('{post}', {number})
            on conflict (post_id) do update set reactions = excluded.reactions"
        );
        self.sql(&count).await;
    }
}

#[sqlx::test(migrations = false)]
async fn the_best_and_freshest_come_first_and_interests_before_them(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert, carl] = [world.join("anna").await, world.join("bert").await, world.join("carl").await];
    assert_eq!(world.read(anna, "/feed/explore").await.body, json!([]), "before the first edition");
    let good = world.post_of(bert, "NEWS", 12).await;
    let plain = world.post_of(bert, "NEWS", 0).await;
    let liked = world.post_of(carl, "FOOD", 13).await;
    let stale = world.post_of(carl, "BOOKS", 48).await;
    world.post_of(anna, "NEWS", 0).await;
    world.reactions(good, 9).await;
    world.reactions(liked, 9).await;
    world.edit().await;
    let explore = async || ids(&world.read(anna, "/feed/explore").await);
    assert_eq!(explore().await, [good, plain, liked, stale], "ten times as much lifts as far as 12.5 hours");
    let interests = json!({ "id": anna, "username": "anna", "first_name": null, "last_name": null, "avatar_url": null,
        "interests": ["BOOKS", "FOOD"], "status": "ACTIVE", "updated_at": world.now() });
    world.platform.consume(USER_UPDATED, &interests).await;
    assert_eq!(explore().await, [liked, stale, good, plain]);
    world.turn(liked, carl, "ARCHIVED").await;
    assert_eq!(explore().await, [stale, good, plain], "what is not public any more is left out");
    world.platform.call("POST", &format!("/posts/{good}/hide"), Some(&anna.to_string()), None).await;
    assert_eq!(explore().await, [stale, plain]);
    world.platform.call("POST", &format!("/me/mutes/{carl}"), Some(&anna.to_string()), None).await;
    assert_eq!(explore().await, [plain]);
    world.pair(USER_BLOCKED, bert, anna).await;
    assert_eq!(explore().await, NO_POSTS);
}

/// Who reloads a page raises the views that are shown, and no rank.
#[sqlx::test(migrations = false)]
async fn repeated_views_lift_no_post(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert] = [world.join("anna").await, world.join("bert").await];
    let viewed = world.post_of(bert, "NEWS", 1).await;
    let plain = world.post_of(bert, "NEWS", 0).await;
    for (repeated, order, shown) in [(true, [plain, viewed], 5), (false, [viewed, plain], 10)] {
        for _ in 0..5 {
            let view = json!({ "id": viewed, "viewed_by": anna, "repeated": repeated });
            world.platform.consume(POST_VIEWED, &view).await;
        }
        world.edit().await;
        let page = world.read(anna, "/feed/explore").await;
        assert_eq!(ids(&page), order, "repeated: {repeated}");
        let item = page.body.as_array().unwrap().iter().find(|item| item["id"] == json!(viewed)).unwrap();
        assert_eq!(item["total_views"], shown);
    }
}

#[sqlx::test(migrations = false)]
async fn pages_stay_in_their_edition_until_it_is_gone(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert] = [world.join("anna").await, world.join("bert").await];
    let mut posts = Vec::new();
    for hours in 0..4 {
        posts.push(world.post_of(bert, "NEWS", 24 * hours).await);
    }
    world.edit().await;
    let first = world.read(anna, "/feed/explore?limit=2").await;
    assert_eq!((ids(&first), link(&first, "prev")), (posts[..2].to_vec(), None));
    let rest = link(&first, "next").unwrap();
    world.reactions(posts[3], 10_000_000).await;
    let new = world.post_of(bert, "NEWS", 0).await;
    world.edit().await;
    let second = world.read(anna, &rest).await;
    assert_eq!((ids(&second), link(&second, "next")), (posts[2..].to_vec(), None), "as it was");
    let newer = world.read(anna, &link(&second, "prev").unwrap()).await;
    assert_eq!(ids(&newer), [posts[3], new]);
    // Of two replicas one makes an edition, and the second finds it.
    EditionWorker(world.platform.app.clone()).step().await.unwrap();
    assert_eq!(link(&world.read(anna, "/feed/explore").await, "prev"), None);

    world.sql("update explore_edition set made_at = made_at - interval '2 hours'").await;
    world.edit().await;
    let gone = world.platform.call("GET", &rest, Some(&anna.to_string()), None).await;
    assert_eq!(gone.status, 410);
    let words = "This list is too old; start again without a cursor";
    assert_eq!(gone.body["detail"], Value::from(words));
}
