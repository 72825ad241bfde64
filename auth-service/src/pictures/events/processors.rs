//! Puts the addresses of chosen pictures into profiles.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::events::{Effect, Event};
use crate::pictures::PicturePurpose;
use crate::pictures::models::ChosenPicture;
use crate::pictures::signals;

#[derive(Deserialize)]
struct ProfilePictureChanged {
    user_id: Uuid,
    purpose: PicturePurpose,
    url: Option<String>,
    version: i64,
}

/// Saves choices in the order of people, in which all transactions lock them.
pub fn profile_picture_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let mut changes: Vec<ProfilePictureChanged> =
            events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
        changes.sort_by_key(|change| change.user_id);
        for ProfilePictureChanged { user_id, purpose, url, version } in changes {
            signals::chosen(tx, &ChosenPicture { user_id, purpose, url, version }).await?;
        }
        Ok(())
    })
}
