//! The list in the database.
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::nfts::models::Nft;
use crate::nfts::{MintStatus, NftKind};

impl Nft {
    /// A user's NFTs, newest first: those of their posts, and those of comments and of what is gone that they have asked for; of one
    /// subject alone, where it is given.
    pub async fn list(
        db: impl PgExecutor<'_>,
        (user, subject): (Uuid, Option<Uuid>),
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select * from (
                (select record.id as "id!", record.created_at as "created_at!", record.created_by as "created_by!",
                    coalesce(mint.updated_at, record.updated_at) as "updated_at!", 'POST' as "kind!: NftKind",
                    record.post_id as "subject_id!", coalesce(mint.status, record.status) as "status!: MintStatus",
                    mint.reason, mint.cid, mint.token_uri,
                mint.contract, mint.token_id, mint.recipient, mint.transaction_hash, mint.minted_at
                from post_nft as record left join mint on mint.id = record.id
                where record.created_by = $1 and (record.created_at, record.id) < ($2, $3)
                    and ($5::uuid is null or record.post_id = $5)
                order by record.created_at desc, record.id desc limit $4)
                union all
                (select id, created_at, created_by, updated_at, kind, subject_id, status, reason, cid, token_uri,
                    contract, token_id, recipient, transaction_hash, minted_at
                from mint
                where created_by = $1 and (created_at, id) < ($2, $3) and ($5::uuid is null or subject_id = $5)
                    and not exists (select from post_nft where post_nft.id = mint.id)
                order by created_at desc, id desc limit $4)
            ) as nft order by "created_at!" desc, "id!" desc limit $4"#,
            user,
            before.at,
            before.id,
            rows,
            subject
        )
        .fetch_all(db)
        .await
    }
}
