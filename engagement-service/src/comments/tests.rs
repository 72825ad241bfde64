//! Comments and their count, through their events.
use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::{COMMENT_CREATED, COMMENT_DELETED, COMMENT_UPDATED};
use super::models::CommentCard;
use super::services::merge;
use crate::SERVICE;
use crate::core::contract::timestamp::Timestamp;
use crate::core::testing::Platform;

#[sqlx::test(migrations = false)]
async fn the_count_of_a_post_is_that_of_its_visible_comments_in_every_order(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let [one, two, post] = [(); 3].map(|()| Uuid::now_v7());
    let version = |id: Uuid, second: u8, hidden: bool| {
        let at = format!("2026-11-20T12:00:0{second}+00:00");
        json!({ "id": id, "created_at": "2026-11-20T12:00:01+00:00", "created_by": Uuid::nil(), "updated_at": at,
            "updated_by": null, "post_id": post, "content": "x", "hidden_at": hidden.then_some(at) })
    };
    let after = async |stream: &str, message: Value| {
        platform.consume(stream, &message).await;
        let row = sqlx::raw_sql("select comments from post_count").fetch_one(&platform.app.db).await.unwrap();
        row.get::<i64, _>(0)
    };
    assert_eq!(after(COMMENT_UPDATED, version(one, 2, false)).await, 1);
    assert_eq!(after(COMMENT_CREATED, version(one, 1, false)).await, 1, "it is the same comment");
    assert_eq!(after(COMMENT_DELETED, version(one, 3, true)).await, 0, "it is hidden");
    assert_eq!(after(COMMENT_UPDATED, version(one, 2, false)).await, 0, "the older version is not the stored one");
    assert_eq!(after(COMMENT_CREATED, version(one, 4, false)).await, 1, "it was restored");
    assert_eq!(after(COMMENT_DELETED, version(two, 1, false)).await, 1, "a deletion overtook its creation");
    assert_eq!(after(COMMENT_CREATED, version(two, 1, false)).await, 1);
    assert_eq!(after(COMMENT_DELETED, version(one, 4, false)).await, 0);
    assert_eq!(after(COMMENT_DELETED, version(one, 4, false)).await, 0, "a repeated event changes nothing");
}

/// A rebuild reads rows without words, and must not withdraw the mentions of what was consumed.
#[test]
fn a_copied_comment_keeps_the_mentions_of_its_version() {
    let version = |second: i64, mentions: Option<&str>| CommentCard {
        id: Uuid::nil(),
        post_id: Uuid::nil(),
        user_id: Uuid::nil(),
        created_at: Timestamp(DateTime::UNIX_EPOCH),
        version: Timestamp(DateTime::UNIX_EPOCH + TimeDelta::seconds(second)),
        hidden: false,
        deleted: false,
        mentions: mentions.map(|name| vec![name.to_owned()]),
        reply_to: None,
    };
    let consumed = version(1, Some("anna"));
    assert_eq!(merge(Some(consumed.clone()), version(1, None)), consumed);
    assert_eq!(merge(Some(consumed.clone()), version(2, None)), version(2, None), "a newer one is not known yet");
    assert_eq!(merge(Some(version(2, None)), version(2, Some("bert"))), version(2, Some("bert")));
    assert_eq!(merge(Some(version(2, Some("bert"))), consumed), version(2, Some("bert")));
}
