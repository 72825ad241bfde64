//! The subscriptions to confirmations of erasure.
use super::processors as on;
use super::{ENGAGEMENT_USER_ERASED, INTERACTION_USER_ERASED, MODERATION_USER_ERASED, POST_USER_ERASED};
use crate::core::events::Subscription;

/// Which event goes where.
#[rustfmt::skip]
pub fn subscriptions() -> Vec<Subscription> {
    vec![
        Subscription::new(POST_USER_ERASED,        on::post_user_erased),
        Subscription::new(INTERACTION_USER_ERASED, on::interaction_user_erased),
        Subscription::new(MODERATION_USER_ERASED,  on::moderation_user_erased),
        Subscription::new(ENGAGEMENT_USER_ERASED,  on::engagement_user_erased),
    ]
}
