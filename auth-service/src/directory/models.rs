//! Which hashes are out of date, and what belongs into them.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::app::identity::Status;
use crate::core::contract::timestamp::Timestamp;

/// What belongs into a person's hash, and the version that this is.
pub struct UserDetail {
    pub id: Uuid,
    pub version: i64,
    pub created_at: Timestamp,
    pub created_by: Option<Uuid>,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
    pub email: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub is_verified: bool,
    pub date_joined: Timestamp,
    pub rating: f64,
    pub status: Status,
    pub interests: Vec<String>,
    pub total_connections: i64,
    pub connections: Vec<Uuid>,
}

/// Notes that the hashes of these people are out of date.
pub async fn mark_stale(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into user_detail (user_id) select id from unnest($1::uuid[]) as changed (id) order by id
        on conflict (user_id) do update set version = greatest(user_detail.version + 1, excluded.version)",
        ids
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// People whose hash is out of date.
pub async fn list_stale(db: impl PgExecutor<'_>, limit: i64) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!("select user_id from user_detail where written < version order by user_id limit $1", limit)
        .fetch_all(db)
        .await
}

/// The next people in the order of ids.
pub async fn list_after(db: impl PgExecutor<'_>, id: Uuid, limit: i64) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!("select user_id from user_detail where user_id > $1 order by user_id limit $2", id, limit)
        .fetch_all(db)
        .await
}

/// What belongs into the hashes of those of these people who are still here. State and version are of one snapshot.
pub async fn load(db: impl PgExecutor<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<UserDetail>> {
    sqlx::query_as!(
        UserDetail,
        r#"select account.id, version, created_at, created_by,
            updated_at, updated_by, email, first_name, last_name, is_verified,
            date_joined, rating, status, interests, total_connections,
            array(select target.id from connection join account as target on target.id = connection.target_id
                where connection.user_id = account.id order by target.date_joined desc, target.id desc
            ) as "connections!"
        from user_detail join account on account.id = user_detail.user_id where account.id = any($1)"#,
        ids
    )
    .fetch_all(db)
    .await
}

/// Those of these people who are gone, with the version at which their hash is to be deleted.
pub async fn list_deleted(db: impl PgExecutor<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<(Uuid, i64)>> {
    let rows = sqlx::query!(
        "select user_id, version from user_detail
        where user_id = any($1) and not exists (select from account where account.id = user_detail.user_id)",
        ids
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.user_id, row.version)).collect())
}

/// Notes which versions Redis has. The rows of people who are gone stay: a Redis that comes back with what it held earlier
/// brings their hashes back too, and they have to be found.
pub async fn record_written(tx: &mut PgTransaction<'_>, written: &[(Uuid, i64)]) -> sqlx::Result<()> {
    let (ids, versions): (Vec<Uuid>, Vec<i64>) = written.iter().copied().unzip();
    // In the order in which changes mark them.
    sqlx::query!("select user_id from user_detail where user_id = any($1) order by user_id for update", &ids)
        .fetch_all(&mut **tx)
        .await?;
    sqlx::query!(
        "update user_detail set written = greatest(written, done.version)
        from unnest($1::uuid[], $2::bigint[]) as done (id, version) where user_id = done.id",
        &ids,
        &versions
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
