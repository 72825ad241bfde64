//! What the interaction service listens to about comments.
use super::COMMENT_DELETE_REQUESTED;
use super::processors as on;
use crate::core::events::Subscription;

/// Which event goes where.
pub fn listens() -> Vec<Subscription> {
    vec![Subscription { stream: COMMENT_DELETE_REQUESTED, prepare: None, apply: on::comment_delete_requested }]
}
