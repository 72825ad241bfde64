//! Consumes the events that posts depend on.
use super::processors::{InteractionCounter, moderation_decided, post_delete_requested};
use super::{
    COMMENT_CREATED, COMMENT_DELETED, MODERATION_DECIDED, POST_DELETE_REQUESTED, POST_VIEWED, REACTION_CREATED,
    REACTION_DELETED,
};
use crate::core::app::App;
use crate::core::events::Subscription;
use crate::posts::models::Delta;

/// The streams, and what processes their events.
#[rustfmt::skip]
pub fn subscriptions(app: &App) -> Vec<Subscription> {
    let count = |delta| InteractionCounter { db: app.db.clone(), redis: app.redis.clone(), delta };
    vec![
        Subscription::new(POST_VIEWED,           count(Delta { views: 1, ..Delta::default() })),
        Subscription::new(COMMENT_CREATED,       count(Delta { comments: 1, ..Delta::default() })),
        Subscription::new(COMMENT_DELETED,       count(Delta { comments: -1, ..Delta::default() })),
        Subscription::new(REACTION_CREATED,      count(Delta { reactions: 1, ..Delta::default() })),
        Subscription::new(REACTION_DELETED,      count(Delta { reactions: -1, ..Delta::default() })),
        Subscription::new(POST_DELETE_REQUESTED, post_delete_requested),
        Subscription::new(MODERATION_DECIDED,    moderation_decided),
    ]
}
