//! What follows from a change of a comment, in the same transaction: its NFT record, its events.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::decisions::DecidedVisibility;
use super::decisions::models::CommentDecision;
use super::events::producers;
use super::models::{Comment, save_nft};
use super::schemas::{CommentOut, RestoredComment};
use super::threads;
use crate::comment_reactions;
use crate::core::doors::audit::{self, Entry};
use crate::removals::PAGE;

/// A comment was written.
pub async fn created(tx: &mut PgTransaction<'_>, comment: &Comment) -> sqlx::Result<()> {
    save_nft_record(tx, comment).await?;
    producers::comment_created(tx, &CommentOut::from(comment.clone())).await
}

/// A comment was changed by its author.
pub async fn updated(tx: &mut PgTransaction<'_>, comment: &Comment) -> sqlx::Result<()> {
    save_nft_record(tx, comment).await?;
    producers::comment_updated(tx, &CommentOut::from(comment.clone())).await
}

/// A comment was deleted for good, by its author or by a moderator: its thread is deleted with it.
pub async fn deleted(tx: &mut PgTransaction<'_>, comment: &Comment) -> sqlx::Result<()> {
    threads::signals::deleted(tx, &[comment.id], None).await?;
    producers::comments_deleted(tx, vec![CommentOut::from(comment.clone())]).await
}

/// A comment was hidden on moderation's request. The contract has a deletion in its place, and so the stream has one, which keeps
/// counters exact, with `hidden_at`, by which it is told from a deletion for good. Its NFT record stays: a token that it has is the
/// same one when the comment is restored.
pub async fn hidden(tx: &mut PgTransaction<'_>, comment: &Comment) -> sqlx::Result<()> {
    producers::comment_deleted(tx, &CommentOut::from(comment.clone())).await
}

/// A moderator restored a hidden comment: it is published like a new one, and counted again.
pub async fn restored(tx: &mut PgTransaction<'_>, comment: &Comment) -> sqlx::Result<()> {
    created(tx, comment).await
}

/// Moderation has decided about a comment that this transaction has locked. Returns the comment when that hides it.
pub async fn decided(tx: &mut PgTransaction<'_>, decision: &CommentDecision) -> sqlx::Result<Option<Comment>> {
    let Some(before) = decision.save(tx).await? else { return Ok(None) };
    let CommentDecision { comment_id, version, visibility, .. } = *decision;
    if visibility == DecidedVisibility::Removed {
        removed(tx, comment_id).await?;
    } else if visibility.hides() {
        let comment = Comment::hide(tx, comment_id, decision.reason.as_deref(), None).await?;
        if let Some(comment) = &comment {
            hidden(tx, comment).await?;
            count("hidden");
        }
        return Ok(comment);
    } else if before.is_hidden && (before.visibility.hides() || decision.was_hidden) {
        // Of a comment that is hidden on the request of a service without decisions, a new label restores nothing.
        if let Some(comment) = Comment::restore(tx, comment_id).await? {
            save_nft_record(tx, &comment).await?;
            let comment = RestoredComment { comment: comment.into(), decision_version: version };
            producers::comment_restored(tx, &comment).await?;
            count("restored");
        }
    }
    Ok(None)
}

/// Moderation has decided that a comment is deleted for good, as a moderator can here.
async fn removed(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<()> {
    let Some(comment) = Comment::delete(tx, id, None).await? else { return Ok(()) };
    let target = Some(comment.created_by);
    audit::record(&mut **tx, Entry { who: None, action: "comment_deleted", target, result: "by moderation" }).await?;
    count("removed");
    deleted(tx, &comment).await
}

/// Counts what a decision has done.
fn count(effect: &'static str) {
    metrics::counter!("moderation_effects_total", "effect" => effect).increment(1);
}

/// Deletes comments whose post, or the comment that they reply to, is gone, with the reactions to them, and publishes each deletion, so
/// that the counters of other services stay exact.
pub async fn delete_listed(tx: &mut PgTransaction<'_>, listed: &[Uuid]) -> sqlx::Result<()> {
    let comments = Comment::delete_listed(tx, listed).await?;
    comment_reactions::signals::comments_deleted(tx, &ids(&comments)).await?;
    producers::comments_deleted(tx, comments.into_iter().map(CommentOut::from).collect()).await
}

/// Deletes a page of an erased author's comments and publishes that, without their text; true when there may be more.
pub async fn erase(tx: &mut PgTransaction<'_>, author: Uuid) -> sqlx::Result<bool> {
    let comments = Comment::delete_by_author(tx, author, PAGE).await?;
    threads::signals::deleted(tx, &ids(&comments), Some(author)).await?;
    let is_busy = !comments.is_empty();
    let bare = comments.into_iter().map(|comment| Comment { content: String::new(), ..comment });
    producers::comments_deleted(tx, bare.map(CommentOut::from).collect()).await?;
    Ok(is_busy)
}

fn ids(comments: &[Comment]) -> Vec<Uuid> {
    comments.iter().map(|comment| comment.id).collect()
}

/// Saves the NFT record of a comment.
async fn save_nft_record(tx: &mut PgTransaction<'_>, comment: &Comment) -> sqlx::Result<()> {
    // Python's str(datetime): a blank where RFC 3339 has a T.
    let at = comment.created_at.to_string().replace('T', " ");
    let description = format!("Comment created by {} at {at}", comment.created_by);
    save_nft(tx, comment, &description).await
}
