//! NFTs in the database: all of the SQL of this feature.
//!
//! Locks are taken in one order: the record of the post, then the row of `mint`. So a step of the worker and the withdrawal of a
//! post cannot deadlock.
use std::time::Duration;

use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::documents::MintedContent;
use super::removals::models::{CLAIM_SECONDS, Unpin};
use super::{MintStatus, NftKind};
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;

/// An NFT as its author sees it.
#[derive(Clone, Debug)]
pub struct Nft {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub created_by: Uuid,
    pub updated_at: Timestamp,
    pub kind: NftKind,
    pub subject_id: Uuid,
    pub status: MintStatus,
    pub reason: Option<String>,
    pub cid: Option<String>,
    pub token_uri: Option<String>,
    pub contract: Option<String>,
    pub token_id: Option<String>,
    pub recipient: Option<String>,
    pub transaction_hash: Option<String>,
    pub minted_at: Option<Timestamp>,
}

impl Nft {
    /// An NFT that the viewer may see: one of a post that they see, one of a comment that is not hidden and whose metadata can be read, or
    /// their own.
    pub async fn find_visible(db: impl PgExecutor<'_>, id: Uuid, viewer: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select record.id as "id!", record.created_at as "created_at!", record.created_by as "created_by!",
                coalesce(mint.updated_at, record.updated_at) as "updated_at!", 'POST' as "kind!: NftKind",
                record.post_id as "subject_id!", coalesce(mint.status, record.status) as "status!: MintStatus",
                mint.reason, mint.cid, mint.token_uri,
                mint.contract, mint.token_id, mint.recipient, mint.transaction_hash, mint.minted_at
            from post_nft as record join post on post.id = record.post_id left join mint on mint.id = record.id
            where record.id = $1 and visible(post, $2)
            union all
            select id, created_at, created_by, updated_at, kind, subject_id, status, reason, cid, token_uri,
                contract, token_id, recipient, transaction_hash, minted_at from mint
            where id = $1 and not exists (select from post_nft where post_nft.id = mint.id)
                and (created_by = $2 or (kind = 'COMMENT' and token_uri is not null and status <> 'CANCELLED'
                    and not content_hidden and not hidden(created_by, $2)))"#,
            id,
            viewer
        )
        .fetch_optional(db)
        .await
    }
}

/// A published post as it would be minted now; none when it is not there, not published, or hidden.
pub async fn find_post(db: impl PgExecutor<'_>, post: Uuid) -> sqlx::Result<Option<MintedContent>> {
    sqlx::query_as!(
        MintedContent,
        r#"select 'POST' as "kind!: NftKind", record.id as record_id, post.id as subject_id, post.created_by,
            post.created_at, post.updated_at, post.title, post.content, post.types as categories
        from post join post_nft as record on record.post_id = post.id
        where post.id = $1 and post.status = 'POSTED' and post.hidden_at is null"#,
        post
    )
    .fetch_optional(db)
    .await
}

/// Locks the record of a post until the transaction ends; there is none of a comment.
pub async fn lock_record(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("select id from post_nft where id = $1 for update", id).fetch_optional(&mut **tx).await?;
    Ok(())
}

