//! Tokens of NFTs in the database: all of the SQL of what is asked of the contract, and of what it has reported.
//!
//! Locks are taken in one order: the record of the post, then the row of `mint`, then the ledger of nonces.
use std::time::Duration;

use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::VOUCHER_SECONDS;
use crate::core::contract::timestamp::Timestamp;
use crate::nfts::models::{lock_record, show_in_records};
use crate::nfts::removals::models::CLAIM_SECONDS;
use crate::nfts::{MintStatus, NftKind};

/// An NFT whose author names a recipient; its row stays locked until the transaction ends.
pub struct LockedNft {
    pub id: Uuid,
    pub kind: NftKind,
    pub subject_id: Uuid,
    pub status: MintStatus,
    pub token_uri: Option<String>,
    pub contract: Option<String>,
    pub recipient: Option<String>,
    pub voucher_deadline: Option<Timestamp>,
    /// Whether a voucher was given whose time is not over.
    pub has_voucher: bool,
    /// Whether its token may be in the contract that it names, or come to be there: by a transaction that was signed, or by a voucher,
    /// also by one whose time has ended so lately that what has become of it may not be read yet.
    pub is_bound: bool,
    /// When its token came to be; null: there is none.
    pub minted_at: Option<Timestamp>,
    /// Whether a transaction is on its way that mints it.
    pub has_transaction: bool,
}

