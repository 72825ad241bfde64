//! What moderation has decided about posts, in the feeds of others and of their authors.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{NO_POSTS, World, ids};
use crate::moderated_posts::events::{CONTENT_LABELLED, MODERATION_DECIDED};
use crate::posts::events::POST_CREATED;

impl World {
    /// Lets moderation decide about a post.
    pub async fn decide(&self, post: Uuid, author: Uuid, version: i64, visibility: &str) {
        let decision = json!({ "id": Uuid::now_v7(), "at": self.now(), "subject_type": "POST", "subject_id": post,
            "author": author, "version": version, "visibility": visibility, "previous_visibility": "VISIBLE",
            "labels": [], "cause": "DECIDED", "decision": null });
        self.platform.consume(MODERATION_DECIDED, &decision).await;
    }

    async fn label(&self, post: Uuid, author: Uuid, version: i64, labels: &[&str]) {
        let labelled = json!({ "id": Uuid::now_v7(), "at": self.now(), "subject_type": "POST", "subject_id": post,
            "author": author, "version": version, "labels": labels });
        self.platform.consume(CONTENT_LABELLED, &labelled).await;
    }

    /// The labels of a reader's feed.
    async fn labels(&self, reader: Uuid) -> Vec<Value> {
        let feed = self.read(reader, "/me/feed").await.body;
        feed.as_array().unwrap().iter().map(|item| item["labels"].clone()).collect()
    }
}

#[sqlx::test(migrations = false)]
async fn a_limited_post_is_in_no_feed_but_its_authors_and_comes_back_to_its_place(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let world = World::start(database, &[]).await;
    let [anna, bert] = [world.join("anna").await, world.join("bert").await];
    world.follow(anna, bert).await;
    let (old, limited, new) = (world.post(bert).await, world.post(bert).await, world.post(bert).await);
    let explore = async || ids(&world.read(anna, "/feed/explore").await);
    world.work().await;
    world.edit().await;
    assert_eq!((world.feed(anna).await, explore().await), (vec![new, limited, old], vec![new, limited, old]));

    for visibility in ["LIMITED", "HELD"] {
        world.decide(limited, bert, if visibility == "HELD" { 2 } else { 1 }, visibility).await;
        assert_eq!(world.feed(anna).await, [new, old], "{visibility}: without a job");
        assert_eq!(explore().await, [new, old], "{visibility}: also in the edition that is there");
        assert_eq!(world.feed(bert).await, [new, limited, old], "{visibility}: its author does not lose it");
    }
    world.edit().await;
    assert_eq!(explore().await, [new, old]);
    let page = format!("/users/{bert}/feed");
    assert_eq!(ids(&world.read(anna, &page).await), [new, limited, old], "who looks for it finds it");

    // A feed that is built meanwhile lacks it, whatever it is built from.
    world.sql(&format!("insert into feed_drop (user_id) values ('{anna}')")).await;
    world.work().await;
    assert_eq!(world.feed(anna).await, [new, old]);
    assert_eq!(ids(&world.read(anna, "/me/feed?limit=2").await), [new, old]);
    world.decide(limited, bert, 3, "VISIBLE").await;
    world.decide(limited, bert, 2, "HELD").await;
    world.work().await;
    assert_eq!(world.feed(anna).await, [new, limited, old]);
    assert_eq!(world.members(anna).await.len(), 4, "it is in the feed in Redis again");
    assert_eq!(explore().await, [new, old], "the edition is as it was made");
    world.edit().await;
    assert_eq!(explore().await, [new, limited, old]);
}

#[sqlx::test(migrations = false)]
async fn a_decision_that_overtakes_its_post_holds(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert] = [world.join("anna").await, world.join("bert").await];
    world.follow(anna, bert).await;
    assert_eq!(world.feed(anna).await, NO_POSTS);
    let post = Uuid::now_v7();
    world.label(post, bert, 2, &["SPOILER"]).await;
    world.decide(post, bert, 1, "LIMITED").await;
    world.platform.consume(POST_CREATED, &world.version(post, bert, "POSTED")).await;
    world.work().await;
    assert_eq!(world.feed(anna).await, NO_POSTS);
    assert_eq!(world.feed(bert).await, [post]);
    world.decide(post, bert, 3, "VISIBLE").await;
    world.work().await;
    assert_eq!((world.feed(anna).await, world.labels(anna).await), (vec![post], vec![json!(["SPOILER"])]));
}

/// An author with too many followers is looked up, and not fanned out.
#[sqlx::test(migrations = false)]
async fn a_limited_post_of_a_big_author_is_not_looked_up(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &["--feed-big-author", "1"]).await;
    let [anna, carl, bert] = [world.join("anna").await, world.join("carl").await, world.join("bert").await];
    world.follow(anna, bert).await;
    world.follow(carl, bert).await;
    let (limited, new) = (world.post(bert).await, world.post(bert).await);
    world.work().await;
    assert_eq!(world.feed(anna).await, [new, limited]);
    world.decide(limited, bert, 1, "LIMITED").await;
    assert_eq!((world.feed(anna).await, world.feed(bert).await), (vec![new], vec![new, limited]));
    world.decide(limited, bert, 2, "VISIBLE").await;
    assert_eq!(world.feed(anna).await, [new, limited]);
}

#[sqlx::test(migrations = false)]
async fn labels_are_shown_the_newest_only_and_leave_with_their_author(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let bert = world.join("bert").await;
    let post = world.post(bert).await;
    let plain = world.read(bert, "/me/feed").await.body;
    assert_eq!(plain[0].get("labels"), None, "an item without labels is as it was");
    world.label(post, bert, 4, &["GRAPHIC", "SPOILER"]).await;
    world.label(post, bert, 3, &[]).await;
    assert_eq!(world.labels(bert).await, [json!(["GRAPHIC", "SPOILER"])]);
    world.label(post, bert, 5, &[]).await;
    assert_eq!(world.read(bert, "/me/feed").await.body, plain);

    world.platform.consume("user_deleted", &json!({ "id": bert, "deleted_at": world.now() })).await;
    world.platform.erase(bert).await;
    world.label(post, bert, 6, &["GRAPHIC"]).await;
    world.decide(post, bert, 7, "LIMITED").await;
    let left = sqlx::raw_sql("select post_id from moderated_post").fetch_all(&world.platform.app.db).await.unwrap();
    assert!(left.is_empty(), "nothing is left, and what comes late is not stored");
}

#[sqlx::test(migrations = false)]
async fn decisions_about_comments_and_users_change_no_feed(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert] = [world.join("anna").await, world.join("bert").await];
    world.follow(anna, bert).await;
    let post = world.post(bert).await;
    for subject in ["COMMENT", "USER"] {
        let event = json!({ "subject_type": subject, "subject_id": post, "author": bert, "version": 1,
            "visibility": "REMOVED", "labels": ["SPOILER"] });
        for stream in [MODERATION_DECIDED, CONTENT_LABELLED] {
            world.platform.consume(stream, &event).await;
        }
    }
    assert_eq!((world.feed(anna).await, world.labels(anna).await), (vec![post], vec![Value::Null]));
}
