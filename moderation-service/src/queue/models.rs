//! The queue in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::services::{FlaggedBy, QueueFilter};
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::scopes::services::ScopeFilter;
use crate::subjects::{Review, SubjectKey, SubjectType, Visibility};

/// Characters of a text in a list: enough to know what it is about.
const EXCERPT: i32 = 300;
/// How long a claim lasts, in seconds: a quarter of an hour, as long as a hard case takes.
const LEASE: f64 = 900.0;
/// Items that a moderator has claimed at once, at most, which is as many as one request decides about: so no client that asks again and again
/// keeps the whole queue from the others.
const MOST_HELD: i64 = 1_000;

/// An item of the queue.
#[derive(Clone, Debug)]
pub struct QueueItem {
    pub r#type: SubjectType,
    pub id: Uuid,
    pub author: Uuid,
    pub visibility: Visibility,
    pub review: Review,
    pub severity: f64,
    pub reports: i32,
    pub report_weight: f64,
    pub reasons: Vec<String>,
    pub family: Option<String>,
    pub flagged: bool,
    pub reach: i64,
    pub opened_at: Timestamp,
    /// Its place in the order, latest first.
    pub place: Timestamp,
    pub excerpt: Option<String>,
    pub claimed_by: Option<Uuid>,
    pub claimed_until: Option<Timestamp>,
}

