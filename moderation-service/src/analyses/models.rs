//! Analyses in the database: all of the SQL of this feature.
use std::collections::HashMap;

use serde_json::Value;
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::scoring::{ReadScores, WeighedSpan};
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::policies::evaluation::Match;
use crate::policies::rules::{HeadThresholds, RuleOutcome};
use crate::signals::Signals;
use crate::subjects::{SubjectKey, SubjectType};
use crate::text_model::HEADS;

/// Rows erased in one statement.
const BATCH: i64 = 500;
/// How long one replica may be at a page that is read again, in seconds. One that takes longer reads on, and whichever replica is the first to
/// store the page has read it.
const LEASE: f64 = 300.0;

/// An analysis as it is stored.
#[derive(Debug)]
pub struct StoredAnalysis {
    pub id: Uuid,
    pub kind: SubjectType,
    pub content_id: Uuid,
    pub author: Uuid,
    pub content_hash: Vec<u8>,
    pub model_version: String,
    pub at: Timestamp,
    pub scores: Option<Json<[f64; HEADS]>>,
    pub thresholds: Option<Json<[HeadThresholds; HEADS]>>,
    pub signals: Json<Signals>,
    pub spans: Json<Vec<WeighedSpan>>,
    /// Whether the spans are still to be found.
    pub explanation_pending: bool,
    /// Whether some of the text was left out of the search for them.
    pub explained_in_part: bool,
    pub normalised: Option<String>,
    pub matched: Json<Vec<Match>>,
    pub verdict: RuleOutcome,
    pub severity: f64,
}

/// An analysis that is to be stored.
#[derive(Debug)]
pub struct NewAnalysis {
    pub key: SubjectKey,
    pub author: Uuid,
    pub content_hash: [u8; 32],
    pub model_version: String,
    pub scores: Option<[f64; HEADS]>,
    pub thresholds: Option<[HeadThresholds; HEADS]>,
    pub signals: Signals,
    /// Whether the parts of the text that weigh most are to be found.
    pub is_explained: bool,
    pub normalised: Option<String>,
    pub matched: Vec<Match>,
    pub verdict: RuleOutcome,
    pub severity: f64,
}

/// The id of a stored analysis, and whether it is the first of its text by its model.
#[derive(Clone, Copy, Debug)]
pub struct SavedAnalysis {
    pub id: Uuid,
    pub is_new: bool,
}

fn json<T: serde::Serialize>(value: &T) -> sqlx::Result<Value> {
    serde_json::to_value(value).map_err(|cause| sqlx::Error::Encode(cause.into()))
}

fn column<T>(analyses: &[&NewAnalysis], of: impl Fn(&NewAnalysis) -> sqlx::Result<T>) -> sqlx::Result<Vec<T>> {
    analyses.iter().map(|analysis| of(analysis)).collect()
}

/// Stores analyses of contents that this transaction has locked, each content once. A text that its model has read before keeps
/// its analysis, its id and its explanation; what it was judged by is replaced.
pub async fn save(tx: &mut PgTransaction<'_>, analyses: &[&NewAnalysis]) -> sqlx::Result<HashMap<Uuid, SavedAnalysis>> {
    let rows = sqlx::query!(
        r#"insert into analysis (id, content_type, content_id, author, content_hash, model_version, scores, thresholds,
            signals, normalised, matched, verdict, severity)
        select id, type, content_id, author, hash, model_version, scores, thresholds, signals, normalised, matched, verdict, severity
        from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::bytea[], $6::text[], $7::jsonb[], $8::jsonb[], $9::jsonb[],
                $10::text[], $11::jsonb[], $12::text[], $13::float8[])
            as found (id, type, content_id, author, hash, model_version, scores, thresholds, signals, normalised, matched,
                verdict, severity)
        on conflict on constraint analysis_text_key do update set at = now(), scores = excluded.scores,
            thresholds = excluded.thresholds, signals = excluded.signals, normalised = excluded.normalised, matched = excluded.matched, verdict = excluded.verdict,
            severity = excluded.severity
        returning id, content_id, (xmax = 0) as "is_new!""#,
        &analyses.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>(),
        &column(analyses, |analysis| Ok(analysis.key.r#type.word().to_owned()))?,
        &column(analyses, |analysis| Ok(analysis.key.id))?,
        &column(analyses, |analysis| Ok(analysis.author))?,
        &column(analyses, |analysis| Ok(analysis.content_hash.to_vec()))?,
        &column(analyses, |analysis| Ok(analysis.model_version.clone()))?,
        &column(analyses, |analysis| analysis.scores.as_ref().map(json).transpose())? as &[Option<Value>],
        &column(analyses, |analysis| analysis.thresholds.as_ref().map(json).transpose())? as &[Option<Value>],
        &column(analyses, |analysis| json(&analysis.signals))?,
        &column(analyses, |analysis| Ok(analysis.normalised.clone()))? as &[Option<String>],
        &column(analyses, |analysis| json(&analysis.matched))?,
        &column(analyses, |analysis| Ok(analysis.verdict.word().to_owned()))?,
        &column(analyses, |analysis| Ok(analysis.severity))?
    );
    let rows = rows.fetch_all(&mut **tx).await?;
    let saved: HashMap<Uuid, _> =
        rows.into_iter().map(|row| (row.content_id, SavedAnalysis { id: row.id, is_new: row.is_new })).collect();
    let explained = analyses.iter().filter(|analysis| analysis.is_explained);
    let explained = explained.filter_map(|analysis| saved.get(&analysis.key.id)).map(|saved| saved.id);
    wait_for_explanations(tx, &explained.collect::<Vec<_>>()).await?;
    Ok(saved)
}

