//! What follows for notifications from a read model that was filled by other ways than events, in one transaction.
use std::collections::{BTreeSet, HashSet};

use chrono::Utc;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::ReviewedActor;
use super::models::{list_uncounted, list_uncounted_connections};
use crate::core::contract::timestamp::Timestamp;
use crate::mentions::models::Mention;
use crate::notifications::causes::models::{list_actors, list_causes, list_connected, list_connections, save_actors};
use crate::notifications::causes::recommendations::models::list_recommended;
use crate::notifications::causes::services::differences;
use crate::notifications::causes::{Cause, Group, Pair, PostActor, Standing};
use crate::notifications::numbers::models::lock_readers;
use crate::notifications::withheld::models::withhold_groups;
use crate::notifications::{NEWS_AGE, Type, kept_since};
use crate::posts::models::PostCount;

/// The rows of people behind groups are compared with their causes, as these are now; how many rows and groups were not true any more.
pub async fn reviewed(tx: &mut PgTransaction<'_>, rows: &[ReviewedActor]) -> sqlx::Result<usize> {
    let on_posts: Vec<&ReviewedActor> = rows.iter().filter(|row| row.group.r#type.is_about_post()).collect();
    let touched: BTreeSet<PostActor> = on_posts.iter().map(|row| post_actor(row)).collect();
    let touched: Vec<PostActor> = touched.into_iter().collect();
    let posts: Vec<Uuid> = touched.iter().map(|touched| touched.post_id).collect();
    let readers: Vec<Uuid> = rows.iter().map(|row| row.group.user_id).collect();
    // In the order of events. A post that changes meanwhile is either seen, or finds what is written here.
    PostCount::create_and_lock(tx, &posts).await?;
    lock_readers(tx, &readers).await?;
    Mention::end_vanished(tx, &posts, &touched.iter().map(|touched| touched.actor_id).collect::<Vec<_>>()).await?;
    let groups: BTreeSet<Uuid> = on_posts.iter().map(|row| row.notification_id).collect();
    let withheld = withhold_groups(tx, &groups.into_iter().collect::<Vec<_>>()).await?;

    let connected = pairs_of(rows, Type::UserConnected);
    let mut known = list_actors(tx, &touched, &readers).await?;
    known.extend(list_connected(tx, &connected).await?);
    let mut causes = list_causes(tx, &touched, &readers).await?;
    causes.extend(list_connections(tx, &connected).await?);
    // Both name other groups of the same people as well; and a row that is gone by now does not come back.
    let reviewed: HashSet<(Group, Uuid)> = rows.iter().map(|row| (row.group, row.actor_id)).collect();
    known.retain(|actor| reviewed.contains(&(actor.group, actor.actor_id)));
    let known_keys: HashSet<(Group, Uuid)> = known.iter().map(|actor| (actor.group, actor.actor_id)).collect();
    causes.retain(|cause| known_keys.contains(&(cause.group, cause.actor_id)));
    let mut changed = without_old_news(differences(causes, known, kept_since()));
    changed.extend(list_recommended(tx, &pairs_of(rows, Type::ConnectionRecommendation)).await?);
    save_actors(tx, &changed).await?;
    Ok(changed.len() + withheld)
}

/// What people did on posts was copied from the service that owns it: they are counted in the groups that exist. This transaction has
/// locked the counts of the posts.
pub async fn interactions_copied(tx: &mut PgTransaction<'_>, interactions: &[PostActor]) -> sqlx::Result<()> {
    let readers = readers_of(&list_uncounted(tx, interactions, kept_since()).await?);
    if readers.is_empty() {
        return Ok(());
    }
    lock_readers(tx, &readers).await?;
    let causes = list_uncounted(tx, interactions, kept_since()).await?;
    count(tx, causes, &readers).await
}

/// The same for people who connected to others.
pub async fn connections_copied(tx: &mut PgTransaction<'_>, pairs: &[Pair]) -> sqlx::Result<()> {
    let readers = readers_of(&list_uncounted_connections(tx, pairs, kept_since()).await?);
    if readers.is_empty() {
        return Ok(());
    }
    lock_readers(tx, &readers).await?;
    let causes = list_uncounted_connections(tx, pairs, kept_since()).await?;
    count(tx, causes, &readers).await
}

fn post_actor(row: &ReviewedActor) -> PostActor {
    PostActor { post_id: row.group.subject_id, actor_id: row.actor_id }
}

/// The pairs of reader and person in rows of a type, each once.
fn pairs_of(rows: &[ReviewedActor], r#type: Type) -> Vec<Pair> {
    let rows = rows.iter().filter(|row| row.group.r#type == r#type);
    let pairs: BTreeSet<Pair> = rows.map(|row| Pair { user_id: row.group.user_id, actor_id: row.actor_id }).collect();
    pairs.into_iter().collect()
}

fn readers_of(causes: &[Cause]) -> Vec<Uuid> {
    let readers: BTreeSet<Uuid> = causes.iter().map(|cause| cause.group.user_id).collect();
    readers.into_iter().collect()
}

/// Adds people to groups of these readers, which this transaction has locked before it read the causes.
async fn count(tx: &mut PgTransaction<'_>, mut causes: Vec<Cause>, readers: &[Uuid]) -> sqlx::Result<()> {
    causes.retain(|cause| readers.contains(&cause.group.user_id));
    save_actors(tx, &without_old_news(differences(causes, Vec::new(), kept_since()))).await
}

/// The same rows; of what happened more than a day ago none is news.
fn without_old_news(mut changed: Vec<Standing>) -> Vec<Standing> {
    let recent = Timestamp(Utc::now() - NEWS_AGE);
    for actor in &mut changed {
        actor.is_news &= actor.at > recent;
    }
    changed
}
