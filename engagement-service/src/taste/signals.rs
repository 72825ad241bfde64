//! What follows from tastes that were linked, fetched or forgotten, in the same transaction.
use std::collections::BTreeSet;

use sqlx::PgTransaction;
use uuid::Uuid;

use super::matching::models::TasteMatch;
use super::models::{DueTaste, Taste, TasteLink};
use super::services::TasteItems;

/// Matches that are kept of a person.
const KEPT: usize = 20;

/// Accounts were linked or unlinked.
pub async fn links_changed(tx: &mut PgTransaction<'_>, links: &[TasteLink]) -> sqlx::Result<()> {
    Taste::save_links(tx, links).await
}

/// A taste was fetched.
pub async fn fetched(tx: &mut PgTransaction<'_>, due: DueTaste, items: &TasteItems) -> sqlx::Result<bool> {
    Taste::save(tx, due, items).await
}

/// Looks for those who listen to the same as people do whose taste was fetched.
pub async fn match_tastes(tx: &mut PgTransaction<'_>, people: &[Uuid]) -> sqlx::Result<()> {
    let pairs = TasteMatch::list_candidates(tx, people).await?;
    let compared: BTreeSet<Uuid> = pairs.iter().flat_map(|(one, other)| [*one, *other]).collect();
    let items = TasteMatch::load_items(tx, &compared.into_iter().collect::<Vec<_>>()).await?;
    let mut matches: Vec<TasteMatch> = pairs
        .into_iter()
        .filter_map(|(person_id, other_id)| {
            let similarity = items.get(&person_id)?.similarity(items.get(&other_id)?);
            Some(TasteMatch { person_id, other_id, similarity })
        })
        .collect();
    matches.sort_by(|one, other| one.person_id.cmp(&other.person_id).then(other.similarity.total_cmp(&one.similarity)));
    let best: Vec<TasteMatch> = matches
        .chunk_by(|one, other| one.person_id == other.person_id)
        .flat_map(|of_one| of_one.iter().take(KEPT).copied())
        .collect();
    TasteMatch::save(tx, people, &best).await
}

/// A person shares their taste, or keeps it to themselves; false when they have none.
pub async fn shared(tx: &mut PgTransaction<'_>, person: Uuid, shared: bool) -> sqlx::Result<bool> {
    Taste::share(tx, person, shared).await
}

/// A person wants their taste forgotten.
pub async fn forgotten(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<()> {
    Taste::forget(tx, person).await
}
