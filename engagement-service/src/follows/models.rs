//! Connections in the database: all of the SQL of this feature.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// The beginning or the end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Follow {
    pub user_id: Uuid,
    pub target_id: Uuid,
    /// Whether the connection exists from then on.
    pub active: bool,
    pub at: Timestamp,
}

impl Follow {
    /// Saves connections. One that is older than the stored one changes nothing, and so does one of a person whose data are
    /// erased.
    pub async fn save(tx: &mut PgTransaction<'_>, follows: &[Self]) -> sqlx::Result<()> {
        // Of a beginning and an end at the same time, as of a connection that lasted for one transaction, the end counts.
        sqlx::query!(
            "insert into follow (user_id, target_id, stands, at, pulled)
            select distinct on (user_id, target_id) user_id, target_id, stands, at,
                exists (select from big_author where big_author.user_id = target_id)
            from unnest($1::uuid[], $2::uuid[], $3::boolean[], $4::timestamptz[]) as event (user_id, target_id, stands, at)
            where not exists (select from erasure where person in (event.user_id, event.target_id))
            order by user_id, target_id, at desc, stands
            on conflict (user_id, target_id) do update
            set stands = excluded.stands, at = excluded.at, pulled = excluded.pulled
            where follow.at < excluded.at or (follow.at = excluded.at and follow.stands)",
            &follows.iter().map(|follow| follow.user_id).collect::<Vec<_>>(),
            &follows.iter().map(|follow| follow.target_id).collect::<Vec<_>>(),
            &follows.iter().map(|follow| follow.active).collect::<Vec<_>>(),
            &follows.iter().map(|follow| follow.at).collect::<Vec<_>>() as &[Timestamp]
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Deletes up to `rows` connections of a user and to a user; true when there may be more.
    pub async fn delete_by_user(tx: &mut PgTransaction<'_>, user: Uuid, rows: i64) -> sqlx::Result<bool> {
        let deleted = sqlx::query!(
            "delete from follow where (user_id, target_id) in (
                (select user_id, target_id from follow where user_id = $1 limit $2)
                union all (select user_id, target_id from follow where target_id = $1 and stands limit $2)
                union all (select user_id, target_id from follow where target_id = $1 and not stands limit $2)
            )",
            user,
            rows
        )
        .execute(&mut **tx)
        .await?;
        Ok(deleted.rows_affected() > 0)
    }
}
