//! What follows from a version of a reaction, in one transaction: its row and the count of its post.
use std::collections::{BTreeMap, HashMap};

use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::ReactionCard;
use super::services::{counted, merge};
use crate::posts::models::{CountChange, PostCount};

/// Users reacted, changed their reactions or took them back; the result is the same in every order of events.
pub async fn changed(tx: &mut PgTransaction<'_>, received: Vec<ReactionCard>) -> sqlx::Result<()> {
    let posts: Vec<Uuid> = received.iter().map(|reaction| reaction.post_id).collect();
    PostCount::create_and_lock(tx, &posts).await?;
    let ids: Vec<Uuid> = received.iter().map(|reaction| reaction.id).collect();
    let before: HashMap<Uuid, ReactionCard> =
        ReactionCard::list(tx, &ids).await?.into_iter().map(|reaction| (reaction.id, reaction)).collect();
    let mut after = before.clone();
    for reaction in received {
        let known = after.remove(&reaction.id);
        after.insert(reaction.id, merge(known, reaction));
    }
    after.retain(|id, reaction| before.get(id) != Some(reaction));
    let mut changes: BTreeMap<Uuid, CountChange> = BTreeMap::new();
    for (id, reaction) in &after {
        changes.entry(reaction.post_id).or_default().reactions += counted(reaction) - before.get(id).map_or(0, counted);
    }
    ReactionCard::save(tx, &after.into_values().collect::<Vec<_>>()).await?;
    PostCount::add(tx, &changes).await
}
