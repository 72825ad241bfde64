//! Suggested scores in the database: all of the SQL of this feature.
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

/// Suggestions deleted in one statement.
const BATCH: i64 = 500;

/// A suggestion that can be stored.
#[derive(Debug)]
pub struct NewSuggestion {
    pub text: String,
    pub attribute_scores: Value,
    pub languages: Vec<String>,
    pub session_id: Option<String>,
    pub community_id: Option<String>,
    /// Returned, and not stored.
    pub client_token: Option<String>,
}

/// What is learned from a suggestion.
#[derive(Debug)]
pub struct Suggestion {
    pub text: String,
    pub attribute_scores: Value,
}

impl Suggestion {
    /// Stores a suggestion in place of an earlier one of the same key for the same text.
    pub async fn save(
        db: impl PgExecutor<'_>,
        key_name: &str,
        model_version: Option<&str>,
        suggestion: &NewSuggestion,
    ) -> sqlx::Result<()> {
        let digest: [u8; 32] = Sha256::digest(&suggestion.text).into();
        sqlx::query!(
            "insert into suggestion (id, key_name, digest, text, attribute_scores, languages, session_id, community_id,
                model_version)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            on conflict on constraint suggestion_key_name_digest_key do update set
                attribute_scores = excluded.attribute_scores, languages = excluded.languages,
                session_id = excluded.session_id, community_id = excluded.community_id,
                model_version = excluded.model_version, created_at = excluded.created_at",
            Uuid::now_v7(),
            key_name,
            &digest,
            suggestion.text,
            suggestion.attribute_scores,
            &suggestion.languages,
            suggestion.session_id,
            suggestion.community_id,
            model_version
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// All suggestions, oldest first.
    pub fn all(db: &PgPool) -> BoxStream<'_, sqlx::Result<Self>> {
        sqlx::query_as!(Self, "select text, attribute_scores from suggestion order by created_at, id").fetch(db)
    }

    /// Deletes a batch of the suggestions from before a moment; true when there may be more.
    pub async fn delete_before(db: impl PgExecutor<'_>, moment: DateTime<Utc>) -> sqlx::Result<bool> {
        let deleted = sqlx::query!(
            "delete from suggestion where id in (select id from suggestion where created_at < $1 order by created_at limit $2)",
            moment as _,
            BATCH
        )
        .execute(db)
        .await?;
        Ok(deleted.rows_affected() > 0)
    }
}
