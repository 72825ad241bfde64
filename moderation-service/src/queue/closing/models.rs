//! The place up to which the ledger was followed, and how long subjects waited, in the database: all of the SQL of this feature.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::subjects::SubjectType;

/// An entry of the ledger, as far as it is followed.
#[derive(Debug)]
pub struct FollowedEntry {
    pub seq: i64,
    pub subject_type: SubjectType,
    pub subject_id: Uuid,
    pub at: Timestamp,
    pub kind: String,
    /// None: erased.
    pub details: Option<String>,
}

/// The place up to which the ledger was followed.
pub struct LedgerFollower;

impl LedgerFollower {
    /// Locks the place; none when another replica has it at hand.
    pub async fn lock(tx: &mut PgTransaction<'_>) -> sqlx::Result<Option<i64>> {
        sqlx::query_scalar!("select seq from report_follower for update skip locked").fetch_optional(&mut **tx).await
    }

    /// The next entries that close reports, and the last entry that was looked at; none when there is none.
    pub async fn read(
        tx: &mut PgTransaction<'_>,
        after: i64,
        rows: i64,
    ) -> sqlx::Result<Option<(Vec<FollowedEntry>, i64)>> {
        let last = sqlx::query_scalar!(
            "select max(seq) from (select seq from ledger where seq > $1 order by seq limit $2) as batch",
            after,
            rows
        )
        .fetch_one(&mut **tx)
        .await?;
        let Some(last) = last else { return Ok(None) };
        let entries = sqlx::query_as!(
            FollowedEntry,
            r#"select seq, subject_type, subject_id, at,
                kind, details
            from ledger where seq > $1 and seq <= $2 and kind in ('decided', 'ended', 'gone') order by seq"#,
            after,
            last
        )
        .fetch_all(&mut **tx)
        .await?;
        Ok(Some((entries, last)))
    }

    /// Saves the place.
    pub async fn save(tx: &mut PgTransaction<'_>, seq: i64) -> sqlx::Result<()> {
        sqlx::query!("update report_follower set seq = $1", seq).execute(&mut **tx).await?;
        Ok(())
    }
}

/// Saves how long a subject had waited when a person decided: since the first report, finding or appeal after the decision of a
/// person that has closed the review before. Nothing when the person was not asked.
pub async fn save_review_time(tx: &mut PgTransaction<'_>, entry: &FollowedEntry, decision: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into review_time (decision, opened_at, decided_at)
        select $1, min(at), $5 from ledger
        where subject_type = $2 and subject_id = $3 and seq < $4
            and kind in ('flagged', 'reported', 'escalated', 'appealed') and seq > (
                select coalesce(max(seq), 0) from ledger
                where subject_type = $2 and subject_id = $3 and seq < $4
                    and kind = 'decided' and actor_type = 'MODERATOR'
                    and details::json ->> 'closes_review' = 'true'
            )
        having min(at) is not null
        on conflict (decision) do nothing",
        decision,
        entry.subject_type as SubjectType,
        entry.subject_id,
        entry.seq,
        entry.at
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
