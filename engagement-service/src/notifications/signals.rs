//! What follows for notifications from a change of the read model, in its transaction.
use std::collections::BTreeSet;

use sqlx::PgTransaction;
use uuid::Uuid;

use super::causes::models::{
    delete_actor, list_actors, list_actors_of, list_causes, list_connected, list_connections, save_actors,
};
use super::causes::pairs::models::list_interactions;
use super::causes::recommendations::models::{
    list_recommendable, list_recommended, list_recommended_readers, recommend,
};
use super::causes::services::differences;
use super::causes::threads::models::list_thread_actors;
use super::causes::{Pair, PostActor};
use super::models::{Announcement, Notification};
use super::numbers::models::{lock_readers, wake_streams};
use super::readers::models::{list_new_interactions, list_readers, list_unnotified_actors};
use super::withheld::models::{list_withheld_readers, withhold};
use super::{Type, kept_since};
use crate::core::contract::timestamp::Timestamp;
use crate::posts::models::PostCount;

/// People whose causes one statement reads, and one writes: far fewer than it could in the time that it may take.
const PAGE: usize = 2_000;
/// How much of what two people did to each other is looked up, of each kind the newest, when a block or a mute begins or ends.
const MAX_ACTS: i64 = 5_000;
/// The most people with which a group of a post's author begins, the newest of them. With any number it might not be written within the
/// time that a step may take, and all later events would wait for it.
const MAX_FIRST_ACTORS: i64 = 50_000;

/// People reacted to posts or commented on them, or took that back. This transaction has locked the counts of the posts.
pub async fn interactions_changed(tx: &mut PgTransaction<'_>, interactions: &[PostActor]) -> sqlx::Result<()> {
    let posts: BTreeSet<Uuid> = interactions.iter().map(|touched| touched.post_id).collect();
    let posts: Vec<Uuid> = posts.into_iter().collect();
    let readers = list_readers(tx, &posts, interactions).await?;
    lock_readers(tx, &readers).await?;
    evaluate(tx, &posts, interactions, &readers).await
}

/// Comments were written, restored, hidden or deleted, which concerns who replied or reacted to them as well. This transaction has
/// locked the counts of the posts.
pub async fn comments_changed(
    tx: &mut PgTransaction<'_>,
    comments: &[Uuid],
    mut interactions: BTreeSet<PostActor>,
) -> sqlx::Result<()> {
    interactions.extend(list_thread_actors(tx, comments).await?);
    interactions_changed(tx, &interactions.into_iter().collect::<Vec<_>>()).await
}

/// Posts were created, changed, hidden, restored or deleted. Their counts are locked here: so what is being written about reactions
/// and comments is either seen, or sees the post.
pub async fn posts_changed(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
    PostCount::create_and_lock(tx, posts).await?;
    let interactions = list_new_interactions(tx, posts, kept_since()).await?;
    let mut readers = list_readers(tx, posts, &interactions).await?;
    readers.extend(list_withheld_readers(tx, posts).await?);
    if readers.is_empty() {
        return Ok(());
    }
    lock_readers(tx, &readers).await?;
    withhold(tx, posts).await?;
    evaluate(tx, posts, &interactions, &readers).await
}

/// People connected to others, or ended that.
pub async fn connections_changed(tx: &mut PgTransaction<'_>, pairs: &[Pair]) -> sqlx::Result<()> {
    // Who is connected to a person needs no recommendation of them.
    let found: Vec<Pair> = pairs.iter().map(|pair| Pair { user_id: pair.actor_id, actor_id: pair.user_id }).collect();
    let mut readers = list_recommended_readers(tx, &found).await?;
    readers.extend(pairs.iter().map(|pair| pair.user_id));
    lock_readers(tx, &readers).await?;
    evaluate_connections(tx, pairs).await?;
    evaluate_recommendations(tx, &found).await
}

/// People are recommended to readers, and posts: those of one reader at one moment. A person who may be recommended no more by the time
/// that the readers are locked is left out: what was written until then about blocks, mutes and connections found no such notification.
pub async fn recommended(
    tx: &mut PgTransaction<'_>,
    people: &[Pair],
    readers_of_posts: &[Uuid],
    at: Timestamp,
) -> sqlx::Result<()> {
    let readers: Vec<Uuid> = people.iter().map(|pair| pair.user_id).chain(readers_of_posts.iter().copied()).collect();
    if readers.is_empty() {
        return Ok(());
    }
    lock_readers(tx, &readers).await?;
    let people = list_recommendable(tx, people).await?;
    save_actors(tx, &recommend(&people, at)).await?;
    // Each is a notification of its own: what the last one was about has been read or is old.
    let announcement =
        |user_id: &Uuid| Announcement { user_id: *user_id, subject_id: Uuid::now_v7(), at, levels: None };
    let posts: Vec<_> = readers_of_posts.iter().map(announcement).collect();
    Notification::announce(tx, Type::PostRecommendation, &posts).await
}

