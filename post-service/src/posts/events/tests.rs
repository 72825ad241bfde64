//! In which order what is consumed locks the rows that it changes.
use redis::AsyncCommands;
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::MODERATION_DECIDED;
use crate::core::testing::new_user;
use crate::media::tests::{picture, ready};
use crate::posts::tests::{path, start, until_one_waits};

/// A decision about a post or a picture.
fn decided(kind: &str, id: &Value, version: u8, visibility: &str) -> Value {
    json!({ "subject_type": kind, "subject_id": id, "version": version, "visibility": visibility })
}

/// An author's change locks the item of the post, and then its pictures. Decisions that restore a post with an item and hide a picture do
/// the same: the other way round, each of the two could wait for what the other has.
#[sqlx::test(migrations = false)]
async fn decisions_lock_the_items_of_posts_before_pictures(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let media = ready(&platform, &anna, "POST", &picture(3, 3)).await;
    let item = json!({ "kind": "LINK", "url": "https://books.example/1", "title": "On Engines" });
    let body = json!({ "content": "x", "types": [], "status": "POSTED", "item": item, "media": [media] });
    let post = platform.call("POST", "/posts", Some(&anna), Some(body)).await;
    assert_eq!(post.status, 201, "{post:?}");
    platform.consume(MODERATION_DECIDED, &decided("POST", &post.body["id"], 1, "HIDDEN")).await;
    let read = async || platform.call("GET", &path(&post.body), Some(&anna), None).await;
    assert_eq!(read().await.status, 404);

    let mut change = platform.app.db.begin().await.unwrap();
    change.execute("select from item for update").await.unwrap();
    // Both are in one batch, which is one transaction.
    let restored = decided("POST", &post.body["id"], 2, "VISIBLE").to_string();
    let fields = [("message", restored), ("type", "json".to_owned())];
    let _: String = platform.app.redis.clone().xadd(MODERATION_DECIDED, "*", &fields).await.unwrap();
    let hides = decided("MEDIA", &json!(media), 1, "HIDDEN");
    let changed = async {
        until_one_waits(&platform).await;
        let locked = change.execute("select from media for update nowait").await;
        change.rollback().await.unwrap();
        locked.map(|_| ())
    };
    let (_, changed) = tokio::join!(platform.consume(MODERATION_DECIDED, &hides), changed);
    assert!(changed.is_ok(), "what waits for the item has locked the picture: {changed:?}");
    let post = read().await;
    assert_eq!((post.status.as_u16(), &post.body["item"]["title"]), (200, &json!("On Engines")));
    assert_eq!(post.body.get("media"), None, "{post:?}");
}
