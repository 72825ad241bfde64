//! Statistics in the database: all of the SQL of this feature.
use futures::stream::BoxStream;
use serde_json::value::RawValue;
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::subjects::SubjectType;
use crate::subjects::actions::Action;
use crate::subjects::changes::Ended;
use crate::subjects::reasons::Reason;

/// What came in, and how soon it was decided, in a time.
#[derive(Clone, Debug)]
pub struct Volumes {
    pub reports: i64,
    pub agreed_reports: i64,
    pub flagged: i64,
    pub appeals: i64,
    pub appeals_upheld: i64,
    pub appeals_overturned: i64,
    /// In seconds; none when there was no decision.
    pub median_seconds: Option<f64>,
    pub p95_seconds: Option<f64>,
}

impl Volumes {
    /// Counts from a time on.
    pub async fn count(db: impl PgExecutor<'_>, since: Timestamp) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"select
                (select count(*) from report where at >= $1) as "reports!",
                (select count(*) from report where at >= $1 and status = 'AGREED') as "agreed_reports!",
                (select count(*) from ledger where at >= $1 and kind = 'flagged') as "flagged!",
                (select count(*) from appeal where at >= $1) as "appeals!",
                (select count(*) from appeal where at >= $1 and status = 'UPHELD') as "appeals_upheld!",
                (select count(*) from appeal where at >= $1 and status = 'OVERTURNED') as "appeals_overturned!",
                percentile_cont(0.5) within group (order by seconds) as median_seconds,
                percentile_cont(0.95) within group (order by seconds) as p95_seconds
            from (
                select extract(epoch from decided_at - opened_at)::float8 as seconds from review_time where decided_at >= $1
            ) as waited"#,
            since as Timestamp
        )
        .fetch_one(db)
        .await
    }
}

/// Decisions of one kind, and how many of them were wrong. Those of the ladder of strikes are not counted: they follow from others.
#[derive(Clone, Debug)]
pub struct DecisionCount {
    /// The action, the reason, or the rule with its policy's version.
    pub what: String,
    /// Those of persons, and those of machines.
    pub manual: i64,
    pub automated: i64,
    /// Those that were reversed, or overturned by an appeal.
    pub taken_back: i64,
}

impl DecisionCount {
    /// Decisions from a time on.
    pub async fn all(db: impl PgExecutor<'_>, since: Timestamp) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"select 'all' as "what!", count(moderator) as "manual!", count(*) - count(moderator) as "automated!",
                count(*) filter (where ended_by in ('REVERSED', 'OVERTURNED')) as "taken_back!"
            from decision where at >= $1 and strikes is null"#,
            since as Timestamp
        )
        .fetch_one(db)
        .await
    }

    /// Decisions from a time on, by action; one with several counts for each.
    pub async fn by_action(db: impl PgExecutor<'_>, since: Timestamp) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select action ->> 'action' as "what!", count(moderator) as "manual!",
                count(*) - count(moderator) as "automated!",
                count(*) filter (where ended_by in ('REVERSED', 'OVERTURNED')) as "taken_back!"
            from decision, jsonb_array_elements(actions) as action where at >= $1 and strikes is null group by 1 order by 1"#,
            since as Timestamp
        )
        .fetch_all(db)
        .await
    }

    /// Decisions from a time on, by reason.
    pub async fn by_reason(db: impl PgExecutor<'_>, since: Timestamp) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select reason::text as "what!: String", count(moderator) as "manual!", count(*) - count(moderator) as "automated!",
                count(*) filter (where ended_by in ('REVERSED', 'OVERTURNED')) as "taken_back!"
            from decision where at >= $1 and strikes is null group by 1 order by 1"#,
            since as Timestamp
        )
        .fetch_all(db)
        .await
    }

    /// Decisions from a time on that follow from a policy, by version and rule.
    pub async fn by_rule(db: impl PgExecutor<'_>, since: Timestamp) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select format('%s/%s/%s', policy, policy_version, rule) as "what!", count(moderator) as "manual!",
                count(*) - count(moderator) as "automated!",
                count(*) filter (where ended_by in ('REVERSED', 'OVERTURNED')) as "taken_back!"
            from decision where at >= $1 and strikes is null and policy is not null group by 1 order by 1"#,
            since as Timestamp
        )
        .fetch_all(db)
        .await
    }
}

