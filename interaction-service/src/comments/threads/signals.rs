//! What follows from the deletion of comments, in the same transaction: the replies and reactions to them are deleted.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::Thread;
use crate::comment_reactions;
use crate::comments::events::producers;
use crate::comments::models::Comment;
use crate::comments::schemas::CommentOut;
use crate::removals::PAGE;
use crate::removals::models::Removal;

/// Comments were deleted. A page of the replies to them goes at once, and what is more in pages of their own. Each deletion of a reply is
/// published, so that the counters of other services stay exact; one by the erased user without its text.
pub async fn deleted(tx: &mut PgTransaction<'_>, comments: &[Uuid], erased: Option<Uuid>) -> sqlx::Result<()> {
    let replies = Thread::delete_replies(tx, comments, PAGE).await?;
    // Replies that others delete at the same moment are not among these, so their number says nothing about what is left.
    Removal::begin_threads(tx, comments).await?;
    let ids: Vec<Uuid> = replies.iter().map(|reply| reply.id).collect();
    comment_reactions::signals::comments_deleted(tx, &ids).await?;
    let published = replies.into_iter().map(|reply| match erased {
        Some(author) if author == reply.created_by => Comment { content: String::new(), ..reply }.into(),
        _ => reply.into(),
    });
    producers::comments_deleted(tx, published.collect::<Vec<CommentOut>>()).await?;
    comment_reactions::signals::comments_deleted(tx, comments).await
}
