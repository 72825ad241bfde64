//! What the post service listens to about people.
use super::USER_DELETED;
use super::processors as on;
use crate::core::events::Subscription;

/// Which event goes where.
pub fn listens() -> Vec<Subscription> {
    vec![Subscription { stream: USER_DELETED, prepare: None, apply: on::user_deleted }]
}
