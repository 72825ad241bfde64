//! What the moderation service listens to.
use super::processors as on;
use super::{
    COMMENT_CREATED, COMMENT_DELETE_COMPLETED, COMMENT_DELETED, COMMENT_UPDATED, POST_CREATED, POST_DELETE_COMPLETED,
    POST_DELETED, POST_UPDATED,
};
use crate::core::events::Subscription;

/// Which event goes where.
#[rustfmt::skip]
pub fn listens() -> Vec<Subscription> {
    vec![
        Subscription { stream: POST_CREATED,             prepare: None, apply: on::post_written },
        Subscription { stream: POST_UPDATED,             prepare: None, apply: on::post_written },
        Subscription { stream: COMMENT_CREATED,          prepare: None, apply: on::comment_written },
        Subscription { stream: COMMENT_UPDATED,          prepare: None, apply: on::comment_written },
        Subscription { stream: POST_DELETED,             prepare: None, apply: on::content_gone },
        Subscription { stream: COMMENT_DELETED,          prepare: None, apply: on::content_gone },
        Subscription { stream: POST_DELETE_COMPLETED,    prepare: None, apply: on::content_gone },
        Subscription { stream: COMMENT_DELETE_COMPLETED, prepare: None, apply: on::content_gone },
    ]
}
