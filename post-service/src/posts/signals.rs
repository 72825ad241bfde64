//! What follows from a change of a post, in the same transaction: its NFT record, its score and popularity, its events.
use std::collections::HashMap;

use sqlx::PgTransaction;
use uuid::Uuid;

use super::Status;
use super::authors::models::delete_author;
use super::events::producers;
use super::models::{Delta, Post, delete_nft, save_nft};
use super::schemas::PostOut;
use super::services::{metadata, popularity, score};

/// Posts deleted in one statement when their author's data is erased.
const BATCH: i64 = 200;

/// A post was written.
pub async fn created(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<()> {
    save_nft_record(tx, post).await?;
    producers::post_created(tx, &PostOut::from(post.clone())).await
}

/// A post was changed by its author.
pub async fn updated(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<()> {
    save_nft_record(tx, post).await?;
    producers::post_updated(tx, &PostOut::from(post.clone())).await
}

/// A post was deleted for good, by its author or by a moderator, hidden or not.
pub async fn deleted(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<()> {
    let post = Post { hidden_at: None, hidden_reason: None, ..post.clone() };
    producers::post_deleted(tx, &PostOut::from(post)).await
}

/// A post was hidden on moderation's request. The contract has a deletion in its place, and so the stream has one, with
/// `hidden_at`, by which a service that can show it again tells it from a deletion for good.
pub async fn hidden(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<()> {
    delete_nft(tx, post.id).await?;
    producers::post_deleted(tx, &PostOut::from(post.clone())).await
}

/// A moderator restored a hidden post: it is published like a new one.
pub async fn restored(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<()> {
    created(tx, post).await
}

/// Deletes a batch of an erased author's posts and publishes that, without their text; true when there may be more.
pub async fn erase(tx: &mut PgTransaction<'_>, author: Uuid) -> sqlx::Result<bool> {
    let posts = Post::delete_by_author(tx, author, BATCH).await?;
    for post in &posts {
        deleted(tx, &Post { title: None, content: String::new(), ..post.clone() }).await?;
    }
    delete_author(tx, author).await?;
    Ok(!posts.is_empty())
}

/// Posts were viewed, commented on or reacted to.
pub async fn counted(tx: &mut PgTransaction<'_>, deltas: &HashMap<Uuid, Delta>) -> sqlx::Result<()> {
    let counters = Post::add_to_counters(tx, deltas).await?;
    let ratings: Vec<_> = counters
        .iter()
        .map(|post| {
            let score = score(post.total_views, post.total_comments, post.total_reactions);
            (post.id, score, popularity(post.total_views, post.connections))
        })
        .collect();
    Post::save_ratings(tx, &ratings).await
}

/// Saves the NFT record of a published post; a post that is archived keeps the record as it was.
async fn save_nft_record(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<()> {
    if post.status != Status::Posted {
        return Ok(());
    }
    // Python's str(datetime): a blank where RFC 3339 has a T.
    let at = post.created_at.to_string().replace('T', " ");
    save_nft(tx, post, &format!("Post created by {} at {at}", post.created_by), &metadata(post)).await
}
