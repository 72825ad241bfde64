//! NFT records in the database: all of the SQL of this feature.
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::nfts::models::show_in_new_record;
use crate::posts::models::Post;

/// A user's NFT records for the export of personal data, newest first.
pub async fn list_personal_nfts(
    db: &PgPool,
    user: Uuid,
    before: Cursor,
    rows: i64,
) -> sqlx::Result<Vec<PersonalDataItem>> {
    sqlx::query_as!(
        PersonalDataItem,
        r#"select created_at as at, id, to_json(post_nft) as "thing!" from post_nft
        where created_by = $1 and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4"#,
        user,
        before.at,
        before.id,
        rows
    )
    .fetch_all(db)
    .await
}

/// Deletes the NFT record of a post.
pub async fn delete_nft(tx: &mut PgTransaction<'_>, post: Uuid) -> sqlx::Result<()> {
    sqlx::query!("delete from post_nft where post_id = $1", post).execute(&mut **tx).await?;
    Ok(())
}

/// Inserts or updates the NFT record of a post. A post that was hidden and is back has the record's id of before, if its minting was
/// asked for: what was minted is shown again, and what was cancelled can be asked for again.
pub async fn save_nft(tx: &mut PgTransaction<'_>, post: &Post, description: &str) -> sqlx::Result<()> {
    let record = sqlx::query!(
        r#"insert into post_nft (id, created_by, post_id, description)
        values (coalesce((select mint.id from mint where kind = 'POST' and subject_id = $3), $1), $2, $3, $4)
        on conflict (post_id) do update set updated_by = $5, updated_at = now()
        returning id, (xmax = 0) as "is_new!""#,
        Uuid::now_v7(),
        post.created_by,
        post.id,
        description,
        post.updated_by
    )
    .fetch_one(&mut **tx)
    .await?;
    if record.is_new { show_in_new_record(tx, record.id).await } else { Ok(()) }
}