/// What a model has read, and how often what followed from it was wrong.
#[derive(Clone, Debug)]
pub struct ModelCount {
    pub model_version: String,
    /// Contents that it has read.
    pub read: i64,
    /// Those that policies hid or held by its scores, by themselves or with others.
    pub hidden: i64,
    /// Decisions that followed from what it has read, and those of them that were taken back.
    pub decisions: i64,
    pub taken_back: i64,
}

impl ModelCount {
    /// The models that have read anything from a time on; `none`: contents that were judged without a model.
    pub async fn list(db: impl PgExecutor<'_>, since: Timestamp) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"with read as (
                select model_version, count(*) as contents, count(*) filter (where verdict in ('HOLD', 'HIDE', 'REMOVE')) as hidden
                from analysis where at >= $1 group by model_version
            ), decided as (
                select model_version, count(*) as decisions,
                    count(*) filter (where ended_by in ('REVERSED', 'OVERTURNED')) as taken_back
                from decision join analysis on analysis.id = decision.analysis where decision.at >= $1
                group by model_version
            )
            select model_version as "model_version!", coalesce(contents, 0) as "read!", coalesce(hidden, 0) as "hidden!",
                coalesce(decisions, 0) as "decisions!", coalesce(taken_back, 0) as "taken_back!"
            from read full join decided using (model_version) order by model_version"#,
            since as Timestamp
        )
        .fetch_all(db)
        .await
    }
}

/// How a model in shadow compares with the one that decides.
#[derive(Clone, Debug)]
pub struct ShadowCount {
    pub model_version: String,
    pub shadow_version: String,
    /// Texts that both have read.
    pub read: i64,
    /// Heads of these texts of which both say alike whether the text has the label.
    pub heads_agreed: i64,
    pub both_hide: i64,
    pub only_model_hides: i64,
    pub only_shadow_hides: i64,
    /// Of what only the model hides, the decisions that were taken back since: the shadow would have been right.
    pub spared: i64,
}

impl ShadowCount {
    /// The pairs of models that have read the same texts from a time on.
    pub async fn list(db: impl PgExecutor<'_>, since: Timestamp) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select model_version as "model_version!", shadow_version as "shadow_version!", count(*) as "read!",
                sum(heads_agreed)::bigint as "heads_agreed!", count(*) filter (where hides and shadow_hides) as "both_hide!",
                count(*) filter (where hides and not shadow_hides) as "only_model_hides!",
                count(*) filter (where shadow_hides and not hides) as "only_shadow_hides!",
                count(*) filter (where hides and not shadow_hides and taken_back) as "spared!"
            from (
                select analysis.model_version, shadow.model_version as shadow_version, heads_agreed,
                    analysis.verdict in ('HOLD', 'HIDE', 'REMOVE') as hides, shadow.verdict in ('HOLD', 'HIDE', 'REMOVE') as shadow_hides,
                    exists (select from decision where decision.analysis = analysis.id
                        and ended_by in ('REVERSED', 'OVERTURNED')) as taken_back
                from shadow_reading as shadow join analysis on analysis.id = shadow.analysis where shadow.at >= $1
            ) as read group by model_version, shadow_version order by model_version, shadow_version"#,
            since as Timestamp
        )
        .fetch_all(db)
        .await
    }
}

/// The work of a moderator.
#[derive(Clone, Debug)]
pub struct ModeratorCount {
    pub moderator: Uuid,
    pub decisions: i64,
    /// Those that restrict something.
    pub acted: i64,
    pub taken_back: i64,
    pub median_seconds: Option<f64>,
}

