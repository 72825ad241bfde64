//! Connections in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// The beginning or the end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    pub user_id: Uuid,
    pub target_id: Uuid,
    /// Whether the connection exists from then on.
    pub active: bool,
    pub at: Timestamp,
}

impl Connection {
    /// Saves connections; one that is older than the stored one changes nothing, and so does a late one of or to an erased person.
    pub async fn save(tx: &mut PgTransaction<'_>, connections: &[Self]) -> sqlx::Result<()> {
        // Of a beginning and an end at the same time, as of a connection that lasted for one transaction, the end counts.
        sqlx::query!(
            "insert into connection (user_id, target_id, stands, at)
            select distinct on (user_id, target_id) user_id, target_id, stands, at
            from unnest($1::uuid[], $2::uuid[], $3::boolean[], $4::timestamptz[]) as event (user_id, target_id, stands, at)
            where not exists (select from erasure where person in (event.user_id, event.target_id))
            order by user_id, target_id, at desc, stands
            on conflict (user_id, target_id) do update set stands = excluded.stands, at = excluded.at
            where connection.at < excluded.at or (connection.at = excluded.at and connection.stands)",
            &connections.iter().map(|connection| connection.user_id).collect::<Vec<_>>(),
            &connections.iter().map(|connection| connection.target_id).collect::<Vec<_>>(),
            &connections.iter().map(|connection| connection.active).collect::<Vec<_>>(),
            &connections.iter().map(|connection| connection.at).collect::<Vec<_>>() as &[Timestamp]
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Deletes up to twice `rows` connections of a user and to a user; true when there may be more.
    pub async fn delete_by_user(tx: &mut PgTransaction<'_>, user: Uuid, rows: i64) -> sqlx::Result<bool> {
        let deleted = sqlx::query!(
            "delete from connection where (user_id, target_id) in (
                (select user_id, target_id from connection where user_id = $1 limit $2)
                union all
                (select user_id, target_id from connection where target_id = $1 limit $2))",
            user,
            rows
        );
        Ok(deleted.execute(&mut **tx).await?.rows_affected() > 0)
    }
}

/// How far the auth service's list is copied.
pub struct CopyProgress {
    /// The cursor of the next page; empty: of the first one.
    pub cursor: String,
}

impl CopyProgress {
    /// Where to go on; none when all of it is copied.
    pub async fn find(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(Self, "select cursor from connection_copy where done_at is null").fetch_optional(db).await
    }

    /// Saves that the page at this cursor is copied, and the cursor of the next one; without one, that all of it is. False when another
    /// replica was first.
    pub async fn advance(&self, tx: &mut PgTransaction<'_>, next: Option<&str>) -> sqlx::Result<bool> {
        let query = sqlx::query!(
            "update connection_copy set cursor = coalesce($2, cursor), done_at = case when $2::text is null then now() end
            where done_at is null and cursor = $1",
            self.cursor,
            next
        );
        Ok(query.execute(&mut **tx).await?.rows_affected() > 0)
    }
}
