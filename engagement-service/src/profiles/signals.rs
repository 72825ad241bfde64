//! What follows from what people do, in one transaction: their sums, their score, and the news of a new level.
use std::collections::{BTreeSet, HashMap};

use chrono::{Days, NaiveDate};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::events::producers;
use super::models::{Changes, Post, Profile, Rating, Standing};
use super::services::{WINDOW, level, merge, score, tally};

/// People signed up: each has a profile from now on.
pub async fn registered(tx: &mut PgTransaction<'_>, users: &BTreeSet<Uuid>) -> sqlx::Result<()> {
    Profile::open(tx, users).await?;
    Ok(())
}

/// People commented, reacted or viewed, or took it back.
pub async fn acted(tx: &mut PgTransaction<'_>, mut changes: Changes, today: NaiveDate) -> sqlx::Result<()> {
    let standings = Profile::open(tx, &changes.users()).await?;
    changes.settle();
    Profile::count(tx, &changes).await?;
    rescore(tx, &standings, today).await
}

/// Posts were written, changed or deleted; in whatever order that is heard, the sums come out the same.
pub async fn posts_changed(tx: &mut PgTransaction<'_>, heard: Vec<Post>, today: NaiveDate) -> sqlx::Result<()> {
    // All events of a post are its author's: under their lock nobody else changes what is known of it.
    let standings = Profile::open(tx, &heard.iter().map(|post| post.user_id).collect()).await?;
    let ids: Vec<Uuid> = heard.iter().map(|post| post.id).collect();
    let before: HashMap<Uuid, Post> = Post::known(tx, &ids).await?.into_iter().map(|post| (post.id, post)).collect();
    let mut after = before.clone();
    for post in heard {
        let known = after.remove(&post.id);
        after.insert(post.id, merge(known, post));
    }
    after.retain(|id, post| before.get(id) != Some(post));
    let mut changes = Changes::default();
    for (id, post) in &after {
        if let Some(old) = before.get(id) {
            tally(&mut changes, old, -1);
        }
        tally(&mut changes, post, 1);
    }
    changes.settle();
    Post::save(tx, &after.into_values().collect::<Vec<_>>()).await?;
    Profile::count(tx, &changes).await?;
    rescore(tx, &standings, today).await
}

/// A day went by for these people: what they did is as much further in the past.
pub async fn time_passed(tx: &mut PgTransaction<'_>, users: &[Uuid], today: NaiveDate) -> sqlx::Result<()> {
    let standings = Profile::lock(tx, users).await?;
    rescore(tx, &standings, today).await
}

/// Calculates anew how engaged people are, and tells of those who reach another level.
async fn rescore(tx: &mut PgTransaction<'_>, standings: &[Standing], today: NaiveDate) -> sqlx::Result<()> {
    let users: Vec<Uuid> = standings.iter().map(|standing| standing.user_id).collect();
    let counts = Profile::window(tx, &users, today - Days::new(WINDOW - 1), today).await?;
    let rate = |user_id: Uuid| {
        let engagement_score = score(counts.get(&user_id).copied().unwrap_or_default());
        let scored_on = counts.contains_key(&user_id).then_some(today);
        Rating { user_id, engagement_score, status: level(engagement_score), scored_on }
    };
    let ratings: Vec<Rating> = users.iter().map(|user| rate(*user)).collect();
    Profile::rate(tx, &ratings).await?;
    for (standing, rating) in standings.iter().zip(&ratings) {
        if standing.status != rating.status {
            producers::level_changed(tx, standing.status, rating).await?;
        }
    }
    Ok(())
}
