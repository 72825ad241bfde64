//! What the interaction service consumes about comments.
use super::COMMENT_DELETE_REQUESTED;
use super::processors as on;
use crate::core::events::Subscription;

/// Which event goes where.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(COMMENT_DELETE_REQUESTED, on::comment_delete_requested)]
}
