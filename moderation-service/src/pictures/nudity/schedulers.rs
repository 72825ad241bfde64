//! The worker that lets the image model look at pictures.
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::models::WaitingPicture;
use super::network::NudityModel;
use super::signals::scored;
use super::source::{FetchedPicture, PictureSource};
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::pictures::services::PictureSettings;

/// How often it is looked whether a picture waits.
const POLL: Duration = Duration::from_secs(2);
/// How often a picture is begun: what three processes did not survive is given up.
const MAX_TRIES: i16 = 3;

/// Lets a model look at the pictures that wait.
pub struct NudityReader {
    app: App,
    settings: PictureSettings,
    model: Arc<NudityModel>,
    source: PictureSource,
    /// Whether all that another model has scored waits for this one.
    has_noted: bool,
}

impl NudityReader {
    /// A worker with this model. An error: the settings do not say where pictures are fetched.
    pub fn new(app: &App, settings: PictureSettings, model: Arc<NudityModel>) -> anyhow::Result<Self> {
        Ok(Self { app: app.clone(), settings, model, source: PictureSource::new(app)?, has_noted: false })
    }

    /// Fetches a picture and lets the model look at it, with what that was; no score: it cannot be read. An error: the post service
    /// could not be asked.
    async fn look(&self, picture: WaitingPicture) -> anyhow::Result<(&'static str, Option<f64>)> {
        if picture.score_tries > MAX_TRIES {
            return Ok(("given_up", None));
        }
        let file = match self.source.fetch(picture.id).await? {
            FetchedPicture::File(file) => file,
            FetchedPicture::Missing => return Ok(("missing", None)),
            FetchedPicture::TooLarge => return Ok(("unreadable", None)),
        };
        let model = self.model.clone();
        let score = tokio::task::spawn_blocking(move || model.score(&file)).await.context("the model panicked");
        Ok(match score.flatten() {
            Ok(score) => ("scored", Some(score)),
            Err(cause) => {
                tracing::warn!(picture = %picture.id, error = format!("{cause:#}"), "a picture has no score");
                ("unreadable", None)
            }
        })
    }
}

impl Worker for NudityReader {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        if !self.has_noted {
            self.has_noted = WaitingPicture::note_other_models(&self.app.db, self.model.version()).await? == 0;
            return Ok(Outcome::Busy);
        }
        let Some(picture) = WaitingPicture::take(&self.app.db).await? else { return Ok(Outcome::Idle(POLL)) };
        let (outcome, nudity) = match self.look(picture).await {
            Ok(looked) => looked,
            Err(cause) => {
                metrics::counter!("pictures_scored_total", "outcome" => "unreachable").increment(1);
                picture.postpone(&self.app.db).await?;
                return Err(cause.context("a picture could not be fetched from the post service"));
            }
        };
        metrics::counter!("pictures_scored_total", "outcome" => outcome).increment(1);
        let mut tx = self.app.db.begin().await?;
        scored(&mut tx, self.settings, picture, self.model.version(), nudity).await?;
        self.app.commit(tx).await?;
        Ok(Outcome::Busy)
    }
}
