//! Judges pictures that are ready to be shown, and forgets those that were deleted.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::events::{Effect, Event, Failure, Processor};
use crate::pictures::models::NewPicture;
use crate::pictures::services::{PerceptualHash, PictureSettings};
use crate::pictures::signals;

/// The longest word that is stored of an event, in bytes: a purpose, a type.
const MAX_WORD: usize = 100;

#[derive(Deserialize)]
struct MediaReady {
    media_id: Uuid,
    owner_id: Uuid,
    purpose: String,
    content_type: String,
    width: i32,
    height: i32,
    /// In hexadecimal digits.
    sha256: String,
    perceptual_hash: String,
    version: i64,
}

/// Its version is of no use: an id is never used again, so whatever else is consumed of the picture is older.
#[derive(Deserialize)]
struct MediaDeleted {
    media_id: Uuid,
}

impl MediaReady {
    fn into_picture(self) -> Result<NewPicture, Failure> {
        let wrong = |what: &str| Failure::Permanent(format!("{what} of a picture is not understood"));
        let digit = |at: usize| self.sha256.get(2 * at..2 * at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
        let sha256: Option<Vec<u8>> = (0..32).map(digit).collect();
        if self.purpose.len() > MAX_WORD || self.content_type.len() > MAX_WORD {
            return Err(wrong("the purpose or the type"));
        }
        Ok(NewPicture {
            id: self.media_id,
            owner: self.owner_id,
            sha256: sha256.filter(|_| self.sha256.len() == 64).ok_or_else(|| wrong("the hash"))?,
            hash: PerceptualHash::parse(&self.perceptual_hash).ok_or_else(|| wrong("the perceptual hash"))?,
            purpose: self.purpose,
            content_type: self.content_type,
            width: self.width,
            height: self.height,
            version: self.version,
        })
    }
}

/// Judges each picture, unless it is known in this version or a later one.
pub struct PictureProcessor {
    pub settings: PictureSettings,
}

impl Processor for PictureProcessor {
    fn apply<'a>(&'a self, tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
        Box::pin(async move {
            let mut pictures = Vec::new();
            for event in events {
                pictures.push(serde_json::from_str::<MediaReady>(&event.message)?.into_picture()?);
            }
            // Of each the newest version; they are saved, and so locked, in the order of their ids.
            pictures.sort_by_key(|picture| (picture.id, std::cmp::Reverse(picture.version)));
            pictures.dedup_by_key(|picture| picture.id);
            signals::ready(tx, self.settings, &pictures).await
        })
    }
}

/// Forgets pictures that were deleted. Of one that is consumed only later as ready, nothing is saved.
pub fn picture_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let mut ids = Vec::new();
        for event in events {
            ids.push(serde_json::from_str::<MediaDeleted>(&event.message)?.media_id);
        }
        Ok(signals::deleted(tx, &ids).await?)
    })
}
