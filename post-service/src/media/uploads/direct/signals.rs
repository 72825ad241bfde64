//! What follows when a direct upload is completed, in the same transaction.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::DirectUpload;
use crate::core::api::errors::Error;
use crate::media::library::MediaLibrary;
use crate::media::models::Media;
use crate::media::uploads::receiving::ReceivedFile;
use crate::media::uploads::signals::{NewPicture, stored};

/// An upload has become a picture, with the blob that has its bytes; none when another request was faster.
pub async fn completed(
    tx: &mut PgTransaction<'_>,
    library: &MediaLibrary,
    upload: &DirectUpload,
    file: &ReceivedFile,
) -> Result<Option<(Media, Uuid)>, Error> {
    if !DirectUpload::end(&mut **tx, upload.id).await? {
        return Ok(None);
    }
    let (id, owner, purpose, alt) = (upload.id, upload.created_by, upload.purpose, upload.alt.as_str());
    stored(tx, library, file, &NewPicture { id, owner, purpose, alt }).await.map(Some)
}

/// A person's data are erased: what they have not completed ends.
pub async fn erased(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<()> {
    DirectUpload::end_all(tx, person).await
}
