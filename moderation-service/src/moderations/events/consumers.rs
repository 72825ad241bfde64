//! Consumes the events of posts and comments.
use std::sync::Arc;

use super::processors::{ContentReader, content_deleted, read_comment, read_post, request_completed};
use super::{
    COMMENT_CREATED, COMMENT_DELETE_COMPLETED, COMMENT_DELETED, COMMENT_UPDATED, POST_CREATED, POST_DELETE_COMPLETED,
    POST_DELETED, POST_UPDATED,
};
use crate::core::events::Subscription;
use crate::moderations::services::Analyser;

/// The streams, and what processes their events; the analyser reads new versions.
#[rustfmt::skip]
pub fn subscriptions(analyser: &Arc<dyn Analyser>) -> Vec<Subscription> {
    let analyse = |read| ContentReader { analyser: analyser.clone(), read };
    vec![
        Subscription::new(POST_CREATED,             analyse(read_post)),
        Subscription::new(POST_UPDATED,             analyse(read_post)),
        Subscription::new(COMMENT_CREATED,          analyse(read_comment)),
        Subscription::new(COMMENT_UPDATED,          analyse(read_comment)),
        Subscription::new(POST_DELETED,             content_deleted),
        Subscription::new(COMMENT_DELETED,          content_deleted),
        Subscription::new(POST_DELETE_COMPLETED,    request_completed),
        Subscription::new(COMMENT_DELETE_COMPLETED, request_completed),
    ]
}
