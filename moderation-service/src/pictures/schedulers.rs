//! The worker that judges pictures again after the blocklist has changed.
use std::time::Duration;

use super::models::Picture;
use super::services::PictureSettings;
use super::signals::judge;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};

/// Pictures that are judged in one transaction: their locks make consumers wait some ten milliseconds.
const PAGE: i64 = 20;
/// How often it is looked whether another replica has changed the blocklist.
const POLL: Duration = Duration::from_secs(5);

/// Judges pictures again.
pub struct PictureJudge {
    pub app: App,
    pub settings: PictureSettings,
}

impl Worker for PictureJudge {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut tx = self.app.db.begin().await?;
        let due = Picture::take_due(&mut tx, PAGE).await?;
        if due.is_empty() {
            return Ok(Outcome::Idle(POLL));
        }
        judge(&mut tx, self.settings, due).await?;
        self.app.commit(tx).await?;
        Ok(Outcome::Busy)
    }
}
