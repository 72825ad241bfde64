//! Known devices in the database: all of the SQL of this part.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

/// For how many days a device stays known that was not used again.
const KEPT_DAYS: i32 = 180;

/// Records a sign-in with a device; returns whether it is a new one beside others.
pub async fn record_visit(
    tx: &mut PgTransaction<'_>,
    user: Uuid,
    device: &str,
    address_prefix: Option<&str>,
) -> sqlx::Result<bool> {
    // A place that was there before was first seen by another transaction, at another time.
    sqlx::query_scalar!(
        r#"with visited as (
            insert into place (user_id, device, address_prefix) values ($1, $2, coalesce($3, ''))
            on conflict (user_id, device, address_prefix) do update set last_seen_at = now()
            returning first_seen_at = now() as is_new)
        select is_new and exists (select from place where user_id = $1) as "news!" from visited"#,
        user,
        device,
        address_prefix
    )
    .fetch_one(&mut **tx)
    .await
}

/// Deletes some of the devices that were not used for long enough; returns how many.
pub async fn sweep(db: impl PgExecutor<'_>, limit: i64) -> sqlx::Result<u64> {
    let swept = sqlx::query!(
        "delete from place where (user_id, device, address_prefix) in (
            select user_id, device, address_prefix from place
            where last_seen_at < now() - make_interval(days => $1) order by last_seen_at limit $2
            for update skip locked)",
        KEPT_DAYS,
        limit
    )
    .execute(db)
    .await?;
    Ok(swept.rows_affected())
}
