//! What follows for recommendations from a change, in its transaction, and the computation of lists.
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use sqlx::PgTransaction;
use uuid::Uuid;

use super::MOST;
use super::candidates::models::{Between, MAX_OWN, PersonAhead, Traits};
use super::models::{DismissedPerson, PeopleRecommendationList};
use super::queues::models::{RecommendationDue, RecommendationReview};
use super::services::{ScoredPerson, gather, rank};
use crate::affinities::models::Affinity;
use crate::notifications;
use crate::notifications::causes::Pair;

/// How long after an activity recommendations are computed: once for all that a person does in this time.
const SETTLING: Duration = Duration::from_mins(1);
/// Readers whose notifications one review changes: far fewer than it could in the time that a step may take.
const MAX_REVIEWED: usize = 500;

/// People were active: their lists are computed soon.
pub async fn active(tx: &mut PgTransaction<'_>, people: &[Uuid]) -> sqlx::Result<()> {
    RecommendationDue::create(tx, people, SETTLING).await
}

/// People changed: their own lists are computed soon, and whether they may still be recommended is looked at.
pub async fn updated(tx: &mut PgTransaction<'_>, people: &[Uuid]) -> sqlx::Result<()> {
    active(tx, people).await?;
    RecommendationReview::create(tx, people).await
}

/// Takes people out of the notifications that recommend them, or back into them, as their account is now. This transaction has taken them
/// out of the queue; they are in it again when more readers were notified of them than are looked at here.
pub async fn review(tx: &mut PgTransaction<'_>, people: &[Uuid]) -> sqlx::Result<()> {
    let rows = i64::try_from(MAX_REVIEWED).unwrap_or(i64::MAX);
    let changed = RecommendationReview::list_changed(tx, people, rows).await?;
    if changed.is_empty() {
        return Ok(());
    }
    notifications::signals::recommendations_changed(tx, &changed).await?;
    if changed.len() == MAX_REVIEWED {
        RecommendationReview::create(tx, people).await?;
    }
    Ok(())
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
