//! The views that are logged while posts are copied.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::log_views;
use crate::core::events::{Effect, Event, Id, Subscription};
use crate::posts::events::POST_VIEWED;

/// The stream, and what processes its events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(POST_VIEWED, post_viewed)]
}

/// A view of a post.
#[derive(Deserialize)]
struct LoggedView {
    id: Uuid,
}

/// Logs views, if posts are being copied.
fn post_viewed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let view = |event: &Event| Ok((serde_json::from_str::<LoggedView>(&event.message)?.id, event.id));
        let views: Vec<(Uuid, Id)> = events.iter().map(view).collect::<Result<_, serde_json::Error>>()?;
        Ok(log_views(tx, &views).await?)
    })
}
