//! What follows from activity, in one transaction: the users' sums, their scores, and the event of a new level.
use std::collections::{BTreeSet, HashMap};

use chrono::{Days, NaiveDate};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::events::producers;
use super::models::{Changes, LockedProfile, Post, Profile, Rating};
use super::services::{WINDOW, add_post, level, merge, score};

/// Users signed up: creates their profiles.
pub async fn registered(tx: &mut PgTransaction<'_>, users: &BTreeSet<Uuid>) -> sqlx::Result<()> {
    Profile::create_and_lock(tx, users).await?;
    Ok(())
}

/// Users commented, reacted or viewed, or deleted a comment or reaction.
pub async fn acted(tx: &mut PgTransaction<'_>, mut changes: Changes, today: NaiveDate) -> sqlx::Result<()> {
    let locked = Profile::create_and_lock(tx, &changes.users()).await?;
    changes.remove_zeros();
    Profile::add_to_sums(tx, &changes).await?;
    rescore(tx, &locked, today).await
}

/// Posts were created, changed or deleted; the sums are the same in every order of events.
pub async fn posts_changed(tx: &mut PgTransaction<'_>, received: Vec<Post>, today: NaiveDate) -> sqlx::Result<()> {
    // All events of a post have the same author, whose lock keeps other transactions from changing the stored post.
    let locked = Profile::create_and_lock(tx, &received.iter().map(|post| post.user_id).collect()).await?;
    let ids: Vec<Uuid> = received.iter().map(|post| post.id).collect();
    let before: HashMap<Uuid, Post> = Post::list(tx, &ids).await?.into_iter().map(|post| (post.id, post)).collect();
    let mut after = before.clone();
    for post in received {
        let known = after.remove(&post.id);
        after.insert(post.id, merge(known, post));
    }
    after.retain(|id, post| before.get(id) != Some(post));
    let mut changes = Changes::default();
    for (id, post) in &after {
        if let Some(old) = before.get(id) {
            add_post(&mut changes, old, -1);
        }
        add_post(&mut changes, post, 1);
    }
    changes.remove_zeros();
    Post::save(tx, &after.into_values().collect::<Vec<_>>()).await?;
    Profile::add_to_sums(tx, &changes).await?;
    rescore(tx, &locked, today).await
}

/// A day has passed for these users: recalculates their scores.
pub async fn day_passed(tx: &mut PgTransaction<'_>, users: &[Uuid], today: NaiveDate) -> sqlx::Result<()> {
    let locked = Profile::lock(tx, users).await?;
    rescore(tx, &locked, today).await
}

/// Recalculates scores and publishes changes of levels.
async fn rescore(tx: &mut PgTransaction<'_>, locked: &[LockedProfile], today: NaiveDate) -> sqlx::Result<()> {
    let users: Vec<Uuid> = locked.iter().map(|profile| profile.user_id).collect();
    let counts = Profile::count_window(tx, &users, today - Days::new(WINDOW - 1), today).await?;
    let rate = |user_id: Uuid| {
        let engagement_score = score(counts.get(&user_id).copied().unwrap_or_default());
        let scored_on = counts.contains_key(&user_id).then_some(today);
        Rating { user_id, engagement_score, status: level(engagement_score), scored_on }
    };
    let ratings: Vec<Rating> = users.iter().map(|user| rate(*user)).collect();
    Profile::save_ratings(tx, &ratings).await?;
    for (profile, rating) in locked.iter().zip(&ratings) {
        if profile.status != rating.status {
            producers::level_changed(tx, profile.status, rating).await?;
        }
    }
    Ok(())
}
