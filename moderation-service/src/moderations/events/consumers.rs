//! What the moderation service consumes.
use std::sync::Arc;

use super::processors::{Analyse, comment, content_gone, post};
use super::{
    COMMENT_CREATED, COMMENT_DELETE_COMPLETED, COMMENT_DELETED, COMMENT_UPDATED, POST_CREATED, POST_DELETE_COMPLETED,
    POST_DELETED, POST_UPDATED,
};
use crate::core::events::Subscription;
use crate::moderations::services::Analyser;

/// Which event goes where; the analyser reads what is written.
#[rustfmt::skip]
pub fn subscriptions(analyser: &Arc<dyn Analyser>) -> Vec<Subscription> {
    let analyse = |content| Analyse { analyser: analyser.clone(), content };
    vec![
        Subscription::new(POST_CREATED,             analyse(post)),
        Subscription::new(POST_UPDATED,             analyse(post)),
        Subscription::new(COMMENT_CREATED,          analyse(comment)),
        Subscription::new(COMMENT_UPDATED,          analyse(comment)),
        Subscription::new(POST_DELETED,             content_gone),
        Subscription::new(COMMENT_DELETED,          content_gone),
        Subscription::new(POST_DELETE_COMPLETED,    content_gone),
        Subscription::new(COMMENT_DELETE_COMPLETED, content_gone),
    ]
}