impl ModeratorCount {
    /// The work of all moderators from a time on, who decided most first.
    pub async fn list(db: impl PgExecutor<'_>, since: Timestamp) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select moderator as "moderator!", count(*) as "decisions!",
                count(*) filter (where actions @?
                    '$[*] ? (@.action != "ALLOW" && @.action != "DISMISS" && @.action != "RESTORE")') as "acted!",
                count(*) filter (where ended_by in ('REVERSED', 'OVERTURNED')) as "taken_back!",
                percentile_cont(0.5) within group (order by extract(epoch from decided_at - opened_at)::float8)
                    as median_seconds
            from decision left join review_time on decision = decision.id
            where at >= $1 and moderator is not null and strikes is null
            group by moderator order by 2 desc, 1"#,
            since as Timestamp
        )
        .fetch_all(db)
        .await
    }
}

/// The numbers that all may see.
pub struct Transparency;

impl Transparency {
    /// The last count; none before the first.
    pub async fn find(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Box<RawValue>>> {
        sqlx::query_scalar!(r#"select numbers as "numbers: Box<RawValue>" from transparency"#).fetch_optional(db).await
    }

    /// Saves a count.
    pub async fn save(db: impl PgExecutor<'_>, numbers: &RawValue) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into transparency (counted_at, numbers) values (now(), $1)
            on conflict (one) do update set counted_at = excluded.counted_at, numbers = excluded.numbers",
            Json(numbers) as _
        )
        .execute(db)
        .await?;
        Ok(())
    }
}

/// A decision as all may see it.
#[derive(Debug)]
pub struct PublicDecision {
    pub id: Uuid,
    pub at: Timestamp,
    pub subject_type: SubjectType,
    pub actions: Json<Vec<Action>>,
    pub reason: Reason,
    /// Of the moderator; none: a machine.
    pub pseudonym: Option<String>,
    pub ended_at: Option<Timestamp>,
    pub ended_by: Option<Ended>,
}

impl PublicDecision {
    /// Decisions, newest first. A moderator's pseudonym is a keyed hash (SHA-256 over a secret of 32 bytes and the id, which is
    /// of a fixed length, so that nothing can be appended); the key never leaves the database.
    pub async fn list(db: impl PgExecutor<'_>, before: Cursor, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, at, subject_type, actions as "actions: Json<Vec<Action>>", reason, encode(substr(
                    sha256((select key from pseudonym_key) || uuid_send(moderator)), 1, 6), 'hex') as pseudonym,
                ended_at, ended_by
            from decision where (at, id) < ($1, $2) and strikes is null order by at desc, id desc limit $3"#,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}

/// A decision about a text that is still as it was then.
#[derive(Debug)]
pub struct JudgedText {
    pub text: String,
    pub actions: Json<Vec<Action>>,
    pub reason: Reason,
    pub ended_by: Option<Ended>,
}

impl JudgedText {
    /// The newest judgement of a person about each text: what a person decided, and what a person took back that a machine had
    /// decided. A text that was changed after the decision is left out; a restored one comes back as a new version, a moment
    /// after the decision was taken back. What was decided about a user is mostly about what they wrote elsewhere, and left out as well.
    pub fn stream(db: &PgPool) -> BoxStream<'_, sqlx::Result<Self>> {
        sqlx::query_as!(
            Self,
            r#"select distinct on (md5(text)) text as "text!", actions as "actions: Json<Vec<Action>>", reason, ended_by
            from content join decision on subject_id = content.id and subject_type = content.type
            where text is not null and content.type <> 'USER' and (
                moderator is not null and strikes is null and coalesce(text_version, version) <= decision.at
                or ended_by in ('REVERSED', 'OVERTURNED') and coalesce(text_version, version) <= ended_at + interval '5 minutes'
            )
            order by md5(text), greatest(decision.at, case when ended_by in ('REVERSED', 'OVERTURNED') then ended_at end) desc,
                decision.id desc"#
        )
        .fetch(db)
    }
}
