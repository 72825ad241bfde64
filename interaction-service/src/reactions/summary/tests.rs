//! Summaries of reactions, through their route.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::blocks::events::USER_BLOCKED;
use crate::connections::events::USER_CONNECTED;
use crate::core::testing::new_user;
use crate::posts::events::{POST_CREATED, POST_DELETED};
use crate::posts::testing::{id, post, react, refusal, start};

/// A summary has the count of each type, the reader's own reaction, and the people they know before others.
#[sqlx::test(migrations = false)]
async fn a_summary_shows_people_that_the_reader_knows_first(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let post = post(new_user().1, "POSTED");
    platform.consume(POST_CREATED, &post).await;
    let (anna, reader) = new_user();
    let summary = async || {
        let path = format!("/{}/post-reactions/summary", id(&post));
        platform.call("GET", &path, Some(&anna), None).await
    };
    let none = json!({ "post_id": post["id"], "total": 0, "types": [], "mine": null, "people": [] });
    assert_eq!(summary().await.body, none);
    let people: Vec<_> = (0..13).map(|_| new_user()).collect();
    for (n, (token, _)) in people.iter().enumerate() {
        react(&platform, token, &post, if n < 9 { "LOVE" } else { "SAD" }).await;
    }
    react(&platform, &anna, &post, "SAD").await;
    let link =
        |target: usize| json!({ "user_id": reader, "target_id": people[target].1, "at": "2026-11-20T12:00:00+00:00" });
    platform.consume(USER_CONNECTED, &link(2)).await;
    platform.consume(USER_CONNECTED, &link(0)).await;
    platform.consume(USER_BLOCKED, &link(12)).await;
    let shown = summary().await.body;
    assert_eq!((&shown["total"], &shown["mine"]), (&json!(14), &json!("SAD")));
    assert_eq!(shown["types"], json!([{ "type": "LOVE", "total": 9 }, { "type": "SAD", "total": 5 }]));
    let expected: Vec<Value> = [2, 0, 11, 10, 9, 8, 7, 6, 5, 4]
        .map(|n: usize| json!({ "user_id": people[n].1, "type": if n < 9 { "LOVE" } else { "SAD" }, "connected": n < 3 }))
        .into();
    assert_eq!(shown["people"], json!(expected));
    platform.consume(POST_DELETED, &post).await;
    assert_eq!(refusal(&summary().await), (404, &json!("Post not found")));
}