/// Shows in the new record of a post how far its minting is: of one that was hidden and is back, which has the record's id of before.
pub async fn show_in_new_record(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<()> {
    // Locked first: what changes the request at the moment does not see the record yet, and is seen here when it is done.
    let known =
        sqlx::query_scalar!("select id from mint where id = $1 for update", id).fetch_optional(&mut **tx).await?;
    if known.is_some() {
        show_in_records(tx, &[id]).await?;
    }
    Ok(())
}

/// Shows in the records of posts how far their minting is.
pub async fn show_in_records(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!(
        "update post_nft set token_uri = mint.token_uri,
            status = case mint.status when 'CANCELLED' then 'READY_FOR_MINTING' else mint.status end
        from mint where mint.id = post_nft.id and mint.id = any($1)",
        ids
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A request to mint that a worker has claimed.
#[derive(Clone, Debug)]
pub struct Mint {
    pub id: Uuid,
    /// When it was asked for.
    pub created_at: Timestamp,
    pub created_by: Uuid,
    pub kind: NftKind,
    pub subject_id: Uuid,
    /// Where an earlier try has put the document.
    pub store: Option<String>,
    pub cid: Option<String>,
    pub pin_request: Option<String>,
    /// The number of the claim.
    pub claims: i64,
    pub failures: i32,
}

impl Mint {
    /// Writes down that an author asks for the minting of a content. One that is under way or done stays as it is.
    pub async fn ask(tx: &mut PgTransaction<'_>, content: &MintedContent) -> sqlx::Result<()> {
        lock_record(tx, content.record_id).await?;
        sqlx::query!(
            "insert into mint (id, created_by, kind, subject_id) values ($1, $2, $3, $4)
            on conflict on constraint mint_kind_subject_id_key do update set id = excluded.id",
            content.record_id,
            content.created_by,
            content.kind as NftKind,
            content.subject_id
        )
        .execute(&mut **tx)
        .await?;
        // What was withdrawn and is back: where a token leads to its document, or may lead there by a transaction on its way or a voucher,
        // also by one that has ended so lately that what has become of it may not be read yet, that document is the one.
        sqlx::query!(
            "update mint set status = 'PINNED', reason = null, failures = 0, created_at = now(), updated_at = now(),
                recipient = case when minted_at is null and voucher_deadline is null then null else recipient end
            where id = $1 and status in ('FAILED', 'CANCELLED') and token_uri is not null
                and (minted_at is not null or voucher_deadline > now() - interval '1 day' or exists (
                    select from chain_transaction as entry where entry.record_id = mint.id
                        and (entry.status in ('SIGNED', 'SUBMITTED', 'MINED') or (entry.status = 'CONFIRMED' and entry.succeeded))))",
            content.record_id
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "update mint set status = 'UPLOADING', reason = null, pin_request = null, token_uri = null, failures = 0,
                recipient = case when minted_at is null and voucher_deadline is null then null else recipient end,
                transaction_hash = case when minted_at is null then null else transaction_hash end,
                created_at = now(), updated_at = now(), next_try_at = now()
            where id = $1 and status in ('FAILED', 'CANCELLED')",
            content.record_id
        )
        .execute(&mut **tx)
        .await?;
        show_in_records(tx, &[content.record_id]).await
    }

    /// Claims requests that are due.
    pub async fn claim(db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"update mint set claims = claims + 1, next_try_at = now() + make_interval(secs => $2)
            where id in (
                select id from mint where status in ('UPLOADING', 'RETRY') and token_uri is null and next_try_at <= now()
                order by next_try_at limit $1 for update skip locked)
            returning id, created_at, created_by, kind as "kind: NftKind", subject_id, store, cid, pin_request, claims,
                failures"#,
            rows,
            CLAIM_SECONDS
        )
        .fetch_all(db)
        .await
    }

    /// Writes down where a document is about to be put; false when the claim is over, or the document is still to be removed
    /// from there.
    pub async fn begin(&self, tx: &mut PgTransaction<'_>, store: &str, cid: &str) -> sqlx::Result<bool> {
        lock_record(tx, self.id).await?;
        let begun = sqlx::query!(
            "update mint set status = 'UPLOADING', store = $3, cid = $4, updated_at = now(),
                pin_request = case when store = $3 and cid = $4 then pin_request end
            where id = $1 and claims = $2 and status in ('UPLOADING', 'RETRY') and token_uri is null
                and not exists (select from unpin where unpin.store = $3 and unpin.cid = $4)",
            self.id,
            self.claims,
            store,
            cid
        )
        .execute(&mut **tx)
        .await?;
        if begun.rows_affected() == 0 {
            return Ok(false);
        }
        // What an earlier try has put elsewhere, or of an older version. Its worker may still be at it.
        if let (Some(old_store), Some(old_cid)) = (&self.store, &self.cid)
            && (old_store.as_str(), old_cid.as_str()) != (store, cid)
        {
            let document = Unpin { store: old_store, cid: old_cid, request: self.pin_request.as_deref() };
            document.save(tx, CLAIM_SECONDS).await?;
        }
        show_in_records(tx, &[self.id]).await?;
        Ok(true)
    }

    /// Writes down what came of a try; false when the claim is over.
    pub async fn end(&self, tx: &mut PgTransaction<'_>, outcome: &MintOutcome) -> sqlx::Result<bool> {
        lock_record(tx, self.id).await?;
        let ended = sqlx::query!(
            "update mint set status = $3, reason = $4, token_uri = $5, pin_request = coalesce($6, pin_request),
                failures = case when $3 = 'RETRY' then failures + 1 else 0 end,
                next_try_at = now() + make_interval(secs => $7), updated_at = now()
            where id = $1 and claims = $2 and status in ('UPLOADING', 'RETRY') and token_uri is null",
            self.id,
            self.claims,
            outcome.status as MintStatus,
            outcome.reason,
            outcome.token_uri,
            outcome.pin_request,
            outcome.wait.as_secs_f64()
        )
        .execute(&mut **tx)
        .await?;
        show_in_records(tx, &[self.id]).await?;
        Ok(ended.rows_affected() == 1)
    }

    /// Leaves a request as it is until a time has passed.
    pub async fn put_off(&self, db: impl PgExecutor<'_>, wait: Duration) -> sqlx::Result<()> {
        sqlx::query!(
            "update mint set next_try_at = now() + make_interval(secs => $3) where id = $1 and claims = $2",
            self.id,
            self.claims,
            wait.as_secs_f64()
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// What waits: how many requests, and for how many seconds the oldest one.
    pub async fn backlog(db: impl PgExecutor<'_>) -> sqlx::Result<(i64, f64)> {
        let row = sqlx::query!(
            r#"select count(*) as "waiting!",
                coalesce(extract(epoch from now() - min(created_at)), 0)::double precision as "age!"
            from mint where status in ('UPLOADING', 'RETRY') and token_uri is null"#
        )
        .fetch_one(db)
        .await?;
        Ok((row.waiting, row.age))
    }

    /// A user's requests for the export of personal data, newest first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select created_at as at, id, to_json(mint) as "thing!" from mint
            where created_by = $1 and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}

/// What came of a try.
#[derive(Clone, Debug)]
pub struct MintOutcome {
    pub status: MintStatus,
    pub reason: Option<String>,
    pub token_uri: Option<String>,
    /// What a pinning service calls its work on it.
    pub pin_request: Option<String>,
    /// The time to the next try, where there is one.
    pub wait: Duration,
}
