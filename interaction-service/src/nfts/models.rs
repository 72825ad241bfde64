//! NFT records in the database: all of the SQL of this feature.
use serde::Serialize;
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// A comment that can be minted, with the id of its NFT record.
#[derive(Serialize)]
pub struct CommentRecord {
    pub record_id: Uuid,
    pub comment_id: Uuid,
    pub post_id: Uuid,
    /// The author.
    pub created_by: Uuid,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub content: String,
}

impl CommentRecord {
    /// A comment that is not hidden; none when there is no such comment.
    pub async fn find(db: impl PgExecutor<'_>, comment: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "select record.id as record_id, comment.id as comment_id, comment.post_id, comment.created_by,
                comment.created_at, comment.updated_at, comment.content
            from comment join comment_nft as record on record.comment_id = comment.id
            where comment.id = $1 and comment.hidden_at is null",
            comment
        )
        .fetch_optional(db)
        .await
    }
}

/// Writes down where the metadata of records can be read. Records that are gone are left out.
pub async fn save_uris(tx: &mut PgTransaction<'_>, records: &[(Uuid, String)]) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = records.iter().map(|record| record.0).collect();
    let uris: Vec<String> = records.iter().map(|record| record.1.clone()).collect();
    sqlx::query!(
        "update comment_nft set status = 'PINNED', token_uri = pinned.uri
        from (select * from unnest($1::uuid[], $2::text[]) order by 1) as pinned (id, uri)
        where comment_nft.id = pinned.id",
        &ids,
        &uris
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
