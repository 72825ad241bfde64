//! Decisions about pictures in the database: all of the SQL of them.
use sqlx::PgTransaction;
use uuid::Uuid;

/// What a decision says about a picture.
#[derive(Clone, Copy, Debug)]
pub struct MediaDecision {
    pub media_id: Uuid,
    /// The version of all that moderation knows of the picture.
    pub version: i64,
    /// Whether it takes the picture from all but its owner.
    pub hides: bool,
    /// Whether it deletes it for good.
    pub removes: bool,
}

impl MediaDecision {
    /// Saves it; false when a newer one was applied, or there is no such picture.
    pub async fn save(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<bool> {
        let query = sqlx::query!(
            "update media set decision_version = $2, version = version + 1,
                hidden_at = case when $3 then coalesce(hidden_at, now()) end
            where id = $1 and decision_version < $2",
            self.media_id,
            self.version,
            self.hides
        );
        Ok(query.execute(&mut **tx).await?.rows_affected() == 1)
    }
}
