//! The views that are logged while posts are copied.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::log_views;
use crate::core::events::{Effect, Event, Subscription};
use crate::posts::events::POST_VIEWED;
use crate::posts::models::CountedView;

/// The stream, and what processes its events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(POST_VIEWED, post_viewed)]
}

/// A view of a post.
#[derive(Deserialize)]
struct LoggedView {
    id: Uuid,
    /// Whether its viewer has viewed the post a short while ago; the original does not say.
    #[serde(default)]
    repeated: bool,
}

/// Logs views, if posts are being copied.
fn post_viewed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let view = |event: &Event| {
            let LoggedView { id, repeated } = serde_json::from_str(&event.message)?;
            Ok(CountedView { post_id: id, place: event.id, repeated })
        };
        let views: Vec<CountedView> = events.iter().map(view).collect::<Result<_, serde_json::Error>>()?;
        Ok(log_views(tx, &views).await?)
    })
}
