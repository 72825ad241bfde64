//! The numbers of changes in the database.
use sqlx::PgTransaction;
use uuid::Uuid;

/// A notification that was written, and whether its reader saw it before and sees it now.
pub struct Change {
    pub id: Uuid,
    pub was_shown: bool,
    pub is_shown: bool,
}

/// Locks readers until the transaction ends, and creates their rows: whatever changes a notification does this first, after it has
/// written what the notification follows from, and before it reads that again.
pub async fn lock_readers(tx: &mut PgTransaction<'_>, users: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into notification_reader (user_id) select distinct id from unnest($1::uuid[]) as reader (id)
        where not exists (select from erasure where person = id) order by id
        on conflict (user_id) do nothing",
        users
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("select user_id from notification_reader where user_id = any($1) order by user_id for update", users)
        .fetch_all(&mut **tx)
        .await?;
    Ok(())
}

/// Gives changes the next numbers of their readers, who are locked. What was not to be seen and is not is no change.
pub async fn number_changes(tx: &mut PgTransaction<'_>, changes: &[Change]) -> sqlx::Result<()> {
    let ids: Vec<Uuid> =
        changes.iter().filter(|change| change.was_shown || change.is_shown).map(|change| change.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "with changed as (
            select id, user_id, row_number() over (partition by user_id order by updated_at, id) as place,
                count(*) over (partition by user_id) as changes
            from notification where id = any($1)
        ), reader as (
            update notification_reader set last_change = last_change + changes
            from (select distinct user_id, changes from changed) as counted
            where notification_reader.user_id = counted.user_id
            returning notification_reader.user_id, last_change - changes as before
        )
        update notification set change = before + place from changed join reader on reader.user_id = changed.user_id
        where notification.id = changed.id",
        &ids
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Has the open streams of a reader look again where no notification changed, but which of them are listed.
pub async fn wake_streams(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<()> {
    sqlx::query!("update notification_reader set announced = last_change - 1 where user_id = $1", user)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
