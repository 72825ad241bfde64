//! Analyses that wait for their explanation, in the database: all of the SQL of this feature.
use sqlx::types::Json;
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::analyses::scoring::Explanation;
use crate::policies::evaluation::Match;
use crate::policies::rules::HeadThresholds;
use crate::text_model::HEADS;

/// How long one process may be at an explanation, in seconds: twice as long as it [takes at most](crate::text_model::explain::BUDGET).
const LEASE: f64 = 120.0;
/// How long an analysis waits for a replica with its own model, in seconds: longer than two releases run side by side.
const OTHER_MODELS: f64 = 3_600.0;

/// An analysis that is to be explained.
#[derive(Debug)]
pub struct WaitingExplanation {
    pub analysis: Uuid,
    pub content: Uuid,
    /// How often it was begun, this time counted.
    pub tries: i16,
    pub scores: Option<Json<[f64; HEADS]>>,
    /// From where on each head labels, and the rules that matched: by both it is known what is to be explained.
    pub thresholds: Option<Json<[HeadThresholds; HEADS]>>,
    pub matched: Json<Vec<Match>>,
    /// The text that was read; none when the content has another one by now, or is gone.
    pub text: Option<String>,
}

impl WaitingExplanation {
    /// Takes the most severe analysis of a model that is due, for as long as a lease; none when none is.
    pub async fn take(db: impl PgExecutor<'_>, model_version: &str) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"update waiting_explanation as waiting set due_at = now() + make_interval(secs => $2), tries = tries + 1
            from analysis left join content on content.id = content_id and gone_at is null
                and sha256(convert_to(text, 'UTF8')) = content_hash
            where analysis.id = waiting.analysis and waiting.analysis = (
                select analysis from waiting_explanation where model_version = $1 and due_at <= now()
                order by severity desc, created_at desc limit 1 for update skip locked
            )
            returning waiting.analysis, content_id as content, tries, scores as "scores: Json<[f64; HEADS]>",
                thresholds as "thresholds: Json<[HeadThresholds; HEADS]>", matched as "matched!: Json<Vec<Match>>", text as "text?""#,
            model_version,
            LEASE
        )
        .fetch_optional(db)
        .await
    }

    /// Stores what weighs; the transaction has locked the content. False when the explanation is not wanted any more.
    pub async fn save(&self, tx: &mut PgTransaction<'_>, explanation: &Explanation) -> sqlx::Result<bool> {
        let saved = sqlx::query!(
            "with done as (delete from waiting_explanation where analysis = $1 returning analysis)
            update analysis set spans = $2, explained_in_part = $3 from done where id = done.analysis",
            self.analysis,
            Json(&explanation.spans) as _,
            explanation.is_partial
        );
        Ok(saved.execute(&mut **tx).await?.rows_affected() > 0)
    }

    /// Lets it wait no longer.
    pub async fn give_up(&self, db: impl PgExecutor<'_>) -> sqlx::Result<()> {
        sqlx::query!("delete from waiting_explanation where analysis = $1", self.analysis).execute(db).await?;
        Ok(())
    }

    /// Lets those wait no longer that no replica with their model has taken: how many these were.
    pub async fn give_up_other_models(db: impl PgExecutor<'_>, model_version: &str) -> sqlx::Result<u64> {
        let given_up = sqlx::query!(
            "delete from waiting_explanation
            where model_version <> $1 and created_at < now() - make_interval(secs => $2)",
            model_version,
            OTHER_MODELS
        );
        Ok(given_up.execute(db).await?.rows_affected())
    }

    /// How many analyses wait.
    pub async fn count(db: impl PgExecutor<'_>) -> sqlx::Result<i64> {
        sqlx::query_scalar!(r#"select count(*) as "count!" from waiting_explanation"#).fetch_one(db).await
    }
}
