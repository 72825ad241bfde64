//! Readings of the model in shadow in the database: all of the SQL of this feature.
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::policies::rules::{HeadThresholds, RuleOutcome};
use crate::signals::Signals;
use crate::subjects::SubjectType;
use crate::text_model::HEADS;

/// An analysis is followed when it is this old, in seconds: until then a transaction with an earlier one may be open.
const SETTLED: f64 = 30.0;
/// What has waited for this long is skipped, in seconds.
const WAITS: f64 = 3_600.0;
/// How long one replica may be at a page, in seconds. One that takes longer reads on, and whichever is the first to store the page has read it.
const LEASE: f64 = 300.0;

/// How far the model in shadow is.
#[derive(Clone, Copy, Debug)]
pub struct ShadowProgress {
    pub at: Timestamp,
    pub id: Uuid,
    /// Up to when analyses are followed now.
    pub horizon: Timestamp,
    /// What is older is skipped.
    pub skip_before: Timestamp,
}

impl ShadowProgress {
    /// Takes the place for as long as a lease; none when another replica reads.
    pub async fn take(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"update shadow_progress set claimed_until = now() + make_interval(secs => $3) where one = (
                select one from shadow_progress where claimed_until is null or claimed_until <= now() for update skip locked
            )
            returning at, id, now() - make_interval(secs => $1) as "horizon!: Timestamp",
                now() - make_interval(secs => $2) as "skip_before!: Timestamp""#,
            SETTLED,
            WAITS,
            LEASE
        )
        .fetch_optional(db)
        .await
    }

    /// Lets another replica take it before the lease ends.
    pub async fn release(&self, db: impl PgExecutor<'_>) -> sqlx::Result<()> {
        let released = sqlx::query!(
            "update shadow_progress set claimed_until = null where at = $1 and id = $2",
            self.at as Timestamp,
            self.id
        );
        released.execute(db).await?;
        Ok(())
    }

    /// Behind which analysis it goes on: what has waited too long is skipped.
    fn begin(&self) -> (Timestamp, Uuid) {
        if self.at < self.skip_before { (self.skip_before, Uuid::max()) } else { (self.at, self.id) }
    }

    /// How many texts are skipped, because they have waited too long.
    pub async fn count_skipped(&self, db: impl PgExecutor<'_>) -> sqlx::Result<i64> {
        if self.at >= self.skip_before {
            return Ok(0);
        }
        let skipped = sqlx::query_scalar!(
            r#"select count(*) as "skipped!" from analysis where (at, id) > ($1, $2) and at <= $3 and scores is not null"#,
            self.at as Timestamp,
            self.id,
            self.skip_before as Timestamp
        );
        skipped.fetch_one(db).await
    }

    /// Moves the place; false when it is no longer where it was taken: another replica has read what this one has.
    pub async fn advance(&self, db: impl PgExecutor<'_>, at: Timestamp, id: Uuid) -> sqlx::Result<bool> {
        let moved = sqlx::query!(
            "update shadow_progress set at = $3, id = $4, claimed_until = null where at = $1 and id = $2",
            self.at as Timestamp,
            self.id,
            at as Timestamp,
            id
        );
        Ok(moved.execute(db).await?.rows_affected() > 0)
    }
}

/// A text that the first model has read, with what it said.
#[derive(Debug)]
pub struct FollowedText {
    pub analysis: Uuid,
    pub at: Timestamp,
    pub kind: SubjectType,
    pub text: String,
    pub scores: Json<[f64; HEADS]>,
    pub thresholds: Json<[HeadThresholds; HEADS]>,
    pub signals: Json<Signals>,
}

impl FollowedText {
    /// The next texts of the sample behind the place, which are still as they were read. A text that an analysis is about is in the
    /// sample when the first two bytes of its hash, as a number, lie below this share.
    pub async fn list(
        db: impl PgExecutor<'_>,
        progress: &ShadowProgress,
        model_version: &str,
        share: f64,
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        let (at, id) = progress.begin();
        sqlx::query_as!(
            Self,
            r#"select analysis.id as analysis, at, content_type as "kind!: SubjectType", text as "text!",
                scores as "scores!: Json<[f64; HEADS]>", thresholds as "thresholds!: Json<[HeadThresholds; HEADS]>",
                signals as "signals: Json<Signals>"
            from analysis join content on content.id = analysis.content_id
            where (at, analysis.id) > ($1, $2) and at <= $3 and scores is not null and thresholds is not null
                and analysis.model_version <> $4
                and get_byte(content_hash, 0) * 256 + get_byte(content_hash, 1) < $5::float8 * 65536
                and text is not null and sha256(convert_to(text, 'UTF8')) = content_hash
            order by at, analysis.id limit $6"#,
            at as Timestamp,
            id,
            progress.horizon as Timestamp,
            model_version,
            share,
            rows
        )
        .fetch_all(db)
        .await
    }
}

/// What a model in shadow says about a text.
#[derive(Debug)]
pub struct ShadowReading {
    pub analysis: Uuid,
    pub scores: [f64; HEADS],
    pub heads_agreed: i16,
    pub verdict: RuleOutcome,
}

impl ShadowReading {
    /// Saves readings; what the same model has read before is replaced.
    pub async fn save_all(
        tx: &mut PgTransaction<'_>,
        model_version: &str,
        thresholds: &[HeadThresholds; HEADS],
        readings: &[Self],
    ) -> sqlx::Result<()> {
        let scores: Vec<Value> = readings.iter().map(|reading| serde_json::json!(reading.scores)).collect();
        sqlx::query!(
            "insert into shadow_reading (analysis, model_version, scores, thresholds, heads_agreed, verdict)
            select analysis, $1, scores, $2, heads_agreed, verdict
            from unnest($3::uuid[], $4::jsonb[], $5::smallint[], $6::text[])
                as read (analysis, scores, heads_agreed, verdict)
            -- An author's data may be erased meanwhile.
            where exists (select from analysis where analysis.id = read.analysis for key share)
            on conflict (analysis, model_version) do update set at = now(), scores = excluded.scores,
                thresholds = excluded.thresholds, heads_agreed = excluded.heads_agreed, verdict = excluded.verdict",
            model_version,
            Json(thresholds) as _,
            &readings.iter().map(|reading| reading.analysis).collect::<Vec<_>>(),
            &scores,
            &readings.iter().map(|reading| reading.heads_agreed).collect::<Vec<_>>(),
            &readings.iter().map(|reading| reading.verdict.word().to_owned()).collect::<Vec<_>>()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
