//! Consumes the events of posts, comments and profiles.
use sqlx::PgPool;

use super::USER_UPDATED;
use super::processors::{
    ContentProcessor, ProfileProcessor, content_deleted, read_comment, read_post, read_profile, request_completed,
};
use crate::analyses::reading::Pipeline;
use crate::core::events::Subscription;
use crate::moderations::events::{
    COMMENT_CREATED, COMMENT_DELETE_COMPLETED, COMMENT_DELETED, COMMENT_UPDATED, POST_CREATED, POST_DELETE_COMPLETED,
    POST_DELETED, POST_UPDATED,
};

/// Texts that are read before one transaction at most: what breaks the rules is hidden when the texts beside it are read, so few.
const TEXTS: usize = 32;

/// The streams, and what processes their events; the pipeline analyses new versions.
#[rustfmt::skip]
pub fn subscriptions(db: &PgPool, pipeline: &Pipeline) -> Vec<Subscription> {
    let analyse = |read| ContentProcessor::new(db, pipeline, read);
    let few = |subscription| Subscription { batch: TEXTS, ..subscription };
    vec![
        few(Subscription::new(POST_CREATED,         analyse(read_post))),
        few(Subscription::new(POST_UPDATED,         analyse(read_post))),
        few(Subscription::new(COMMENT_CREATED,      analyse(read_comment))),
        few(Subscription::new(COMMENT_UPDATED,      analyse(read_comment))),
        few(Subscription::new(USER_UPDATED,         ProfileProcessor(analyse(read_profile)))),
        Subscription::new(POST_DELETED,             content_deleted),
        Subscription::new(COMMENT_DELETED,          content_deleted),
        Subscription::new(POST_DELETE_COMPLETED,    request_completed),
        Subscription::new(COMMENT_DELETE_COMPLETED, request_completed),
    ]
}
