//! Consumes the events from which notifications follow.
use super::processors as on;
use crate::blocks::events::{USER_BLOCKED, USER_UNBLOCKED};
use crate::comment_reactions::events::{COMMENT_REACTION_CREATED, COMMENT_REACTION_DELETED};
use crate::comments::events::{COMMENT_CREATED, COMMENT_DELETED, COMMENT_UPDATED};
use crate::core::events::Subscription;
use crate::follows::events::{USER_CONNECTED, USER_DISCONNECTED};
use crate::posts::events::{POST_CREATED, POST_DELETED, POST_UPDATED};
use crate::profiles::events::LEVEL_CHANGED;
use crate::reactions::events::{REACTION_CREATED, REACTION_DELETED, REACTION_UPDATED};

/// The streams, and what processes their events once the read model has.
#[rustfmt::skip]
pub fn subscriptions() -> Vec<Subscription> {
    vec![
        Subscription::new(USER_CONNECTED,    on::connections_changed),
        Subscription::new(USER_DISCONNECTED, on::connections_changed),
        Subscription::new(USER_BLOCKED,      on::blocks_changed),
        Subscription::new(USER_UNBLOCKED,    on::blocks_changed),
        Subscription::new(POST_CREATED,      on::posts_changed),
        Subscription::new(POST_UPDATED,      on::posts_changed),
        Subscription::new(POST_DELETED,      on::posts_changed),
        Subscription::new(COMMENT_CREATED,   on::comments_changed),
        Subscription::new(COMMENT_UPDATED,   on::comments_changed),
        Subscription::new(COMMENT_DELETED,   on::comments_changed),
        Subscription::new(REACTION_CREATED,  on::interactions_changed),
        Subscription::new(REACTION_UPDATED,  on::interactions_changed),
        Subscription::new(REACTION_DELETED,  on::interactions_changed),
        Subscription::new(COMMENT_REACTION_CREATED, on::interactions_changed),
        Subscription::new(COMMENT_REACTION_DELETED, on::interactions_changed),
        Subscription::new(LEVEL_CHANGED,     on::levels_changed),
    ]
}