/// Lets those of these analyses wait for an explanation that have none.
async fn wait_for_explanations(tx: &mut PgTransaction<'_>, analyses: &[Uuid]) -> sqlx::Result<()> {
    if !analyses.is_empty() {
        sqlx::query!(
            "insert into waiting_explanation (analysis, model_version, severity)
            select id, model_version, severity from analysis where id = any($1) and spans = '[]'
            on conflict (analysis) do nothing",
            analyses
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// What this model has said about those among these texts that it has read before, by content. Hashes belong to contents in order.
pub async fn find_known(
    db: impl PgExecutor<'_>,
    model_version: &str,
    contents: &[Uuid],
    hashes: &[Vec<u8>],
) -> sqlx::Result<HashMap<Uuid, ReadScores>> {
    let rows = sqlx::query!(
        r#"select analysis.content_id, scores as "scores!: Json<[f64; HEADS]>",
            coalesce((signals ->> 'read_in_part')::boolean, false) as "is_partial!"
        from unnest($2::uuid[], $3::bytea[]) as text (content_id, hash)
        join analysis on analysis.content_id = text.content_id and analysis.content_hash = text.hash
            and analysis.model_version = $1
        where scores is not null"#,
        model_version,
        contents,
        hashes
    );
    let known = rows.fetch_all(db).await?.into_iter();
    let read = known.map(|row| (row.content_id, ReadScores { scores: row.scores.0, is_partial: row.is_partial }));
    Ok(read.collect())
}

/// Of these contents, those about which a person has decided, with the time of their last decision.
pub async fn last_decisions_of_people(
    tx: &mut PgTransaction<'_>,
    contents: &[Uuid],
) -> sqlx::Result<HashMap<Uuid, Timestamp>> {
    let rows = sqlx::query!(
        r#"select subject_id, max(at) as "at!: Timestamp" from decision
        where subject_type in ('POST', 'COMMENT', 'MEDIA', 'USER') and subject_id = any($1) and moderator is not null
        group by subject_id"#,
        contents
    );
    Ok(rows.fetch_all(&mut **tx).await?.into_iter().map(|row| (row.subject_id, row.at)).collect())
}

/// Of these contents, those that something has happened to: that are in force about, or that a person is to look at.
pub async fn list_touched(tx: &mut PgTransaction<'_>, contents: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select id from subject where type in ('COMMENT', 'MEDIA', 'POST', 'USER') and id = any($1)
            and (active <> '[]' or review in ('OPEN', 'ESCALATED') or reports > 0)",
        contents
    )
    .fetch_all(&mut **tx)
    .await
}

impl StoredAnalysis {
    /// An analysis.
    pub async fn find(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, content_type as "kind!: SubjectType", content_id, author, content_hash, model_version, at,
                scores as "scores: Json<[f64; HEADS]>", thresholds as "thresholds: Json<[HeadThresholds; HEADS]>",
                signals as "signals: Json<Signals>", spans as "spans: Json<Vec<WeighedSpan>>",
                exists (select from waiting_explanation where analysis = analysis.id) as "explanation_pending!",
                explained_in_part, normalised, matched as "matched: Json<Vec<Match>>", verdict as "verdict: RuleOutcome", severity
            from analysis where id = $1"#,
            id
        )
        .fetch_optional(db)
        .await
    }
}

/// Erases a batch of the analyses of an author's texts; true when there may be more.
pub async fn erase(tx: &mut PgTransaction<'_>, author: Uuid) -> sqlx::Result<bool> {
    let erased = sqlx::query!(
        "delete from analysis where id in (select id from analysis where author = $1 order by id limit $2 for update)",
        author,
        BATCH
    );
    Ok(erased.execute(&mut **tx).await?.rows_affected() > 0)
}

/// Erases what analyses hold of the texts of contents that were deleted; what waits for its explanation gets none.
pub async fn erase_texts(tx: &mut PgTransaction<'_>, contents: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!(
        "update analysis set normalised = null, spans = '[]' where content_id = any($1) and normalised is not null",
        contents
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from waiting_explanation using analysis where analysis.id = analysis and content_id = any($1)",
        contents
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("delete from fingerprint where content_id = any($1)", contents).execute(&mut **tx).await?;
    Ok(())
}

/// The analyses of an author's texts for the export of personal data, newest first.
pub async fn list_personal_data(
    db: &PgPool,
    author: Uuid,
    before: Cursor,
    rows: i64,
) -> sqlx::Result<Vec<PersonalDataItem>> {
    sqlx::query_as!(
        PersonalDataItem,
        r#"select at, id, to_json(held) as "thing!" from (
            select id, content_type, content_id, author, encode(content_hash, 'hex') as content_hash, model_version, at,
                scores, thresholds, signals, spans, normalised, matched, verdict, severity,
                exists (select from waiting_explanation where analysis = analysis.id) as explanation_pending,
                explained_in_part,
                (select json_agg(json_build_object('model_version', model_version, 'at', at, 'scores', scores,
                        'thresholds', thresholds, 'verdict', verdict))
                    from shadow_reading where shadow_reading.analysis = analysis.id) as shadow
            from analysis where author = $1 and (at, id) < ($2, $3) order by at desc, id desc limit $4
        ) as held order by at desc, id desc"#,
        author,
        before.at,
        before.id,
        rows
    )
    .fetch_all(db)
    .await
}

