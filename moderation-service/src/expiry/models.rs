//! What the timer has to do, in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::subjects::{SubjectKey, SubjectType};

/// The decision that is due longest.
pub async fn due(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Uuid>> {
    let due = sqlx::query_scalar!(
        "select id from decision where ended_at is null and due_at <= clock_timestamp() order by due_at limit 1"
    );
    due.fetch_optional(db).await
}

/// When the next decision is due.
pub async fn next_due(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Timestamp>> {
    let next = sqlx::query_scalar!(
        r#"select min(due_at) as "next: Timestamp" from decision where ended_at is null and due_at is not null"#
    );
    next.fetch_one(db).await
}

/// For how many seconds the decision has been due that is due longest, to be ended or, where it was scheduled, to be made; 0 when none is.
pub async fn lag_seconds(db: impl PgExecutor<'_>) -> sqlx::Result<f64> {
    let lag = sqlx::query_scalar!(
        r#"select coalesce(extract(epoch from clock_timestamp() - least(
            (select min(due_at) from decision where ended_at is null and due_at <= clock_timestamp()),
            (select min(due_at) from scheduled_decision where status = 'WAITING' and due_at <= clock_timestamp())
        )), 0)::float8 as "lag!""#
    );
    lag.fetch_one(db).await
}

/// The content that has been hidden longest, for at least that many days, without an open appeal; with its author.
pub async fn removable(db: impl PgExecutor<'_>, days: i32) -> sqlx::Result<Option<(SubjectKey, Uuid)>> {
    let row = sqlx::query!(
        "select type, id, author from subject
        where visibility = 'HIDDEN' and hidden_at <= clock_timestamp() - make_interval(days => $1) and not exists (
            select from appeal join decision on decision.id = appeal.decision
            where appeal.status = 'OPEN' and decision.subject_type = subject.type and decision.subject_id = subject.id)
        order by hidden_at limit 1",
        days
    );
    let row = row.fetch_optional(db).await?;
    Ok(row.map(|row| (SubjectKey { r#type: row.r#type, id: row.id }, row.author)))
}

/// Whether a locked content is still to be removed.
pub async fn is_removable(tx: &mut PgTransaction<'_>, key: SubjectKey, days: i32) -> sqlx::Result<bool> {
    let removable = sqlx::query_scalar!(
        r#"select exists (select from subject
            where type = $1 and id = $2 and visibility = 'HIDDEN'
                and hidden_at <= clock_timestamp() - make_interval(days => $3) and not exists (
                select from appeal join decision on decision.id = appeal.decision
                where appeal.status = 'OPEN' and decision.subject_type = $1 and decision.subject_id = $2)) as "is!""#,
        key.r#type as SubjectType,
        key.id,
        days
    );
    removable.fetch_one(&mut **tx).await
}