impl QueueItem {
    /// A page of the queue as far as it is in the scope of a moderator, the most urgent first.
    pub async fn list(
        tx: &mut PgTransaction<'_>,
        (filter, scope): (&QueueFilter, &ScopeFilter),
        after: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        plan_by_filter(tx).await?;
        sqlx::query_as!(
            Self,
            r#"select subject.type as "type", subject.id, subject.author,
                visibility, review, severity, reports, report_weight, reasons,
                family, flagged, subject.reach, opened_at as "opened_at!", place as "place!", left(text, $10) as excerpt,
                claim.moderator as "claimed_by?", claim.until as "claimed_until?"
            from subject
            left join content on content.id = subject.id and content.type = subject.type
            left join claim on (subject_type, subject_id) = (subject.type, subject.id) and until > now()
            where review in ('OPEN', 'ESCALATED') and (place, subject.id) < ($1, $2)
                and ($3::text is null or subject.type = $3) and ($4::text is null or family = $4)
                and ($11::text is null or $11 = any(reasons))
                and ($5::float8 is null or severity >= $5) and ($6::bool is null or (review = 'ESCALATED') = $6)
                and ($7::bool is null or flagged = $7) and ($8::bool is null or (reports > 0) = $8)
                and ($12::text[] is null or subject.type = any($12)) and ($13::text[] is null or family is null or family = any($13))
                and ($14 or review <> 'ESCALATED')
            order by place desc, subject.id desc limit $9"#,
            after.at,
            after.id,
            filter.r#type as Option<SubjectType>,
            filter.family,
            filter.min_severity,
            filter.escalated,
            filter.flagged_by.map(|by| by == FlaggedBy::Machine).filter(|is_machine| *is_machine),
            filter.flagged_by.map(|by| by == FlaggedBy::People).filter(|is_people| *is_people),
            rows,
            EXCERPT,
            filter.reason,
            scope.types.as_deref(),
            scope.families.as_deref(),
            scope.escalated
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// What a moderator has claimed, the most urgent first.
    pub async fn list_claimed(db: impl PgExecutor<'_>, moderator: Uuid) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select subject.type as "type", subject.id, subject.author,
                visibility, review, severity, reports, report_weight, reasons,
                family, flagged, subject.reach, opened_at as "opened_at!", place as "place!", left(text, $2) as excerpt,
                claim.moderator as "claimed_by?", claim.until as "claimed_until?"
            from claim
            join subject on (subject.type, subject.id) = (subject_type, subject_id)
            left join content on content.id = subject.id and content.type = subject.type
            where moderator = $1 and until > now() and review in ('OPEN', 'ESCALATED')
            order by place desc, subject.id desc limit $3"#,
            moderator,
            EXCERPT,
            MOST_HELD
        )
        .fetch_all(db)
        .await
    }

    /// These items, the most urgent first.
    pub async fn list_these(db: impl PgExecutor<'_>, keys: &[SubjectKey]) -> sqlx::Result<Vec<Self>> {
        let types: Vec<String> = keys.iter().map(|key| key.r#type.word().to_owned()).collect();
        let ids: Vec<Uuid> = keys.iter().map(|key| key.id).collect();
        sqlx::query_as!(
            Self,
            r#"select subject.type as "type", subject.id, subject.author,
                visibility, review, severity, reports, report_weight, reasons,
                family, flagged, subject.reach, opened_at as "opened_at!", place as "place!", left(text, $3) as excerpt,
                claim.moderator as "claimed_by?", claim.until as "claimed_until?"
            from subject
            left join content on content.id = subject.id and content.type = subject.type
            left join claim on (subject_type, subject_id) = (subject.type, subject.id) and until > now()
            where (subject.type, subject.id) in (select * from unnest($1::text[], $2::uuid[]))
                and review in ('OPEN', 'ESCALATED')
            order by place desc, subject.id desc"#,
            &types,
            &ids,
            EXCERPT
        )
        .fetch_all(db)
        .await
    }
}

/// Lets the statements of a transaction be planned for the filter at hand: which index leads to a rare family, and which to all
/// items, no plan for every filter can know.
async fn plan_by_filter(tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
    sqlx::query!("set local plan_cache_mode = force_custom_plan").execute(&mut **tx).await?;
    Ok(())
}

/// What a search for free items came to.
#[derive(Debug)]
pub struct Claimed {
    pub keys: Vec<SubjectKey>,
    /// Whether another moderator was faster with all that were found, so that a second search may find more.
    pub is_outrun: bool,
}

/// Claims the most urgent items that are free and in the scope of a moderator who did not write them, as far as they may [have more](MOST_HELD).
///
/// Items that another claim or a decision has at hand are skipped, and not waited for. A claim that was committed while
/// this search was under way is seen by the primary key: then the other one keeps the item.
pub async fn claim_next(
    tx: &mut PgTransaction<'_>,
    (moderator, scope): (Uuid, &ScopeFilter),
    filter: &QueueFilter,
    rows: i64,
) -> sqlx::Result<Claimed> {
    let held = sqlx::query_scalar!(
        r#"select count(*) as "held!" from claim where moderator = $1 and until > now()"#,
        moderator
    );
    let room = (MOST_HELD - held.fetch_one(&mut **tx).await?).max(0);
    plan_by_filter(tx).await?;
    let found = sqlx::query!(
        r#"with free as materialized (
            select type, id from subject
            where review in ('OPEN', 'ESCALATED') and author <> $1
                and ($2::text is null or type = $2) and ($3::text is null or family = $3)
                and ($10::text is null or $10 = any(reasons))
                and ($4::float8 is null or severity >= $4) and (review = 'ESCALATED') = $5
                and ($6::bool is null or flagged = $6) and ($7::bool is null or (reports > 0) = $7)
                and not exists (select from claim where (subject_type, subject_id) = (type, id) and until > now())
                and ($11::text[] is null or type = any($11)) and ($12::text[] is null or family is null or family = any($12))
                and ($13 or review <> 'ESCALATED')
            order by place desc, id desc limit $8 for update skip locked
        ),
        taken as (
            insert into claim (subject_type, subject_id, moderator, until)
            select type, id, $1, now() + make_interval(secs => $9) from free
            on conflict (subject_type, subject_id) do update set moderator = excluded.moderator, until = excluded.until
            where claim.until <= now()
            returning subject_type, subject_id
        )
        select type as "type: SubjectType", id, subject_id is not null as "taken!"
        from free left join taken on (subject_type, subject_id) = (type, id)"#,
        moderator,
        filter.r#type as Option<SubjectType>,
        filter.family,
        filter.min_severity,
        filter.escalated.unwrap_or(false),
        filter.flagged_by.map(|by| by == FlaggedBy::Machine).filter(|is_machine| *is_machine),
        filter.flagged_by.map(|by| by == FlaggedBy::People).filter(|is_people| *is_people),
        rows.min(room),
        LEASE,
        filter.reason,
        scope.types.as_deref(),
        scope.families.as_deref(),
        scope.escalated
    )
    .fetch_all(&mut **tx)
    .await?;
    let taken = found.iter().filter(|item| item.taken);
    let keys: Vec<_> = taken.map(|item| SubjectKey { r#type: item.r#type, id: item.id }).collect();
    Ok(Claimed { is_outrun: keys.is_empty() && !found.is_empty(), keys })
}

/// Claims a subject, or extends the moderator's own claim; until when. None when another moderator has it. A decision that is being made is
/// waited for: it has seen that there was no claim.
pub async fn claim(tx: &mut PgTransaction<'_>, key: SubjectKey, moderator: Uuid) -> sqlx::Result<Option<Timestamp>> {
    sqlx::query!("select id from subject where type = $1 and id = $2 for update", key.r#type as SubjectType, key.id)
        .fetch_optional(&mut **tx)
        .await?;
    sqlx::query_scalar!(
        "insert into claim (subject_type, subject_id, moderator, until) values ($1, $2, $3, now() + make_interval(secs => $4))
        on conflict (subject_type, subject_id) do update set moderator = excluded.moderator, until = excluded.until
        where claim.until <= now() or claim.moderator = excluded.moderator
        returning until",
        key.r#type as SubjectType,
        key.id,
        moderator,
        LEASE
    )
    .fetch_optional(&mut **tx)
    .await
}

/// Ends a claim of a moderator, or, for an administrator, of any; whether there was one.
pub async fn release(db: impl PgExecutor<'_>, key: SubjectKey, moderator: Option<Uuid>) -> sqlx::Result<bool> {
    let query = sqlx::query!(
        "delete from claim where subject_type = $1 and subject_id = $2 and ($3::uuid is null or moderator = $3)",
        key.r#type as SubjectType,
        key.id,
        moderator
    );
    Ok(query.execute(db).await?.rows_affected() > 0)
}

/// Deletes the claims that ended an hour ago: most end with a decision, which deletes them.
pub async fn delete_ended_claims(db: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query!("delete from claim where until < now() - interval '1 hour'").execute(db).await?;
    Ok(())
}

/// The claim on a subject.
#[derive(Clone, Debug)]
pub struct Claim {
    pub moderator: Uuid,
    pub until: Timestamp,
}

impl Claim {
    /// The claim that is in force on a subject.
    pub async fn find(db: impl PgExecutor<'_>, key: SubjectKey) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "select moderator, until from claim where subject_type = $1 and subject_id = $2 and until > now()",
            key.r#type as SubjectType,
            key.id
        )
        .fetch_optional(db)
        .await
    }
}

/// The length of the queue.
#[derive(Clone, Copy, Debug)]
pub struct QueueLength {
    pub open: i64,
    pub escalated: i64,
    pub claimed: i64,
    pub oldest: Option<Timestamp>,
}

impl QueueLength {
    /// Counts the queue, by its indexes alone.
    pub async fn count(db: impl PgExecutor<'_>) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"select total - escalated as "open!", escalated as "escalated!", claimed as "claimed!", oldest
            from (select
                (select count(*) from subject where review in ('OPEN', 'ESCALATED')) as total,
                (select count(*) from subject where review = 'ESCALATED') as escalated,
                (select count(*) from claim where until > now()) as claimed,
                (select min(opened_at) from subject where review in ('OPEN', 'ESCALATED')) as oldest
            ) as counted"#
        )
        .fetch_one(db)
        .await
    }
}
