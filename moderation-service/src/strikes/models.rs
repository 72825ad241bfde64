//! Strikes in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::subjects::reasons::Reason;

/// The latest strikes of an author that are shown.
const SHOWN: i64 = 200;

/// A strike of an author.
#[derive(Debug)]
pub struct Strike {
    pub decision: Uuid,
    pub weight: i32,
    pub reason: Reason,
    pub at: Timestamp,
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

impl Strike {
    /// The strikes of an author, newest first.
    pub async fn list(db: impl PgExecutor<'_>, author: Uuid) -> sqlx::Result<Vec<Self>> {
        let strikes = sqlx::query_as!(
            Self,
            "select decision, weight, reason, strike.at, strike.expires_at, revoked_at
            from strike join decision on decision.id = strike.decision
            where strike.author = $1 order by strike.at desc, decision desc limit $2",
            author,
            SHOWN
        );
        strikes.fetch_all(db).await
    }

    /// The strikes of an author for the export of personal data, newest first.
    pub async fn list_personal_data(
        db: &PgPool,
        author: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select at, decision as id, to_json(held) as "thing!" from (
                select decision, weight, at, expires_at, revoked_at from strike
                where author = $1 and (at, decision) < ($2, $3)
            ) as held order by at desc, decision desc limit $4"#,
            author,
            before.at as Timestamp,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}

/// Adds the strike of a decision, which counts for that many days. The author's subject is locked.
pub async fn add(
    tx: &mut PgTransaction<'_>,
    (decision, author): (Uuid, Uuid),
    weight: i32,
    at: Timestamp,
    days: i32,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into strike (decision, author, weight, at, expires_at)
        values ($1, $2, $3, $4, $4::timestamptz + make_interval(days => $5))",
        decision,
        author,
        weight,
        at as Timestamp,
        days
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The weights of the strikes of an author that count at a time, together: of several decisions about one subject the gravest counts.
pub async fn sum(db: impl PgExecutor<'_>, author: Uuid, at: Timestamp) -> sqlx::Result<i32> {
    let sum = sqlx::query_scalar!(
        r#"select coalesce(sum(weight), 0)::int as "sum!" from (
            select max(weight) as weight from strike join decision on decision.id = strike.decision
            where strike.author = $1 and revoked_at is null and strike.at <= $2 and strike.expires_at > $2
            group by subject_type, subject_id
        ) as counted"#,
        author,
        at as Timestamp
    );
    sum.fetch_one(db).await
}

/// How many authors have a sum of strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SumCount {
    pub sum: i32,
    pub authors: i64,
}

impl SumCount {
    /// The sums that authors have at a time, counted as [`sum`] does, the lowest first.
    pub async fn list(db: impl PgExecutor<'_>, at: Timestamp) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select sum as "sum!", count(*) as "authors!" from (
                select author, sum(weight)::int as sum from (
                    select strike.author, max(weight) as weight from strike join decision on decision.id = strike.decision
                    where revoked_at is null and strike.at <= $1 and strike.expires_at > $1
                    group by strike.author, subject_type, subject_id
                ) as counted group by author
            ) as summed group by sum order by sum"#,
            at as Timestamp
        )
        .fetch_all(db)
        .await
    }
}

/// Takes the strike of a decision back; false when there is none that counts.
pub async fn revoke(tx: &mut PgTransaction<'_>, decision: Uuid, at: Timestamp) -> sqlx::Result<bool> {
    let revoked = sqlx::query!(
        "update strike set revoked_at = $2 where decision = $1 and revoked_at is null",
        decision,
        at as Timestamp
    );
    Ok(revoked.execute(&mut **tx).await?.rows_affected() > 0)
}
