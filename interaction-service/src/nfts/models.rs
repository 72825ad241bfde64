//! NFT records in the database: all of the SQL of this feature.
use serde::{Deserialize, Serialize};
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
    /// A comment that is not hidden; none when there is no such comment, or it is gone with what it belongs to.
    pub async fn find(db: impl PgExecutor<'_>, comment: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "select record.id as record_id, comment.id as comment_id, comment.post_id, comment.created_by,
                comment.created_at, comment.updated_at, comment.content
            from comment join comment_nft as record on record.comment_id = comment.id
            where comment.id = $1 and comment.hidden_at is null and not removed(comment)",
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
        "update comment_nft set status = case status when 'MINTED' then status else 'PINNED' end, token_uri = pinned.uri
        from (select * from unnest($1::uuid[], $2::text[]) order by 1) as pinned (id, uri)
        where comment_nft.id = pinned.id",
        &ids,
        &uris
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The token of a comment's NFT, as the contract has it.
#[derive(Deserialize)]
pub struct CommentToken {
    /// Of the NFT record
    pub id: Uuid,
    pub token_uri: String,
    pub contract: String,
    pub token_id: String,
    pub transaction_hash: String,
}

/// Writes down which tokens records have. Records that are gone are left out.
pub async fn save_tokens(tx: &mut PgTransaction<'_>, tokens: &[CommentToken]) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = tokens.iter().map(|token| token.id).collect();
    let column =
        |of: fn(&CommentToken) -> &String| -> Vec<String> { tokens.iter().map(|token| of(token).clone()).collect() };
    sqlx::query!(
        "update comment_nft set status = 'MINTED', token_uri = minted.uri, contract = minted.contract,
            token_id = minted.token_id, transaction_hash = minted.hash
        from (select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) order by 1)
            as minted (id, uri, contract, token_id, hash)
        where comment_nft.id = minted.id",
        &ids,
        &column(|token| &token.token_uri),
        &column(|token| &token.contract),
        &column(|token| &token.token_id),
        &column(|token| &token.transaction_hash)
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
