//! Consumes the events of users, posts, comments, reactions and views.
use super::processors as on;
use super::{
    COMMENT_CREATED, COMMENT_DELETE_COMPLETED, COMMENT_DELETED, COMMENT_UPDATED, POST_CREATED, POST_DELETE_COMPLETED,
    POST_DELETED, POST_UPDATED, POST_VIEWED, REACTION_CREATED, REACTION_DELETED, USER_REGISTERED,
};
use crate::core::events::Subscription;

/// The streams, and what processes their events.
#[rustfmt::skip]
pub fn subscriptions() -> Vec<Subscription> {
    vec![
        Subscription::new(USER_REGISTERED,          on::user_registered),
        Subscription::new(POST_CREATED,             on::post_changed),
        Subscription::new(POST_UPDATED,             on::post_changed),
        Subscription::new(POST_DELETED,             on::post_deleted),
        Subscription::new(POST_VIEWED,              on::post_viewed),
        Subscription::new(COMMENT_CREATED,          on::comment_created),
        Subscription::new(COMMENT_UPDATED,          on::ignore),
        Subscription::new(COMMENT_DELETED,          on::comment_deleted),
        Subscription::new(REACTION_CREATED,         on::reaction_created),
        Subscription::new(REACTION_DELETED,         on::reaction_deleted),
        Subscription::new(POST_DELETE_COMPLETED,    on::ignore),
        Subscription::new(COMMENT_DELETE_COMPLETED, on::ignore),
    ]
}
