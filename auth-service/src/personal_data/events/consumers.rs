//! The subscriptions to confirmations of erasure.
use super::processors as on;
use super::{ENGAGEMENT_USER_ERASED, INTERACTION_USER_ERASED, MODERATION_USER_ERASED, POST_USER_ERASED};
use crate::core::events::Subscription;

/// Which event goes where.
#[rustfmt::skip]
pub fn listens() -> Vec<Subscription> {
    vec![
        Subscription { stream: POST_USER_ERASED,        prepare: None, apply: on::post_user_erased },
        Subscription { stream: INTERACTION_USER_ERASED, prepare: None, apply: on::interaction_user_erased },
        Subscription { stream: MODERATION_USER_ERASED,  prepare: None, apply: on::moderation_user_erased },
        Subscription { stream: ENGAGEMENT_USER_ERASED,  prepare: None, apply: on::engagement_user_erased },
    ]
}
