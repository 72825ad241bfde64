//! What the post service listens to.
use super::processors as on;
use super::{COMMENT_CREATED, COMMENT_DELETED, POST_DELETE_REQUESTED, POST_VIEWED, REACTION_CREATED, REACTION_DELETED};
use crate::core::events::Subscription;
use crate::posts::models::Delta;

/// Which event goes where.
#[rustfmt::skip]
pub fn listens() -> Vec<Subscription> {
    vec![
        Subscription { stream: POST_VIEWED,           prepare: Some(on::refresh_authors), apply: |_, tx, told| on::viewed(tx, told, Delta::views(1)) },
        Subscription { stream: COMMENT_CREATED,       prepare: Some(on::refresh_authors), apply: |_, tx, told| on::interacted(tx, told, Delta::comments(1)) },
        Subscription { stream: COMMENT_DELETED,       prepare: Some(on::refresh_authors), apply: |_, tx, told| on::interacted(tx, told, Delta::comments(-1)) },
        Subscription { stream: REACTION_CREATED,      prepare: Some(on::refresh_authors), apply: |_, tx, told| on::interacted(tx, told, Delta::reactions(1)) },
        Subscription { stream: REACTION_DELETED,      prepare: Some(on::refresh_authors), apply: |_, tx, told| on::interacted(tx, told, Delta::reactions(-1)) },
        Subscription { stream: POST_DELETE_REQUESTED, prepare: None,                      apply: on::post_delete_requested },
    ]
}
