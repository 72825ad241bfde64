//! Stores who has seen which post.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event};
use crate::post_recommendations::seen::models::SeenPost;

/// A view of a post by a user.
#[derive(Deserialize)]
struct PostView {
    id: Uuid,
    viewed_by: Uuid,
}

/// Saves that posts were seen.
pub fn post_viewed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let seen = |event: &Event| {
            let view: PostView = serde_json::from_str(&event.message)?;
            Ok(SeenPost { user_id: view.viewed_by, post_id: view.id, seen_at: Timestamp(event.occurred_at) })
        };
        let seen: Vec<SeenPost> = events.iter().map(seen).collect::<Result<_, serde_json::Error>>()?;
        Ok(SeenPost::save(tx, &seen).await?)
    })
}
