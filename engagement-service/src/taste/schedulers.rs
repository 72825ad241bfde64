//! The background work of tastes: they are fetched one by one, and matched in batches.
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use uuid::Uuid;

use super::broker::{Brokered, fresh_token};
use super::models::{DueTaste, Taste, TasteLink};
use super::services::{Listening, TasteItems};
use super::settings::TasteSettings;
use super::signals;
use super::sources::spotify::Spotify;
use super::sources::{SourceFault, TasteSource};
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};

/// The pause between two people: four calls each half a second are within what the API allows an application.
const PACE: Duration = Duration::from_millis(500);
/// How often the workers look for work.
const POLL: Duration = Duration::from_secs(5);
/// People that are matched in one transaction.
const BATCH: i64 = 100;

/// The source that the settings name.
pub fn source(settings: &TasteSettings) -> anyhow::Result<Arc<dyn TasteSource>> {
    Ok(Arc::new(Spotify::new(settings.spotify_api_url.clone())?))
}

/// Fetches tastes that are due, one at a time.
pub struct TasteFetcher {
    pub app: App,
    pub source: Arc<dyn TasteSource>,
}

/// How a fetch ended.
enum Fetched {
    Listening(Listening),
    NotLinked,
    /// Its person has to do something first; it is tried again when they might have.
    Refused,
    Fault(SourceFault),
}

impl TasteFetcher {
    /// What the person of a taste listens to. A token that the source does not accept is asked for once more: it may have ended on the way.
    async fn fetch(&self, person: Uuid) -> Fetched {
        let mut was_refused = false;
        loop {
            let token = match fresh_token(&self.app, person).await {
                Brokered::Token(token) => token,
                Brokered::NotLinked => return Fetched::NotLinked,
                Brokered::Refused => return Fetched::Refused,
                Brokered::Away(cause) => return Fetched::Fault(SourceFault::Away(cause)),
            };
            match self.source.fetch(token.expose_secret()).await {
                Ok(listening) => return Fetched::Listening(listening),
                Err(SourceFault::Unauthorized) if !was_refused => was_refused = true,
                Err(SourceFault::Forbidden | SourceFault::Unauthorized) => return Fetched::Refused,
                Err(fault) => return Fetched::Fault(fault),
            }
        }
    }

    async fn save(&self, due: DueTaste, listening: &Listening) -> anyhow::Result<()> {
        let mut tx = self.app.db.begin().await?;
        signals::fetched(&mut tx, due, &TasteItems::weigh(listening)).await?;
        Ok(self.app.commit(tx).await?)
    }

    /// The auth service knows of no link: its event of the end is on the way, or was lost.
    async fn end(&self, due: DueTaste) -> anyhow::Result<()> {
        let mut tx = self.app.db.begin().await?;
        let end = TasteLink { person_id: due.person_id, linked: false, at: due.linked_at };
        signals::links_changed(&mut tx, &[end]).await?;
        Ok(self.app.commit(tx).await?)
    }
}

impl Worker for TasteFetcher {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let Some(due) = Taste::claim(&self.app.db).await? else { return Ok(Outcome::Idle(POLL)) };
        let (outcome, pause) = match self.fetch(due.person_id).await {
            Fetched::Listening(listening) => {
                self.save(due, &listening).await?;
                ("fetched", PACE)
            }
            Fetched::NotLinked => {
                self.end(due).await?;
                ("not_linked", PACE)
            }
            Fetched::Refused => {
                Taste::put_off(&self.app.db, due, None).await?;
                ("refused", PACE)
            }
            // The limit is the application's and not the person's: all others wait, too.
            Fetched::Fault(SourceFault::TooMany(wait)) => {
                Taste::put_off(&self.app.db, due, Some(wait.as_secs_f64())).await?;
                ("too_many", wait)
            }
            Fetched::Fault(fault) => {
                tracing::warn!(%fault, "a taste was not fetched; it is tried again later");
                Taste::put_off(&self.app.db, due, None).await?;
                ("away", PACE)
            }
        };
        metrics::counter!("taste_fetches_total", "outcome" => outcome).increment(1);
        Ok(Outcome::Idle(pause))
    }
}

/// Looks for those who listen to the same, of tastes that were fetched.
pub struct TasteMatcher(pub App);

impl Worker for TasteMatcher {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut tx = self.0.db.begin().await?;
        if signals::match_some(&mut tx, BATCH).await? == 0 {
            // A commit would wake all who wait for one, this worker among them, and no replica would ever rest.
            return Ok(Outcome::Idle(POLL));
        }
        self.0.commit(tx).await?;
        Ok(Outcome::Busy)
    }
}
