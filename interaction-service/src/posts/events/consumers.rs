//! What the interaction service listens to about posts.
use super::processors as on;
use super::{POST_CREATED, POST_DELETED, POST_UPDATED};
use crate::core::events::Subscription;

/// Which event goes where.
#[rustfmt::skip]
pub fn listens() -> Vec<Subscription> {
    vec![
        Subscription { stream: POST_CREATED, prepare: None, apply: on::post_changed },
        Subscription { stream: POST_UPDATED, prepare: None, apply: on::post_changed },
        Subscription { stream: POST_DELETED, prepare: None, apply: on::post_deleted },
    ]
}
