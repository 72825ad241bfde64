//! Consumes the events after which texts mention others.
use super::processors as on;
use crate::comments::events::{COMMENT_CREATED, COMMENT_DELETED, COMMENT_UPDATED};
use crate::core::events::Subscription;
use crate::posts::events::{POST_CREATED, POST_DELETED, POST_UPDATED};

/// The streams, and what processes their events once the read model has.
#[rustfmt::skip]
pub fn subscriptions() -> Vec<Subscription> {
    vec![
        Subscription::new(POST_CREATED,    on::posts_changed),
        Subscription::new(POST_UPDATED,    on::posts_changed),
        Subscription::new(POST_DELETED,    on::posts_changed),
        Subscription::new(COMMENT_CREATED, on::comments_changed),
        Subscription::new(COMMENT_UPDATED, on::comments_changed),
        Subscription::new(COMMENT_DELETED, on::comments_changed),
    ]
}
