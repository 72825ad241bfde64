//! What follows from the deletion of comments, in the same transaction: the replies and reactions to them are deleted.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::Thread;
use crate::comment_reactions;
use crate::comments::events::producers;
use crate::comments::models::Comment;
use crate::comments::schemas::CommentOut;

/// Replies deleted in one statement: a long thread has more than memory should hold at once.
const BATCH: i64 = 1_000;

/// Comments were deleted. Each deletion of a reply is published, so that the counters of other services stay exact; one by the erased
/// user without its text.
pub async fn deleted(tx: &mut PgTransaction<'_>, comments: &[Uuid], erased: Option<Uuid>) -> sqlx::Result<()> {
    loop {
        let replies = Thread::delete_replies(tx, comments, BATCH).await?;
        if replies.is_empty() {
            break;
        }
        let ids: Vec<Uuid> = replies.iter().map(|reply| reply.id).collect();
        comment_reactions::signals::comments_deleted(tx, &ids).await?;
        // The deletions of hidden ones are published already.
        let shown = replies.into_iter().filter(|reply| reply.hidden_at.is_none());
        let published = shown.map(|reply| match erased {
            Some(author) if author == reply.created_by => Comment { content: String::new(), ..reply }.into(),
            _ => reply.into(),
        });
        producers::comments_deleted(tx, &published.collect::<Vec<CommentOut>>()).await?;
    }
    comment_reactions::signals::comments_deleted(tx, comments).await
}
