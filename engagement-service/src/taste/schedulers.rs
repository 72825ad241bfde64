//! The background work of tastes: they are fetched one by one, and matched in batches. A batch that fails is tried again in halves, and one
//! person alone who fails is skipped (`batches/`).
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::Connection;
use sqlx::error::DatabaseError;
use uuid::Uuid;

use super::broker::{Brokered, fresh_token};
use super::matching::models::TasteMatch;
use super::models::{DueTaste, Taste, TasteLink};
use super::services::{Listening, TasteItems};
use super::settings::TasteSettings;
use super::signals;
use super::sources::spotify::Spotify;
use super::sources::{SourceFault, TasteSource};
use crate::batches::BatchSize;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};

/// The pause between two people: four calls each half a second are within what the API allows an application.
const PACE: Duration = Duration::from_millis(500);
/// How often the workers look for work.
const POLL: Duration = Duration::from_secs(5);
/// People that are matched in one transaction, fewer after one that failed.
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
    /// The source wants to be left alone, by all replicas and for all people.
    TooMany(Duration),
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
                Brokered::TooMany(wait) => return Fetched::TooMany(wait),
                Brokered::Away(cause) => return Fetched::Fault(SourceFault::Away(cause)),
            };
            match self.source.fetch(token.expose_secret()).await {
                Ok(listening) => return Fetched::Listening(listening),
                Err(SourceFault::Unauthorized) if !was_refused => was_refused = true,
                Err(SourceFault::Forbidden | SourceFault::Unauthorized) => return Fetched::Refused,
                Err(SourceFault::TooMany(wait)) => return Fetched::TooMany(wait),
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
        let outcome = match self.fetch(due.person_id).await {
            Fetched::Listening(listening) => {
                self.save(due, &listening).await?;
                "fetched"
            }
            Fetched::NotLinked => {
                self.end(due).await?;
                "not_linked"
            }
            Fetched::Refused => {
                Taste::put_off(&self.app.db, due).await?;
                "refused"
            }
            Fetched::TooMany(wait) => {
                Taste::pause(&self.app.db, due, wait).await?;
                "too_many"
            }
            Fetched::Fault(fault) => {
                tracing::warn!(%fault, "a taste was not fetched; it is tried again later");
                Taste::put_off(&self.app.db, due).await?;
                "away"
            }
        };
        metrics::counter!("taste_fetches_total", "outcome" => outcome).increment(1);
        Ok(Outcome::Idle(PACE))
    }
}

/// Looks for those who listen to the same, of tastes that were fetched.
pub struct TasteMatcher {
    app: App,
    batch: BatchSize,
}

impl TasteMatcher {
    /// Begins with whole batches.
    pub fn new(app: &App) -> Self {
        Self { app: app.clone(), batch: BatchSize::new(BATCH) }
    }
}

impl Worker for TasteMatcher {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut tx = self.app.db.begin().await?;
        let people = TasteMatch::lock_unmatched(&mut tx, self.batch.rows()).await?;
        if people.is_empty() {
            // A commit would wake all who wait for one, this worker among them, and no replica would ever rest.
            return Ok(Outcome::Idle(POLL));
        }
        // A savepoint: the people stay locked, so that who is skipped is who failed.
        let mut savepoint = Connection::begin(&mut *tx).await?;
        let done = signals::match_tastes(&mut savepoint, &people).await;
        match done {
            Ok(()) => savepoint.commit().await?,
            Err(error) => {
                let is_alone = self.batch.shrink(people.len());
                savepoint.rollback().await?;
                // A deadlock or a lock that was waited for says nothing about the person.
                let code = error.as_database_error().and_then(DatabaseError::code).unwrap_or_default();
                if !is_alone || code.starts_with("40") || code == "55P03" {
                    return Err(error.into());
                }
                tracing::warn!(?people, %error, "a person was skipped, since who listens to the same could not be found");
                TasteMatch::mark_matched(&mut tx, &people).await?;
            }
        }
        self.batch.grow();
        self.app.commit(tx).await?;
        Ok(Outcome::Busy)
    }
}
