//! The job that deletes what recommendations do not need any more.
use chrono::{TimeDelta, Utc};

use super::disinterest::models::Disinterest;
use super::models::PostRecommendationList;
use super::seen::models::SeenPost;
use super::similar::models::SimilarPosts;
use super::window::WINDOW_DAYS;
use crate::core::app::App;
use crate::core::contract::timestamp::Timestamp;
use crate::core::ground::jobs::Job;

/// When it is deleted: lists are kept for an hour.
const SCHEDULE: &str = "30 */10 * * * *";
/// How long a list is kept, in minutes.
const LIST_MINUTES: i64 = 60;
/// How long similar posts are kept that no pass found again, in days.
const SIMILAR_DAYS: i64 = 1;
/// Rows deleted by one statement.
const BATCH: i64 = 2_000;

/// The job that deletes lists of more than an hour ago, and what is about posts that are too old to be recommended.
pub fn job(app: &App) -> Job {
    Job::new("post_recommendations", SCHEDULE, app.clone(), |app| async move { purge(&app).await })
}

/// Deletes them, a batch at a time.
pub async fn purge(app: &App) -> anyhow::Result<()> {
    let ago = |age: TimeDelta| Timestamp(Utc::now() - age);
    let old = ago(TimeDelta::days(WINDOW_DAYS + 1));
    let list = ago(TimeDelta::minutes(LIST_MINUTES));
    let similar = ago(TimeDelta::days(SIMILAR_DAYS));
    while !app.stop.is_cancelled() && PostRecommendationList::purge(&app.db, list, BATCH).await? > 0 {}
    while !app.stop.is_cancelled() && SeenPost::purge(&app.db, old, BATCH).await? > 0 {}
    while !app.stop.is_cancelled() && Disinterest::purge(&app.db, old, BATCH).await? > 0 {}
    while !app.stop.is_cancelled() && SimilarPosts::purge(&app.db, similar, BATCH).await? > 0 {}
    Ok(())
}