impl LockedNft {
    /// A user's own NFT for which minting was asked.
    pub async fn find(tx: &mut PgTransaction<'_>, id: Uuid, author: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, kind as "kind: NftKind", subject_id, status as "status: MintStatus", token_uri, contract, recipient,
                voucher_deadline, coalesce(voucher_deadline > now(), false) as "has_voucher!",
                (status in ('TX_SIGNED', 'SUBMITTED', 'MINED', 'CONFIRMED')
                    or coalesce(voucher_deadline > now() - interval '1 day', false)
                    or exists(select from chain_transaction where record_id = mint.id
                        and chain_transaction.status in ('SIGNED', 'SUBMITTED', 'MINED'))) as "is_bound!",
                minted_at,
                exists(select from chain_transaction where record_id = mint.id
                    and chain_transaction.status in ('SIGNED', 'SUBMITTED', 'MINED')) as "has_transaction!"
            from mint where id = $1 and created_by = $2 for update"#,
            id,
            author
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Whether its metadata is pinned, and no transaction is on its way.
    pub fn is_pinned(&self) -> bool {
        matches!(self.status, MintStatus::Pinned | MintStatus::Retry)
            && self.token_uri.is_some()
            && !self.has_transaction
    }

    /// Writes down for which account a voucher is given; when it ends.
    pub async fn give_voucher(
        &self,
        tx: &mut PgTransaction<'_>,
        contract: &str,
        token: &str,
        recipient: &str,
    ) -> sqlx::Result<Timestamp> {
        sqlx::query_scalar!(
            r#"update mint set contract = $2, token_id = $3, recipient = $4, status = 'PINNED', reason = null, failures = 0,
                voucher_deadline = date_trunc('second', now()) + make_interval(secs => $5), updated_at = now()
            where id = $1 returning voucher_deadline as "deadline!""#,
            self.id,
            contract,
            token,
            recipient,
            VOUCHER_SECONDS
        )
        .fetch_one(&mut **tx)
        .await
    }

    /// Writes down to which account the service mints the token.
    pub async fn name_recipient(
        &self,
        tx: &mut PgTransaction<'_>,
        contract: &str,
        token: &str,
        recipient: &str,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "update mint set contract = $2, token_id = $3, recipient = $4, voucher_deadline = null, updated_at = now(),
                next_try_at = case when token_uri is null then next_try_at else now() end
            where id = $1",
            self.id,
            contract,
            token,
            recipient
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// A token that a worker has claimed, to sign the transaction that mints it.
#[derive(Clone, Debug)]
pub struct UnsignedToken {
    pub id: Uuid,
    /// In which it is minted, also when the settings name another one by now.
    pub contract: String,
    pub token_id: String,
    pub recipient: String,
    pub token_uri: String,
    /// The number of the claim.
    pub claims: i64,
    pub failures: i32,
}

impl UnsignedToken {
    /// Claims tokens that are due, oldest request first, of all contracts whose names begin so: of a chain.
    pub async fn claim(db: impl PgExecutor<'_>, contracts: &str, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"update mint set claims = claims + 1, next_try_at = now() + make_interval(secs => $3)
            where id in (
                select id from mint
                where status in ('PINNED', 'RETRY') and token_uri is not null and recipient is not null
                    and voucher_deadline is null and starts_with(contract, $1) and minted_at is null and next_try_at <= now()
                    and not exists (select from chain_transaction
                        where record_id = mint.id and chain_transaction.status in ('SIGNED', 'SUBMITTED', 'MINED'))
                order by next_try_at limit $2 for update skip locked)
            returning id, contract as "contract!", token_id as "token_id!", recipient as "recipient!",
                token_uri as "token_uri!", claims, failures"#,
            contracts,
            rows,
            CLAIM_SECONDS
        )
        .fetch_all(db)
        .await
    }

    /// Its transaction is signed; false when the claim is over, or the token is asked for otherwise by now.
    pub async fn sign(&self, tx: &mut PgTransaction<'_>, hash: &str) -> sqlx::Result<bool> {
        let signed = sqlx::query!(
            "update mint set status = 'TX_SIGNED', reason = null, failures = 0, transaction_hash = $5, updated_at = now()
            where id = $1 and claims = $2 and status in ('PINNED', 'RETRY') and recipient = $3 and token_uri = $4
                and contract = $6 and voucher_deadline is null",
            self.id,
            self.claims,
            self.recipient,
            self.token_uri,
            hash,
            self.contract
        )
        .execute(&mut **tx)
        .await?;
        show_in_records(tx, &[self.id]).await?;
        Ok(signed.rows_affected() == 1)
    }

    /// It cannot be signed: it waits for another try, or is given up.
    pub async fn put_off(
        &self,
        tx: &mut PgTransaction<'_>,
        status: MintStatus,
        reason: &str,
        wait: Duration,
    ) -> sqlx::Result<()> {
        lock_record(tx, self.id).await?;
        sqlx::query!(
            "update mint set status = $3, reason = $4, failures = failures + 1, updated_at = now(),
                next_try_at = now() + make_interval(secs => $5)
            where id = $1 and claims = $2 and status in ('PINNED', 'RETRY') and token_uri is not null",
            self.id,
            self.claims,
            status as MintStatus,
            reason,
            wait.as_secs_f64()
        )
        .execute(&mut **tx)
        .await?;
        show_in_records(tx, &[self.id]).await
    }
}

/// Locks a record and the request for its token, before the ledger is changed.
pub async fn lock_token(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<()> {
    lock_record(tx, id).await?;
    sqlx::query!("select id from mint where id = $1 for update", id).fetch_optional(&mut **tx).await?;
    Ok(())
}

/// Shows how far the transaction of a record is, unless the record is past that or withdrawn.
pub async fn show_step(
    tx: &mut PgTransaction<'_>,
    id: Uuid,
    status: MintStatus,
    reason: Option<&str>,
    hash: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update mint set status = $2, reason = $3, transaction_hash = coalesce($4, transaction_hash), updated_at = now(),
            next_try_at = now()
        where id = $1 and status in ('TX_SIGNED', 'SUBMITTED', 'MINED', 'CONFIRMED', 'RETRY') and token_uri is not null",
        id,
        status as MintStatus,
        reason,
        hash
    )
    .execute(&mut **tx)
    .await?;
    show_in_records(tx, &[id]).await
}

/// Writes down what a contract has reported: that tokens exist, which accounts were the first to have them, and by which transactions.
pub async fn save_minted(
    tx: &mut PgTransaction<'_>,
    contract: &str,
    tokens: &[(String, String, String)],
) -> sqlx::Result<()> {
    let column = |of: fn(&(String, String, String)) -> &String| tokens.iter().map(|token| of(token).clone()).collect();
    let (ids, recipients, hashes): (Vec<String>, Vec<String>, Vec<String>) =
        (column(|token| &token.0), column(|token| &token.1), column(|token| &token.2));
    sqlx::query!(
        "select post_nft.id from post_nft join mint using (id) where mint.contract = $1 and mint.token_id = any($2)
        order by post_nft.id for update of post_nft",
        contract,
        &ids
    )
    .fetch_all(&mut **tx)
    .await?;
    sqlx::query!(
        "update mint set minted_at = now(), recipient = minted.recipient, transaction_hash = minted.hash, updated_at = now()
        from unnest($2::text[], $3::text[], $4::text[]) as minted (token_id, recipient, hash)
        where mint.contract = $1 and mint.token_id = minted.token_id and mint.minted_at is null",
        contract,
        &ids,
        &recipients,
        &hashes
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A record whose token exists.
pub struct Minted {
    pub id: Uuid,
    pub kind: NftKind,
    pub subject_id: Uuid,
    pub created_by: Uuid,
    pub token_uri: String,
    pub contract: String,
    pub token_id: String,
    pub transaction_hash: String,
}

impl Minted {
    /// Shows as minted what has a token and is not withdrawn.
    pub async fn settle(tx: &mut PgTransaction<'_>) -> sqlx::Result<Vec<Self>> {
        let locked = sqlx::query_scalar!(
            "select id from mint where minted_at is not null and token_uri is not null and status <> 'MINTED' order by id"
        )
        .fetch_all(&mut **tx)
        .await?;
        for id in &locked {
            lock_record(tx, *id).await?;
        }
        let settled = sqlx::query_as!(
            Self,
            r#"update mint set status = 'MINTED', reason = null, failures = 0, updated_at = now()
            where id = any($1) and minted_at is not null and token_uri is not null and status <> 'MINTED'
            returning id, kind as "kind: NftKind", subject_id, created_by, token_uri as "token_uri!",
                contract as "contract!", token_id as "token_id!", transaction_hash as "transaction_hash!""#,
            &locked
        )
        .fetch_all(&mut **tx)
        .await?;
        show_in_records(tx, &locked).await?;
        Ok(settled)
    }
}
