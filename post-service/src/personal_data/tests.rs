//! The export and the erasure of a user's data.
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::USER_ERASED;
use super::schedulers::ErasureConfirmer;
use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, new_user};
use crate::posts::events::POST_DELETED;
use crate::search::tests::index;

#[sqlx::test(migrations = false)]
async fn a_deleted_users_data_is_exported_before_and_gone_after(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, her), (bert, _)) = (new_user(), new_user());
    let write = async |token: &str, words: &str| {
        let post = json!({ "title": words, "content": words, "types": ["NEWS"], "status": "POSTED" });
        let reply = platform.call("POST", "/posts", Some(token), Some(post)).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body["id"].clone()
    };
    let hers = [write(&anna, "Annasword").await, write(&anna, "Annasword again").await];
    write(&bert, "Bertsword").await;
    for stream in SERVICE.publishes {
        platform.published(stream).await;
    }
    index(&platform).await;
    assert_eq!(platform.finds("Annasword").await, ["post.outbox", "post.post", "post_created"]);

    assert_eq!(platform.finds("annasword").await, ["post.post_search", "post.search_key"], "folded");

    let held = platform.personal_data_of(her, "posts").await;
    assert_eq!(held.iter().map(|post| &post["id"]).collect::<Vec<_>>(), [&hers[1], &hers[0]]);
    assert_eq!((&held[0]["title"], &held[0]["types"]), (&json!("Annasword again"), &json!(["NEWS"])));
    assert_eq!(platform.personal_data_of(her, "nft_records").await.len(), 2);

    platform.consume("user_deleted", &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00+00:00" })).await;
    platform.erase(her).await;
    assert_eq!(platform.finds("Annasword").await, [""; 0]);
    assert_eq!(platform.finds("annasword").await, [""; 0]);
    assert_eq!(platform.published(USER_ERASED).await, [json!(null); 0], "not by the eraser, which knows of no files");
    let mut confirmer = ErasureConfirmer(platform.app.clone());
    assert_eq!(confirmer.step().await.unwrap(), Outcome::Busy);
    assert!(matches!(confirmer.step().await.unwrap(), Outcome::Idle(_)), "once");
    assert_eq!(platform.published(USER_ERASED).await, [json!({ "user_id": her })]);
    let gone = platform.published(POST_DELETED).await;
    let mut ids: Vec<_> = gone.iter().map(|post| &post["id"]).collect();
    // They are deleted in one statement, in whatever order; ids are made in the order of time.
    ids.sort_by_key(|id| id.as_str());
    assert_eq!(ids, [&hers[0], &hers[1]]);
    assert_eq!((&gone[0]["title"], &gone[0]["content"]), (&json!(null), &json!("")));
    assert_eq!(platform.finds("Bertsword").await, ["post.outbox", "post.post", "post_created"]);
}
