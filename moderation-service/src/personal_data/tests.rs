//! The export and the erasure of a user's data.
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::USER_ERASED;
use crate::SERVICE;
use crate::core::testing::{Platform, new_user};
use crate::moderations::events::{COMMENT_CREATED, COMMENT_DELETE_REQUESTED};

#[sqlx::test(migrations = false)]
async fn a_deleted_users_data_is_exported_before_and_gone_after(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((_, her), (bert, him)) = (new_user(), new_user());
    for (author, words) in [(her, "Annasword: kill yourself"), (him, "Bertsword: kill yourself")] {
        let at = "2026-11-20T12:00:00+00:00";
        let comment = json!({ "id": Uuid::now_v7(), "created_at": at, "created_by": author, "updated_at": at,
            "updated_by": null, "post_id": Uuid::now_v7(), "content": words });
        platform.consume(COMMENT_CREATED, &comment).await;
    }
    platform.published(COMMENT_DELETE_REQUESTED).await;
    let places = [
        "moderation.content",
        "moderation.moderation",
        "moderation.outbox",
        "moderation_post_comment_delete_requested",
    ];
    assert_eq!(platform.finds("Annasword").await, places);
    let held = platform.personal_data_of(her, "moderations").await;
    assert_eq!((held.len(), &held[0]["raw_content"]["content"]), (1, &json!("Annasword: kill yourself")));

    platform.consume("user_deleted", &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00+00:00" })).await;
    platform.erase(her).await;
    assert_eq!(platform.finds("Annasword").await, [""; 0]);
    assert_eq!(platform.finds("Bertsword").await, places);
    assert_eq!(platform.published(USER_ERASED).await, [json!({ "user_id": her })]);
    let cases = platform.call("GET", "/me/moderations", Some(&bert), None).await;
    assert_eq!(cases.body.as_array().unwrap().len(), 1);
}
