//! Consumes moderation's decisions about comments, and its requests to delete them.
use super::processors as on;
use super::{COMMENT_DELETE_REQUESTED, MODERATION_DECIDED};
use crate::core::events::Subscription;

/// The streams, and what processes their events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![
        Subscription::new(COMMENT_DELETE_REQUESTED, on::comment_delete_requested),
        Subscription::new(MODERATION_DECIDED, on::moderation_decided),
    ]
}
