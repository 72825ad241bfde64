//! What the engagement service listens to.
use super::processors as on;
use super::{
    COMMENT_CREATED, COMMENT_DELETE_COMPLETED, COMMENT_DELETED, COMMENT_UPDATED, POST_CREATED, POST_DELETE_COMPLETED,
    POST_DELETED, POST_UPDATED, POST_VIEWED, REACTION_CREATED, REACTION_DELETED, USER_REGISTERED,
};
use crate::core::events::Subscription;

/// Which event goes where.
#[rustfmt::skip]
pub fn listens() -> Vec<Subscription> {
    vec![
        Subscription { stream: USER_REGISTERED,          prepare: None, apply: on::user_registered },
        Subscription { stream: POST_CREATED,             prepare: None, apply: on::post_written },
        Subscription { stream: POST_UPDATED,             prepare: None, apply: on::post_written },
        Subscription { stream: POST_DELETED,             prepare: None, apply: on::post_deleted },
        Subscription { stream: POST_VIEWED,              prepare: None, apply: on::post_viewed },
        Subscription { stream: COMMENT_CREATED,          prepare: None, apply: on::comment_created },
        Subscription { stream: COMMENT_UPDATED,          prepare: None, apply: on::nothing_counted },
        Subscription { stream: COMMENT_DELETED,          prepare: None, apply: on::comment_deleted },
        Subscription { stream: REACTION_CREATED,         prepare: None, apply: on::reaction_created },
        Subscription { stream: REACTION_DELETED,         prepare: None, apply: on::reaction_deleted },
        Subscription { stream: POST_DELETE_COMPLETED,    prepare: None, apply: on::nothing_counted },
        Subscription { stream: COMMENT_DELETE_COMPLETED, prepare: None, apply: on::nothing_counted },
    ]
}
