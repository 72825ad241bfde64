//! What follows from the choice of a picture, in the same transaction.
use sqlx::PgTransaction;

use super::models::ChosenPicture;
use crate::profiles;

/// A person has chosen a picture, or none: their profile has another address, and is published.
pub async fn chosen(tx: &mut PgTransaction<'_>, picture: &ChosenPicture) -> sqlx::Result<()> {
    if picture.save(tx).await? {
        profiles::signals::updated(tx, picture.user_id).await?;
    }
    Ok(())
}
