//! The export and the erasure of a user's data.
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::USER_ERASED;
use crate::SERVICE;
use crate::comments::events::COMMENT_DELETED;
use crate::core::testing::new_user;
use crate::posts::events::POST_CREATED;
use crate::posts::testing::{comment, post, start};
use crate::reactions::events::REACTION_DELETED;

#[sqlx::test(migrations = false)]
async fn a_deleted_users_data_is_exported_before_and_gone_after(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let ((anna, her), (bert, _)) = (new_user(), new_user());
    let post = post(new_user().1, "POSTED");
    platform.consume(POST_CREATED, &post).await;
    let said = comment(&platform, &anna, &post, "Annasword").await.body;
    comment(&platform, &bert, &post, "Bertsword").await;
    let react = format!("/{}/post-reactions", post["id"].as_str().unwrap());
    let reaction = platform.call("POST", &react, Some(&anna), Some(json!({ "type": "LOVE" }))).await.body;
    for stream in SERVICE.publishes {
        platform.published(stream).await;
    }
    let places = ["interaction.comment", "interaction.outbox", "post_comment_created"];
    assert_eq!(platform.finds("Annasword").await, places);
    let [comments, nfts, reactions] = [
        platform.personal_data_of(her, "comments").await,
        platform.personal_data_of(her, "nft_records").await,
        platform.personal_data_of(her, "reactions").await,
    ];
    assert_eq!((comments.len(), nfts.len(), reactions.len()), (1, 1, 1));
    assert_eq!((&comments[0]["content"], &reactions[0]["type"]), (&json!("Annasword"), &json!("LOVE")));

    platform.consume("user_deleted", &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00+00:00" })).await;
    platform.erase(her).await;
    assert_eq!(platform.finds("Annasword").await, [""; 0]);
    assert_eq!(platform.finds("Bertsword").await, places);
    assert_eq!(platform.published(USER_ERASED).await, [json!({ "user_id": her })]);
    let gone = platform.published(COMMENT_DELETED).await;
    assert_eq!((gone.len(), &gone[0]["id"], &gone[0]["content"]), (1, &said["id"], &json!("")));
    assert_eq!(platform.published(REACTION_DELETED).await[0]["id"], reaction["id"]);
}
