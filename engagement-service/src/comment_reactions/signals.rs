//! What follows from a version of a reaction to a comment: its row.
use std::collections::HashMap;

use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::CommentReactionCard;
use super::services::merge;
use crate::posts::models::PostCount;

/// Users reacted to comments, changed that or took it back; the result is the same in every order of events. The counts of the posts
/// are locked, as by comments, so that what follows for notifications sees the one or the other first.
pub async fn changed(tx: &mut PgTransaction<'_>, received: Vec<CommentReactionCard>) -> sqlx::Result<()> {
    let posts: Vec<Uuid> = received.iter().map(|reaction| reaction.post_id).collect();
    PostCount::create_and_lock(tx, &posts).await?;
    let ids: Vec<Uuid> = received.iter().map(|reaction| reaction.id).collect();
    let before: HashMap<Uuid, CommentReactionCard> =
        CommentReactionCard::list(tx, &ids).await?.into_iter().map(|reaction| (reaction.id, reaction)).collect();
    let mut after = before.clone();
    for reaction in received {
        let known = after.remove(&reaction.id);
        after.insert(reaction.id, merge(known, reaction));
    }
    after.retain(|id, reaction| before.get(id) != Some(reaction));
    CommentReactionCard::save(tx, &after.into_values().collect::<Vec<_>>()).await
}
