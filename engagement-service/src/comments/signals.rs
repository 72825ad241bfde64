//! What follows from a version of a comment, in one transaction: its row and the count of its post.
use std::collections::{BTreeMap, HashMap};

use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::CommentCard;
use super::services::{counted, merge};
use crate::posts::models::{CountChange, PostCount};

/// Comments were written, changed, hidden or deleted; the result is the same in every order of events.
pub async fn changed(tx: &mut PgTransaction<'_>, received: Vec<CommentCard>) -> sqlx::Result<()> {
    let posts: Vec<Uuid> = received.iter().map(|comment| comment.post_id).collect();
    PostCount::create_and_lock(tx, &posts).await?;
    let ids: Vec<Uuid> = received.iter().map(|comment| comment.id).collect();
    let before: HashMap<Uuid, CommentCard> =
        CommentCard::list(tx, &ids).await?.into_iter().map(|comment| (comment.id, comment)).collect();
    let mut after = before.clone();
    for comment in received {
        let known = after.remove(&comment.id);
        after.insert(comment.id, merge(known, comment));
    }
    after.retain(|id, comment| before.get(id) != Some(comment));
    let mut changes: BTreeMap<Uuid, CountChange> = BTreeMap::new();
    for (id, comment) in &after {
        changes.entry(comment.post_id).or_default().comments += counted(comment) - before.get(id).map_or(0, counted);
    }
    CommentCard::save(tx, &after.into_values().collect::<Vec<_>>()).await?;
    PostCount::add(tx, &changes).await
}
