//! What an operator does at the command line, beside the running service: tastes that come from no linked account.
use std::io::BufRead;

use anyhow::Context;
use chrono::Utc;
use serde::Deserialize;
use uuid::Uuid;

use super::models::{DueTaste, Taste, TasteLink};
use super::services::{Listening, SourceArtist, SourceTrack, TasteItems};
use super::signals;
use crate::core::app::App;
use crate::core::contract::timestamp::Timestamp;

/// A line of an import: what a person listens to most, the favourites first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportedTaste {
    person_id: Uuid,
    #[serde(default)]
    tracks: Vec<ImportedTrack>,
    #[serde(default)]
    artists: Vec<ImportedArtist>,
    /// Whether others see it; where it is not given, as before, and otherwise not.
    #[serde(default)]
    shared: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportedTrack {
    id: String,
    name: String,
    /// Each with an id and a name.
    #[serde(default)]
    artists: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportedArtist {
    id: String,
    name: String,
    #[serde(default)]
    genres: Vec<String>,
}

impl ImportedTaste {
    fn listening(self) -> Listening {
        let track = |ImportedTrack { id, name, artists }: ImportedTrack| SourceTrack { id, name, artists };
        let artist = |ImportedArtist { id, name, genres }: ImportedArtist| SourceArtist { id, name, genres };
        Listening {
            tracks: self.tracks.into_iter().map(track).collect(),
            artists: self.artists.into_iter().map(artist).collect(),
        }
    }
}

/// Saves tastes, a line of JSON each, as if they had been fetched; how many. Each is committed by itself, so that after an error, which
/// names its line, the import can be repeated as a whole. Who wants their taste forgotten is left out. A taste that is imported takes the place of the one that was known; like any
/// other it is fetched again after a week, from the account that its person has linked by then, and ends without one.
pub async fn import(app: &App, lines: impl BufRead) -> anyhow::Result<u64> {
    let mut imported = 0;
    for (number, line) in (1..).zip(lines.lines()) {
        let line = line.with_context(|| format!("line {number} cannot be read"))?;
        if line.trim().is_empty() {
            continue;
        }
        let taste: ImportedTaste =
            serde_json::from_str(&line).with_context(|| format!("line {number} is not a taste"))?;
        let (person_id, shared, at) = (taste.person_id, taste.shared, Timestamp(Utc::now()));
        let mut tx = app.db.begin().await.context("the database cannot be reached")?;
        if Taste::is_forgotten(&mut tx, person_id).await? {
            continue;
        }
        // Where a line says nothing of that, it stays as it is; a link begins private.
        let is_shared = Taste::find(&mut *tx, person_id).await?.is_some_and(|taste| taste.shared);
        signals::links_changed(&mut tx, &[TasteLink { person_id, linked: true, at }]).await?;
        let due = DueTaste { person_id, linked_at: at };
        if signals::fetched(&mut tx, due, &TasteItems::weigh(&taste.listening())).await? {
            signals::shared(&mut tx, person_id, shared.unwrap_or(is_shared)).await?;
            imported += 1;
        }
        app.commit(tx).await?;
    }
    tracing::info!(imported, "tastes were imported");
    Ok(imported)
}
