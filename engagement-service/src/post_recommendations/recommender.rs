//! Makes lists of posts for readers: what may be recommended, ranked and put together.
//!
//! A list is made when its reader asks for it, and not for all readers in advance: a list of each of a million people would cost what a
//! pass over all posts costs, most of them would be read by none, and each would be older than what its reader did last. What is expensive,
//! finding similar posts, is done in advance for all readers at once (`similar`).
use axum::extract::FromRef;
use chrono::Utc;
use uuid::Uuid;

use super::candidates::models::{list_candidates, list_categories};
use super::models::{PostRecommendationList, RecommendedEntry};
use super::services::{Pick, pick};
use super::settings::RecommendationSettings;
use super::window::oldest_key;
use crate::core::app::App;
use crate::feeds::merge::models::{PlanMode, begin};

/// Posts of a list: four pages of the usual size.
const PLACES: usize = 200;
/// Views up to which few have seen a post.
pub const FEW_VIEWS: i64 = 20;
/// How long finding candidates may take, in milliseconds.
const LIST_TIMEOUT: u32 = 2_000;
/// How long the entries of a page may take, in milliseconds.
const PAGE_TIMEOUT: u32 = 2_000;
/// How long a reader begins from the same list, in minutes, unless they did something.
const CURRENT_MINUTES: i32 = 10;

/// What recommends posts.
#[derive(Clone)]
pub struct PostRecommender {
    pub app: App,
    pub settings: RecommendationSettings,
}

impl FromRef<PostRecommender> for App {
    fn from_ref(recommender: &PostRecommender) -> Self {
        recommender.app.clone()
    }
}

impl PostRecommender {
    /// The list from which a reader begins: the one that is there, or a new one.
    pub async fn current(&self, reader: Uuid) -> sqlx::Result<Uuid> {
        let current = PostRecommendationList::find_current(&self.app.db, reader, CURRENT_MINUTES).await?;
        let origin = if current.id.is_some() { "kept" } else { "made" };
        metrics::counter!("recommendation_lists_total", "origin" => origin).increment(1);
        if let Some(list) = current.id {
            return Ok(list);
        }
        let picks = self.pick(reader).await?;
        for pick in &picks {
            metrics::counter!("recommended_posts_total", "source" => pick.source.word()).increment(1);
        }
        let mut tx = self.app.db.begin().await?;
        let list = PostRecommendationList::create(&mut tx, reader, current.read_at, &picks).await?;
        tx.commit().await?;
        Ok(list)
    }

    /// What a reader sees of a list behind a place: as many posts as are asked for, or all that are left.
    pub async fn entries(
        &self,
        reader: Uuid,
        list: Uuid,
        behind: i64,
        rows: i64,
    ) -> sqlx::Result<Vec<RecommendedEntry>> {
        let mut tx = begin(&self.app.db, PAGE_TIMEOUT, PlanMode::Generic).await?;
        let entries = PostRecommendationList::list_entries(&mut *tx, reader, list, behind, rows).await?;
        tx.commit().await?;
        Ok(entries)
    }

    /// The posts for a reader, the best first.
    pub async fn pick(&self, reader: Uuid) -> sqlx::Result<Vec<Pick>> {
        let now = Utc::now();
        let mut tx = begin(&self.app.db, LIST_TIMEOUT, PlanMode::Generic).await?;
        let shares = list_categories(&mut *tx, reader).await?;
        let categories: Vec<String> = shares.iter().map(|share| share.category.clone()).collect();
        let candidates = list_candidates(&mut *tx, reader, &categories, FEW_VIEWS, oldest_key(now)).await?;
        tx.commit().await?;
        let exploration = self.settings.recommendation_exploration;
        Ok(pick(&mut rand::rng(), now, candidates, &shares, exploration, PLACES))
    }
}
