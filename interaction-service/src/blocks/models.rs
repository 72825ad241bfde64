//! Blocks in the database: all of the SQL of this feature.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// The beginning or the end of a block.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    pub user_id: Uuid,
    pub target_id: Uuid,
    /// Whether the block is active from then on.
    pub active: bool,
    pub at: Timestamp,
}

/// Saves blocks; one that is older than the stored one changes nothing, and so does a late one of or about an erased person.
pub async fn save_blocks(tx: &mut PgTransaction<'_>, blocks: &[Block]) -> sqlx::Result<()> {
    // One statement writes a row once: of several events about one pair the newest is saved.
    sqlx::query!(
        "insert into block (user_id, target_id, stands, at)
        select distinct on (user_id, target_id) user_id, target_id, stands, at
        from unnest($1::uuid[], $2::uuid[], $3::boolean[], $4::timestamptz[]) as event (user_id, target_id, stands, at)
        where not exists (select from erasure where person in (event.user_id, event.target_id))
        order by user_id, target_id, at desc
        on conflict (user_id, target_id) do update set stands = excluded.stands, at = excluded.at
        where block.at < excluded.at",
        &blocks.iter().map(|block| block.user_id).collect::<Vec<_>>(),
        &blocks.iter().map(|block| block.target_id).collect::<Vec<_>>(),
        &blocks.iter().map(|block| block.active).collect::<Vec<_>>(),
        &blocks.iter().map(|block| block.at).collect::<Vec<_>>() as &[Timestamp]
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Deletes up to `rows` blocks by a user, and as many of a user; true when there may be more.
pub async fn delete_blocks(tx: &mut PgTransaction<'_>, user: Uuid, rows: i64) -> sqlx::Result<bool> {
    let deleted = sqlx::query!(
        "delete from block where (user_id, target_id) in (
            (select user_id, target_id from block where user_id = $1 limit $2)
            union all (select user_id, target_id from block where target_id = $1 limit $2)
        )",
        user,
        rows
    );
    Ok(deleted.execute(&mut **tx).await?.rows_affected() > 0)
}
