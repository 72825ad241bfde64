//! What follows for recommendations from a change, in its transaction, and the computation of lists.
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use sqlx::PgTransaction;
use uuid::Uuid;

use super::MOST;
use super::candidates::models::{Between, MAX_OWN, PersonAhead, Traits};
use super::models::{DismissedPerson, PeopleRecommendationList, RecommendationDue};
use super::services::{ScoredPerson, gather, rank};
use crate::affinities::models::Affinity;
use crate::notifications;
use crate::notifications::causes::Pair;

/// How long after an activity recommendations are computed: once for all that a person does in this time.
const SETTLING: Duration = Duration::from_mins(1);

/// People were active: their lists are computed soon.
pub async fn active(tx: &mut PgTransaction<'_>, people: &[Uuid]) -> sqlx::Result<()> {
    RecommendationDue::create(tx, people, SETTLING).await
}

/// Computes the lists of people anew and saves them; their affinities as well, where they are stale or `all` is said.
pub async fn refresh(tx: &mut PgTransaction<'_>, people: &[Uuid], all: bool) -> sqlx::Result<()> {
    Affinity::refresh(tx, people, all).await?;
    let ahead = PersonAhead::list(tx, people).await?;
    let own = usize::try_from(MAX_OWN).unwrap_or(usize::MAX);
    let near: BTreeSet<Uuid> = ahead.iter().flat_map(|person| person.own.iter().take(own)).copied().collect();
    let between = Between::list(&mut **tx, &near.into_iter().collect::<Vec<_>>()).await?;
    let gathered: HashMap<Uuid, Vec<ScoredPerson>> =
        ahead.iter().map(|person| (person.user_id, gather(person, &between))).collect();
    let looked_at: BTreeSet<Uuid> =
        gathered.iter().flat_map(|(user, list)| list.iter().map(|one| one.id).chain([*user])).collect();
    let traits = Traits::list(&mut **tx, &looked_at.into_iter().collect::<Vec<_>>()).await?;
    let ranked = gathered.into_iter().filter_map(|(user, list)| {
        let own = traits.get(&user)?;
        Some((user, rank(list, own, &traits, MOST)))
    });
    let lists: Vec<_> = ranked.collect();
    PeopleRecommendationList::save(tx, &lists).await
}

/// A user wants no more to be recommended a person, or is connected to them; false when the person does not exist for them.
pub async fn dismissed(tx: &mut PgTransaction<'_>, user: Uuid, other: Uuid) -> sqlx::Result<bool> {
    let exists = DismissedPerson::create(tx, user, other).await?;
    if exists {
        notifications::signals::recommendations_changed(tx, &[Pair { user_id: user, actor_id: other }]).await?;
    }
    Ok(exists)
}
