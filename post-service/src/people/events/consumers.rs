//! What the post service listens to about people.
use super::processors as on;
use super::{USER_BLOCKED, USER_DELETED, USER_UNBLOCKED};
use crate::core::events::Subscription;

/// Which event goes where.
#[rustfmt::skip]
pub fn listens() -> Vec<Subscription> {
    vec![
        Subscription { stream: USER_BLOCKED,   prepare: None, apply: on::user_blocked },
        Subscription { stream: USER_UNBLOCKED, prepare: None, apply: on::user_unblocked },
        Subscription { stream: USER_DELETED,   prepare: None, apply: on::user_deleted },
    ]
}
