//! Withdrawals in the database: all of the SQL of them.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::nfts::NftKind;
use crate::nfts::chain::ledger::models as ledger;
use crate::nfts::models::{Mint, show_in_records};
use crate::nfts::removals::models::CLAIM_SECONDS;

/// A comment that moderation has hidden or restored.
#[derive(Clone, Copy, Debug)]
pub struct CommentVersion {
    pub id: Uuid,
    /// Grows with each change of the comment.
    pub version: Timestamp,
    pub is_hidden: bool,
}

/// Locks the records of posts until the transaction ends; there are none of comments.
async fn lock_records_of(tx: &mut PgTransaction<'_>, kind: NftKind, subjects: &[Uuid]) -> sqlx::Result<()> {
    if kind == NftKind::Post {
        let rows = sqlx::query!("select id from post_nft where post_id = any($1) order by id for update", subjects);
        rows.fetch_all(&mut **tx).await?;
    }
    Ok(())
}

impl Mint {
    /// Cancels the requests for contents that were withdrawn and may come back; how many there were. A document that is pinned stays: a
    /// token may lead to it, by a voucher or a transaction on its way. What has its token keeps it, as it is.
    pub async fn cancel(
        tx: &mut PgTransaction<'_>,
        kind: NftKind,
        subjects: &[Uuid],
        reason: &str,
    ) -> sqlx::Result<usize> {
        lock_records_of(tx, kind, subjects).await?;
        let cancelled = sqlx::query_scalar!(
            "update mint set status = 'CANCELLED', reason = $3, updated_at = now()
            where id in (select id from mint where kind = $1 and subject_id = any($2) order by id for update)
                and status not in ('CANCELLED', 'MINTED')
            returning id",
            kind as NftKind,
            subjects,
            reason
        )
        .fetch_all(&mut **tx)
        .await?;
        show_in_records(tx, &cancelled).await?;
        Ok(cancelled.len())
    }

    /// Cancels the requests for contents that are gone for good, and has their documents removed; how many there were.
    pub async fn cancel_for_good(
        tx: &mut PgTransaction<'_>,
        kind: NftKind,
        subjects: &[Uuid],
        reason: &str,
    ) -> sqlx::Result<usize> {
        lock_records_of(tx, kind, subjects).await?;
        let locked = sqlx::query_scalar!(
            "select id from mint where kind = $1 and subject_id = any($2) and (status <> 'CANCELLED' or store is not null)
            order by id for update",
            kind as NftKind,
            subjects
        )
        .fetch_all(&mut **tx)
        .await?;
        Self::unpin(tx, &locked).await?;
        sqlx::query!(
            "update mint set status = 'CANCELLED', reason = $2, token_uri = null, store = null, pin_request = null,
                updated_at = now()
            where id = any($1)",
            &locked,
            reason
        )
        .execute(&mut **tx)
        .await?;
        show_in_records(tx, &locked).await?;
        Ok(locked.len())
    }

    /// Notes of NFTs of comments whether their comments are hidden; a version that is older than the noted one changes nothing.
    pub async fn save_comment_versions(tx: &mut PgTransaction<'_>, versions: &[CommentVersion]) -> sqlx::Result<()> {
        let comments: Vec<Uuid> = versions.iter().map(|comment| comment.id).collect();
        sqlx::query!(
            "select id from mint where kind = 'COMMENT' and subject_id = any($1) order by id for update",
            &comments
        )
        .fetch_all(&mut **tx)
        .await?;
        // One statement writes a row once: of several versions of one comment the newest is saved.
        sqlx::query!(
            "update mint set content_version = newest.version, content_hidden = newest.hidden
            from (
                select distinct on (id) id, version, hidden
                from unnest($1::uuid[], $2::timestamptz[], $3::boolean[]) as event (id, version, hidden)
                order by id, version desc
            ) as newest
            where mint.kind = 'COMMENT' and mint.subject_id = newest.id
                and (content_version is null or content_version < newest.version)",
            &comments,
            &versions.iter().map(|comment| comment.version).collect::<Vec<_>>() as &[Timestamp],
            &versions.iter().map(|comment| comment.is_hidden).collect::<Vec<_>>()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Deletes up to `rows` requests of a user, and has their documents removed; true when there may be more.
    pub async fn delete_by_user(tx: &mut PgTransaction<'_>, user: Uuid, rows: i64) -> sqlx::Result<bool> {
        // Chosen in the order of their index, and locked in that of ids, like everywhere.
        let locked = sqlx::query_scalar!(
            "select id from mint where id = any(array(
                select id from mint where created_by = $1 order by created_at desc, id desc limit $2))
            order by id for update",
            user,
            rows
        )
        .fetch_all(&mut **tx)
        .await?;
        Self::unpin(tx, &locked).await?;
        ledger::forget(tx, &locked).await?;
        sqlx::query!("delete from mint where id = any($1)", &locked).execute(&mut **tx).await?;
        Ok(!locked.is_empty())
    }

    /// Has the documents of requests removed: at once, or, where one may be being uploaded, when that has ended.
    async fn unpin(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into unpin (store, cid, pin_request, next_try_at)
            select store, cid, pin_request,
                case when token_uri is null then now() + make_interval(secs => $2) else now() end
            from mint where id = any($1) and store is not null and cid is not null
            on conflict (store, cid) do nothing",
            ids,
            CLAIM_SECONDS
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
