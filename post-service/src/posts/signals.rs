//! What follows from a change of a post, in the same transaction: its NFT record, its score and popularity, its events.
use std::collections::HashMap;

use sqlx::PgTransaction;
use uuid::Uuid;

use super::Status;
use super::authors::models::delete_author;
use super::decisions::DecidedVisibility;
use super::decisions::models::PostDecision;
use super::events::producers;
use super::models::{Delta, Post};
use super::nfts::models::{delete_nft, save_nft};
use super::schemas::{PostOut, RestoredPost};
use super::services::{popularity, score};
use super::shown;
use crate::core::doors::audit::{self, Entry};
use crate::items::models::Item;
use crate::nfts::NftKind;
use crate::nfts::signals::{Withdrawal, withdrawn};
use crate::{items, media, search, tags};

/// Posts deleted in one statement when their author's data is erased.
const BATCH: i64 = 200;

/// A post was written. Returns it as it is shown.
pub async fn created(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<PostOut> {
    save_nft_record(tx, post).await?;
    tags::signals::saved(tx, post).await?;
    search::signals::changed(tx, post).await?;
    let shown = shown::as_published(tx, post.clone()).await?;
    producers::post_created(tx, &shown).await?;
    Ok(shown)
}

/// A post was changed by its author. Returns it as it is shown.
pub async fn updated(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<PostOut> {
    save_nft_record(tx, post).await?;
    if post.status != Status::Posted {
        withdrawn(tx, NftKind::Post, &[post.id], Withdrawal::Archived).await?;
    }
    tags::signals::saved(tx, post).await?;
    search::signals::changed(tx, post).await?;
    let shown = shown::as_published(tx, post.clone()).await?;
    producers::post_updated(tx, &shown).await?;
    Ok(shown)
}

/// A post was deleted for good, by its author or by a moderator, hidden or not.
pub async fn deleted(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<()> {
    withdrawn(tx, NftKind::Post, &[post.id], Withdrawal::Deleted).await?;
    media::signals::posts_deleted(tx, &[post.id]).await?;
    producers::post_deleted(tx, &last_shown(post.clone())).await
}

/// A deleted post as its last event has it: whether it was hidden before makes no difference any more.
fn last_shown(post: Post) -> PostOut {
    PostOut::from(Post { hidden_at: None, hidden_reason: None, ..post })
}

/// A post was hidden on moderation's request. The contract has a deletion in its place, and so the stream has one, with
/// `hidden_at`, by which a service that can show it again tells it from a deletion for good.
pub async fn hidden(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<()> {
    delete_nft(tx, post.id).await?;
    withdrawn(tx, NftKind::Post, &[post.id], Withdrawal::Hidden).await?;
    tags::signals::hidden(tx, post.id).await?;
    search::signals::hidden(tx, post.id).await?;
    let shown = shown::as_published(tx, post.clone()).await?;
    producers::post_deleted(tx, &shown).await
}

/// A moderator restored a hidden post: it is published like a new one.
pub async fn restored(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<PostOut> {
    items::signals::published(tx, post).await?;
    created(tx, post).await
}

/// Moderation has decided about a post that this transaction has locked. Returns the post when that hides it. The pictures of one that it
/// deletes are still there: they go with those of all others that the transaction deletes.
pub async fn decided(tx: &mut PgTransaction<'_>, decision: &PostDecision) -> sqlx::Result<Option<Post>> {
    let Some(before) = decision.save(tx).await? else { return Ok(None) };
    let PostDecision { post_id, version, visibility, .. } = *decision;
    if visibility == DecidedVisibility::Removed {
        removed(tx, post_id).await?;
    } else if visibility.hides() {
        let post = Post::hide(tx, post_id, decision.reason.as_deref(), None).await?;
        if let Some(post) = &post {
            hidden(tx, post).await?;
            count("hidden");
        }
        return Ok(post);
    } else if before.is_hidden && (before.visibility.hides() || decision.was_hidden) {
        // Of a post that is hidden on the request of a service without decisions, a new label restores nothing.
        if let Some(post) = Post::restore(tx, post_id).await? {
            items::signals::published(tx, &post).await?;
            save_nft_record(tx, &post).await?;
            tags::signals::saved(tx, &post).await?;
            search::signals::changed(tx, &post).await?;
            let post = RestoredPost { post: shown::as_published(tx, post).await?, decision_version: version };
            producers::post_restored(tx, &post).await?;
            count("restored");
        }
    } else if !before.is_hidden && decision.locked.is_some_and(|locked| locked != before.is_locked) {
        for post in Post::renew(tx, &[post_id]).await? {
            let post = shown::as_published(tx, post).await?;
            producers::post_updated(tx, &post).await?;
        }
        count(if before.is_locked { "unlocked" } else { "locked" });
    }
    Ok(None)
}

/// Moderation has decided that a post is deleted for good, as a moderator can here.
async fn removed(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<()> {
    let Some(post) = Post::delete(tx, id, None).await? else { return Ok(()) };
    let entry = Entry { who: None, action: "post_deleted", target: Some(post.created_by), result: "by moderation" };
    audit::record(&mut **tx, entry).await?;
    count("removed");
    withdrawn(tx, NftKind::Post, &[id], Withdrawal::Deleted).await?;
    producers::post_deleted(tx, &last_shown(post)).await
}

/// Counts what a decision has done.
fn count(effect: &'static str) {
    metrics::counter!("moderation_effects_total", "effect" => effect).increment(1);
}

/// Deletes a batch of an erased author's posts, with items that no other post has, and publishes that, without their text; true when there may be more.
pub async fn erase(tx: &mut PgTransaction<'_>, author: Uuid) -> sqlx::Result<bool> {
    delete_author(tx, author).await?;
    let ids = Post::lock_by_author(tx, author, BATCH).await?;
    if ids.is_empty() {
        return Ok(false);
    }
    let items = Item::lock_of_posts(tx, &ids).await?;
    let posts = Post::delete_all(tx, &ids).await?;
    Item::forget(tx, &items).await?;
    withdrawn(tx, NftKind::Post, &ids, Withdrawal::Deleted).await?;
    media::signals::posts_deleted(tx, &ids).await?;
    let bare = |post| last_shown(Post { title: None, content: String::new(), ..post });
    producers::posts_deleted(tx, &posts.into_iter().map(bare).collect::<Vec<_>>()).await?;
    Ok(true)
}

/// Posts were viewed, commented on or reacted to.
pub async fn counted(tx: &mut PgTransaction<'_>, deltas: &HashMap<Uuid, Delta>) -> sqlx::Result<()> {
    let counters = Post::add_to_counters(tx, deltas).await?;
    let ratings: Vec<_> = counters
        .iter()
        .map(|post| {
            let score = score(post.views, post.total_comments, post.total_reactions);
            (post.id, score, popularity(post.views, post.connections))
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
    save_nft(tx, post, &format!("Post created by {} at {at}", post.created_by)).await
}