/// How far the reading of all contents is.
#[derive(Clone, Copy, Debug)]
pub struct Reanalysis {
    pub cursor: Uuid,
    pub done: i64,
    pub total: i64,
}

impl Reanalysis {
    /// Begins to read all contents again, from the first one; what was under way begins anew.
    pub async fn begin(db: impl PgExecutor<'_>, total: i64) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into reanalysis (cursor, total) values ($1, $2)
            on conflict (one) do update set cursor = excluded.cursor, done = 0, total = excluded.total,
                started_at = now(), finished_at = null, claimed_until = null",
            Uuid::nil(),
            total
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Takes the reading that is under way, for as long as a lease; none when there is none, or another replica is at it.
    pub async fn take(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "update reanalysis set claimed_until = now() + make_interval(secs => $1) where one = (
                select one from reanalysis
                where finished_at is null and (claimed_until is null or claimed_until <= now()) for update skip locked
            ) returning cursor, done, total",
            LEASE
        )
        .fetch_optional(db)
        .await
    }

    /// Lets another replica take it before the lease ends.
    pub async fn release(&self, db: impl PgExecutor<'_>) -> sqlx::Result<()> {
        sqlx::query!("update reanalysis set claimed_until = null where cursor = $1", self.cursor).execute(db).await?;
        Ok(())
    }

    /// How many contents the reading that is under way has read; none when it has come to its end.
    pub async fn done(db: impl PgExecutor<'_>) -> sqlx::Result<Option<i64>> {
        sqlx::query_scalar!("select done from reanalysis where finished_at is null").fetch_optional(db).await
    }

    /// Saves how far it is; false when it is no longer where it was taken: another replica has read what this one has.
    pub async fn advance(&self, tx: &mut PgTransaction<'_>, cursor: Uuid, more: i64) -> sqlx::Result<bool> {
        let moved = sqlx::query!(
            "update reanalysis set cursor = $2, done = done + $3, claimed_until = null
            where cursor = $1 and finished_at is null",
            self.cursor,
            cursor,
            more
        );
        Ok(moved.execute(&mut **tx).await?.rows_affected() > 0)
    }

    /// Saves that everything was read; false when it is no longer where it was taken.
    pub async fn finish(&self, db: impl PgExecutor<'_>) -> sqlx::Result<bool> {
        let finished = sqlx::query!(
            "update reanalysis set finished_at = now(), claimed_until = null where cursor = $1 and finished_at is null",
            self.cursor
        );
        Ok(finished.execute(db).await?.rows_affected() > 0)
    }
}
