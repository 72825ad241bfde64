//! The background work of streams: changes are announced over Redis.
use std::time::Duration;

use redis::AsyncCommands;

use super::NOTIFICATIONS_NEWS;
use super::models::News;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};

/// Readers that are announced in one message, of 16 bytes each.
const PAGE: i64 = 1_000;
/// How often the announcer looks for the changes of other replicas that died before they announced them.
const ANNOUNCER_POLL: Duration = Duration::from_secs(1);
/// How long readers are left alone who are all locked by transactions: without a pause their names would be published over and over.
const LOCKED_PAUSE: Duration = Duration::from_millis(100);

/// Publishes whose notifications changed, after commits. Two of them at once publish twice, which does no harm.
pub struct Announcer(pub App);

impl Worker for Announcer {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let news = News::list_unannounced(&self.0.db, PAGE).await?;
        if news.is_empty() {
            return Ok(Outcome::Idle(ANNOUNCER_POLL));
        }
        let ids: Vec<u8> = news.iter().flat_map(|news| news.user_id.into_bytes()).collect();
        let _: u64 = self.0.redis.clone().publish(NOTIFICATIONS_NEWS, ids).await?;
        let saved = News::save_announced(&self.0.db, &news).await?;
        Ok(if saved > 0 { Outcome::Busy } else { Outcome::Idle(LOCKED_PAUSE) })
    }
}
