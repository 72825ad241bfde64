//! The ledger of nonces in the database: all of the SQL of it.
use std::time::Duration;

use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::nfts::chain::fees::Fees;
use crate::nfts::chain::node::Receipt;
use crate::nfts::chain::signer::RawTransaction;

/// How long a claim holds, in seconds: more than all calls of a step can take together.
const ENTRY_CLAIM_SECONDS: f64 = 60.0;

/// How far a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum EntryStatus {
    /// To be sent
    Signed,
    /// A node has it
    Submitted,
    /// It is in a block
    Mined,
    /// Its block stays
    Confirmed,
    /// Its nonce was used elsewhere
    Lost,
}

/// A nonce that a worker has claimed, with what was signed for it last.
#[derive(Clone, Debug)]
pub struct LedgerEntry {
    pub account: String,
    pub nonce: i64,
    pub record_id: Option<Uuid>,
    pub status: EntryStatus,
    pub failures: i32,
    pub block_number: Option<i64>,
    pub block_hash: Option<String>,
    pub mined_hash: Option<String>,
    pub succeeded: Option<bool>,
    /// Whether its record still waits for it.
    pub is_wanted: bool,
    /// What the token is minted with, where its record is still there; the contract is the one that the record names.
    pub contract: Option<String>,
    pub token_id: Option<String>,
    pub recipient: Option<String>,
    pub token_uri: Option<String>,
    pub raw: Vec<u8>,
    pub max_fee: i64,
    pub max_priority_fee: i64,
    pub gas: i64,
    /// Whether what was signed last mints, or only fills the nonce.
    pub mints: bool,
    /// Since that was signed, in seconds.
    pub age: f64,
}

/// What is signed for a nonce.
pub struct Signed<'a> {
    pub raw: &'a RawTransaction,
    pub fees: Fees,
    pub gas: i64,
    pub mints: bool,
}

/// Gives out the next nonce of an account, whose row stays locked until the transaction ends. `seen` is the next one by the node:
/// a higher one means that the key was used elsewhere.
pub async fn take_nonce(tx: &mut PgTransaction<'_>, account: &str, seen: i64) -> sqlx::Result<i64> {
    sqlx::query!("insert into signer (account, next_nonce) values ($1, $2) on conflict do nothing", account, seen)
        .execute(&mut **tx)
        .await?;
    let next = sqlx::query_scalar!("select next_nonce from signer where account = $1 for update", account)
        .fetch_one(&mut **tx)
        .await?;
    let nonce = next.max(seen);
    sqlx::query!("update signer set next_nonce = $2 where account = $1", account, nonce + 1).execute(&mut **tx).await?;
    Ok(nonce)
}

/// The nonces of an account, from one on, that were passed over: no transaction has them, and those behind them wait.
pub async fn find_gaps(tx: &mut PgTransaction<'_>, account: &str, from: i64) -> sqlx::Result<Vec<i64>> {
    // Locked, so that none is given out meanwhile.
    sqlx::query!("select account from signer where account = $1 for update", account).fetch_optional(&mut **tx).await?;
    sqlx::query_scalar!(
        r#"select series.nonce as "nonce!" from signer, generate_series($2, next_nonce - 1) as series (nonce)
        where signer.account = $1
            and not exists (select from chain_transaction where account = $1 and chain_transaction.nonce = series.nonce)
        order by series.nonce limit 64"#,
        account,
        from
    )
    .fetch_all(&mut **tx)
    .await
}

/// Enters a nonce with what was signed for it.
pub async fn enter(
    tx: &mut PgTransaction<'_>,
    account: &str,
    nonce: i64,
    record: Option<Uuid>,
    signed: &Signed<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into chain_transaction (account, nonce, record_id) values ($1, $2, $3)",
        account,
        nonce,
        record
    )
    .execute(&mut **tx)
    .await?;
    save_signed(tx, account, nonce, signed).await
}

