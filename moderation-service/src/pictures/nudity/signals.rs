//! What follows from a score, in the same transaction.
use sqlx::PgTransaction;

use super::models::WaitingPicture;
use crate::contents::models as contents;
use crate::core::events::Failure;
use crate::pictures::services::PictureSettings;
use crate::pictures::signals::judge;

/// A model was shown a picture, and says how likely it shows nudity; none: it could not read it. The picture is judged again.
pub async fn scored(
    tx: &mut PgTransaction<'_>,
    settings: PictureSettings,
    picture: WaitingPicture,
    model: &str,
    nudity: Option<f64>,
) -> Result<(), Failure> {
    contents::lock(tx, &[picture.id]).await?;
    let saved = picture.save_score(tx, model, nudity).await?;
    judge(tx, settings, saved.into_iter().collect()).await
}
