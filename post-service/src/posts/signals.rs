//! What follows from a change of a post, in the change's transaction: its NFT record, its rating, its events.
use std::collections::HashMap;

use sqlx::PgTransaction;
use uuid::Uuid;

use super::Status;
use super::events::producers;
use super::models::{Delta, Post, forget_author, save_nft};
use super::schemas::PostOut;
use super::services::{metadata, popularity, score};

/// Posts deleted in one statement when their author leaves.
const BATCH: i64 = 200;

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

/// Some posts of an author who left are deleted, and told without a word of them; true when there may be more.
pub async fn erase(tx: &mut PgTransaction<'_>, author: Uuid) -> sqlx::Result<bool> {
    let posts = Post::remove_of(tx, author, BATCH).await?;
    for post in &posts {
        deleted(tx, &Post { title: None, content: String::new(), ..post.clone() }).await?;
    }
    forget_author(tx, author).await?;
    Ok(!posts.is_empty())
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