/// People may be recommended to readers no more, or again.
pub async fn recommendations_changed(tx: &mut PgTransaction<'_>, pairs: &[Pair]) -> sqlx::Result<()> {
    lock_readers(tx, &pairs.iter().map(|pair| pair.user_id).collect::<Vec<_>>()).await?;
    evaluate_recommendations(tx, pairs).await
}

/// Readers want to be notified of a person no more, or again: a block or a mute began or ended.
pub async fn pairs_changed(tx: &mut PgTransaction<'_>, pairs: &[Pair]) -> sqlx::Result<()> {
    let readers: Vec<Uuid> = pairs.iter().map(|pair| pair.user_id).collect();
    lock_readers(tx, &readers).await?;
    evaluate_connections(tx, pairs).await?;
    evaluate_recommendations(tx, pairs).await?;
    let interactions = list_interactions(tx, pairs, kept_since(), MAX_ACTS).await?;
    let posts: BTreeSet<Uuid> = interactions.iter().map(|touched| touched.post_id).collect();
    evaluate(tx, &posts.into_iter().collect::<Vec<_>>(), &interactions, &readers).await
}

/// Writes what differs for these readers, which this transaction has locked. What concerns others is another transaction's to write.
/// A group of a post's author that does not exist yet is built from all people behind it, so that its count is complete from its
/// beginning, also where reactions were consumed before their post.
async fn evaluate(
    tx: &mut PgTransaction<'_>,
    posts: &[Uuid],
    interactions: &[PostActor],
    readers: &[Uuid],
) -> sqlx::Result<()> {
    let since = kept_since();
    let mut touched: BTreeSet<PostActor> = interactions.iter().copied().collect();
    touched.extend(list_unnotified_actors(tx, posts, readers, since, MAX_FIRST_ACTORS).await?);
    // In their order, which is by post: a page has few groups.
    for page in touched.into_iter().collect::<Vec<_>>().chunks(PAGE) {
        let causes = list_causes(tx, page, readers).await?;
        let known = list_actors(tx, page, readers).await?;
        save_actors(tx, &differences(causes, known, since)).await?;
    }
    Ok(())
}

async fn evaluate_connections(tx: &mut PgTransaction<'_>, pairs: &[Pair]) -> sqlx::Result<()> {
    let connections = list_connections(tx, pairs).await?;
    let known = list_connected(tx, pairs).await?;
    save_actors(tx, &differences(connections, known, kept_since())).await
}

async fn evaluate_recommendations(tx: &mut PgTransaction<'_>, pairs: &[Pair]) -> sqlx::Result<()> {
    let changed = list_recommended(tx, pairs).await?;
    save_actors(tx, &changed).await
}

/// The platform has something to say to readers.
pub async fn announced(tx: &mut PgTransaction<'_>, r#type: Type, all: &[Announcement]) -> sqlx::Result<()> {
    lock_readers(tx, &all.iter().map(|one| one.user_id).collect::<Vec<_>>()).await?;
    Notification::announce(tx, r#type, all).await
}

/// Erases up to `rows` notifications of a person, and as many groups of others that they stand behind; true when there may be more.
pub async fn erase(tx: &mut PgTransaction<'_>, person: Uuid, rows: i64) -> sqlx::Result<bool> {
    let mut actors = list_actors_of(tx, person, rows).await?;
    let mut readers: Vec<Uuid> = actors.iter().map(|actor| actor.group.user_id).collect();
    readers.push(person);
    lock_readers(tx, &readers).await?;
    for actor in &mut actors {
        actor.stands = false;
    }
    save_actors(tx, &actors).await?;
    delete_actor(tx, &actors).await?;
    Ok(Notification::erase(tx, person, rows).await? || !actors.is_empty())
}

/// A reader may want other types listed than before: how many are unread is another number then.
pub async fn listing_changed(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<()> {
    wake_streams(tx, user).await
}

/// A reader viewed notifications: those with these ids, or all up to a time or a change. How many have these ids.
pub async fn viewed(
    tx: &mut PgTransaction<'_>,
    user: Uuid,
    ids: Option<&[Uuid]>,
    up_to: Option<Timestamp>,
    up_to_change: Option<i64>,
) -> sqlx::Result<usize> {
    lock_readers(tx, &[user]).await?;
    Notification::view(tx, user, ids, up_to, up_to_change).await
}

/// A reader deleted a notification; false when there is none.
pub async fn deleted(tx: &mut PgTransaction<'_>, user: Uuid, id: Uuid) -> sqlx::Result<bool> {
    lock_readers(tx, &[user]).await?;
    Notification::delete(tx, user, id).await
}