async fn save_signed(tx: &mut PgTransaction<'_>, account: &str, nonce: i64, signed: &Signed<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into signed_transaction (hash, account, nonce, raw, max_fee, max_priority_fee, gas, mints)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (hash) do update set created_at = excluded.created_at",
        signed.raw.hash.to_string(),
        account,
        nonce,
        signed.raw.bytes,
        signed.fees.max,
        signed.fees.tip,
        signed.gas,
        signed.mints
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

impl LedgerEntry {
    /// Claims what is due of an account, lowest nonce first.
    pub async fn claim(db: impl PgExecutor<'_>, account: &str, rows: i64) -> sqlx::Result<Vec<Self>> {
        let mut claimed = sqlx::query_as!(
            Self,
            r#"with due as (
                select account, nonce from chain_transaction
                where account = $1 and status in ('SIGNED', 'SUBMITTED', 'MINED') and next_try_at <= now()
                order by nonce limit $2 for update skip locked)
            update chain_transaction as entry set next_try_at = now() + make_interval(secs => $3)
            from due
            cross join lateral (select * from signed_transaction as own
                where own.account = due.account and own.nonce = due.nonce order by own.created_at desc limit 1) as newest
            left join lateral (select mint.status, mint.contract, mint.token_id, mint.recipient, mint.token_uri
                from chain_transaction as own join mint on mint.id = own.record_id
                where own.account = due.account and own.nonce = due.nonce) as token on true
            where entry.account = due.account and entry.nonce = due.nonce
            returning entry.account, entry.nonce, entry.record_id, entry.status as "status: EntryStatus", entry.failures,
                entry.block_number, entry.block_hash, entry.mined_hash, entry.succeeded,
                coalesce(token.status in ('TX_SIGNED', 'SUBMITTED', 'MINED', 'CONFIRMED', 'RETRY')
                    and token.token_uri is not null, false) as "is_wanted!",
                token.contract as "contract?", token.token_id as "token_id?", token.recipient as "recipient?", token.token_uri as "token_uri?",
                newest.raw as "raw!", newest.max_fee as "max_fee!",
                newest.max_priority_fee as "max_priority_fee!", newest.gas as "gas!", newest.mints as "mints!",
                extract(epoch from now() - newest.created_at)::double precision as "age!""#,
            account,
            rows,
            ENTRY_CLAIM_SECONDS
        )
        .fetch_all(db)
        .await?;
        claimed.sort_unstable_by_key(|entry| entry.nonce);
        Ok(claimed)
    }

    /// All that was signed for the nonce: hash, and whether it mints. Newest first.
    pub async fn signed(&self, db: impl PgExecutor<'_>) -> sqlx::Result<Vec<(String, bool)>> {
        let rows = sqlx::query!(
            "select hash, mints from signed_transaction where account = $1 and nonce = $2 order by created_at desc",
            self.account,
            self.nonce
        );
        Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.hash, row.mints)).collect())
    }

    /// Whether what is in the block mints.
    pub async fn has_minted(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<bool> {
        let signed = self.signed(&mut **tx).await?;
        Ok(signed.iter().any(|(hash, mints)| *mints && Some(hash) == self.mined_hash.as_ref()))
    }

    /// Signs another transaction in place of the last one.
    pub async fn replace(&self, tx: &mut PgTransaction<'_>, signed: &Signed<'_>) -> sqlx::Result<()> {
        save_signed(tx, &self.account, self.nonce, signed).await
    }

    /// A node has it, or a block has it no more.
    pub async fn submit(&self, tx: &mut PgTransaction<'_>, wait: Duration) -> sqlx::Result<()> {
        sqlx::query!(
            "update chain_transaction set status = 'SUBMITTED', failures = 0, block_number = null, block_hash = null,
                mined_hash = null, succeeded = null, next_try_at = now() + make_interval(secs => $3)
            where account = $1 and nonce = $2 and status in ('SIGNED', 'SUBMITTED', 'MINED')",
            self.account,
            self.nonce,
            wait.as_secs_f64()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// A block has it.
    pub async fn mine(&self, tx: &mut PgTransaction<'_>, receipt: &Receipt, wait: Duration) -> sqlx::Result<()> {
        sqlx::query!(
            "update chain_transaction set status = 'MINED', failures = 0, block_number = $3, block_hash = $4,
                mined_hash = $5, succeeded = $6, next_try_at = now() + make_interval(secs => $7)
            where account = $1 and nonce = $2 and status in ('SIGNED', 'SUBMITTED', 'MINED')",
            self.account,
            self.nonce,
            receipt.height(),
            receipt.block_hash.to_string(),
            receipt.transaction_hash.to_string(),
            receipt.status == alloy_primitives::U256::ONE,
            wait.as_secs_f64()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// It is over: its block stays, or its nonce was used elsewhere. What was signed for it goes.
    pub async fn close(&self, tx: &mut PgTransaction<'_>, status: EntryStatus) -> sqlx::Result<()> {
        sqlx::query!(
            "update chain_transaction set status = $3 where account = $1 and nonce = $2",
            self.account,
            self.nonce,
            status as EntryStatus
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!("delete from signed_transaction where account = $1 and nonce = $2", self.account, self.nonce)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// It is looked at again after a time, and has failed or not.
    pub async fn put_off(&self, db: impl PgExecutor<'_>, wait: Duration, failed: bool) -> sqlx::Result<()> {
        sqlx::query!(
            "update chain_transaction set next_try_at = now() + make_interval(secs => $3),
                failures = case when $4 then failures + 1 else failures end
            where account = $1 and nonce = $2",
            self.account,
            self.nonce,
            wait.as_secs_f64(),
            failed
        )
        .execute(db)
        .await?;
        Ok(())
    }
}

/// Takes records out of the ledger. Their nonces stay: those under way are filled to no effect.
pub async fn forget(tx: &mut PgTransaction<'_>, records: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!("update chain_transaction set record_id = null where record_id = any($1)", records)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What is on its way of an account: how many transactions, and for how many seconds the oldest one.
pub async fn backlog(db: impl PgExecutor<'_>, account: &str) -> sqlx::Result<(i64, f64)> {
    let row = sqlx::query!(
        r#"select count(*) as "waiting!",
            coalesce(extract(epoch from now() - min(created_at)), 0)::double precision as "age!"
        from chain_transaction where account = $1 and status in ('SIGNED', 'SUBMITTED', 'MINED')"#,
        account
    )
    .fetch_one(db)
    .await?;
    Ok((row.waiting, row.age))
}

/// A contract, and up to which block its events were read.
pub struct ContractReader {
    pub contract: String,
    /// The first block that was not read.
    pub next_block: i64,
}

impl ContractReader {
    /// Begins to read a contract at a block, unless it is being read.
    pub async fn begin(db: impl PgExecutor<'_>, contract: &str, first: i64) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into contract_reader (contract, next_block) values ($1, $2) on conflict do nothing",
            contract,
            first
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// The contracts of a chain: that of the settings, and those that they named before, in which there may be vouchers and transactions
    /// still.
    pub async fn list(db: impl PgExecutor<'_>, contracts: &str) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select contract, next_block from contract_reader where starts_with(contract, $1) order by contract",
            contracts
        )
        .fetch_all(db)
        .await
    }
}

/// Moves on from a block to the next one to be read; false when another worker has done so.
pub async fn move_on(tx: &mut PgTransaction<'_>, contract: &str, from: i64, to: i64) -> sqlx::Result<bool> {
    let moved = sqlx::query!(
        "update contract_reader set next_block = $3 where contract = $1 and next_block = $2",
        contract,
        from,
        to
    )
    .execute(&mut **tx)
    .await?;
    Ok(moved.rows_affected() == 1)
}
