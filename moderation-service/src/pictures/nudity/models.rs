//! Pictures that wait for the image model, and their scores, in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::pictures::models::Picture;

/// How long one process may be at a picture, in seconds: fetching and scoring end well before.
const LEASE: f64 = 120.0;
/// How long a picture waits when the post service could not be asked for it, in seconds.
const PAUSE: f64 = 10.0;
/// Pictures that are noted in one statement when another model is loaded.
const BATCH: i64 = 500;

/// A picture that is to be scored.
#[derive(Clone, Copy, Debug)]
pub struct WaitingPicture {
    pub id: Uuid,
    pub version: i64,
    /// How often it was begun, this time counted.
    pub score_tries: i16,
}

impl WaitingPicture {
    /// Takes the newest picture that is due, for as long as a lease; none when none is.
    pub async fn take(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "update picture set score_at = now() + make_interval(secs => $1), score_tries = score_tries + 1 where id = (
                select id from picture where score_at <= now() order by saved_at desc limit 1 for update skip locked
            ) returning id, version, score_tries",
            LEASE
        )
        .fetch_optional(db)
        .await
    }

    /// Lets it wait for a moment, as if it had not been begun.
    pub async fn postpone(self, db: impl PgExecutor<'_>) -> sqlx::Result<()> {
        sqlx::query!(
            "update picture set score_at = now() + make_interval(secs => $3), score_tries = greatest(score_tries - 1, 0)
            where id = $1 and version = $2 and score_at is not null",
            self.id,
            self.version,
            PAUSE
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Saves what a model says about it; none: it could not read it. The transaction has locked the content. Returns the picture,
    /// unless it has another version by now or is gone.
    pub async fn save_score(
        self,
        tx: &mut PgTransaction<'_>,
        model: &str,
        nudity: Option<f64>,
    ) -> sqlx::Result<Option<Picture>> {
        sqlx::query_as!(
            Picture,
            "update picture set nudity = $3, nudity_model = $4, score_at = null, score_tries = 0
            where id = $1 and version = $2
            returning id, owner, sha256, hash, saved_at, nudity, nudity_model",
            self.id,
            self.version,
            nudity,
            model
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Lets some of the pictures that another model has scored be scored by this one; how many these were.
    pub async fn note_other_models(db: impl PgExecutor<'_>, model: &str) -> sqlx::Result<u64> {
        let noted = sqlx::query!(
            "update picture set score_at = now(), score_tries = 0 where id in (
                select id from picture where (nudity_model < $1 or nudity_model > $1) and score_at is null
                order by id limit $2 for update skip locked
            )",
            model,
            BATCH
        );
        Ok(noted.execute(db).await?.rows_affected())
    }
}
