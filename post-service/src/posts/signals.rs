//! What follows from a change of a post, in the change's transaction: its NFT record, its rating, its events.
use std::collections::HashMap;

use sqlx::PgTransaction;
use uuid::Uuid;

use super::Status;
use super::events::producers;
use super::models::{Delta, Post, save_nft};
use super::schemas::PostOut;
use super::services::{metadata, popularity, score};

/// A post was written.
pub async fn created(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<()> {
    published(tx, post).await?;
    producers::post_created(tx, &PostOut::from(post.clone())).await
}

/// A post was changed by its author.
pub async fn updated(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<()> {
    published(tx, post).await?;
    producers::post_updated(tx, &PostOut::from(post.clone())).await
}

/// A post was deleted, by its author or by moderation.
pub async fn deleted(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<()> {
    producers::post_deleted(tx, &PostOut::from(post.clone())).await
}

/// Posts were viewed, commented or reacted to.
pub async fn counted(tx: &mut PgTransaction<'_>, deltas: &HashMap<Uuid, Delta>) -> sqlx::Result<()> {
    let counted = Post::count(tx, deltas).await?;
    let ratings: Vec<_> = counted
        .iter()
        .map(|post| {
            let score = score(post.total_views, post.total_comments, post.total_reactions);
            (post.id, score, popularity(post.total_views, post.connections))
        })
        .collect();
    Post::rate(tx, &ratings).await
}

/// Keeps the NFT record of a post that everybody sees; one that was taken back keeps the record of what it was.
async fn published(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<()> {
    if post.status != Status::Posted {
        return Ok(());
    }
    // Python's str(datetime): a blank where RFC 3339 has a T.
    let at = post.created_at.to_string().replace('T', " ");
    save_nft(tx, post, &format!("Post created by {} at {at}", post.created_by), &metadata(post)).await
}
