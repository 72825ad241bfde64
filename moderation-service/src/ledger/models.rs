//! The ledger in the database: all of the SQL of this feature.
use serde_json::{Map, Value};
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::NewEntry;
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::subjects::changes::{ActorType, WORDS};
use crate::subjects::state::Subject;
use crate::subjects::{SubjectKey, SubjectType};

/// Entries erased in one statement.
const BATCH: i64 = 500;

/// An entry that is about to be appended.
pub struct LogEntry {
    pub id: Uuid,
    pub at: Timestamp,
    pub actor_type: ActorType,
    pub actor: Option<Uuid>,
    pub key: SubjectKey,
    pub version: i64,
    pub kind: String,
    pub details: String,
    pub words: Option<String>,
}

impl LogEntry {
    /// The entry that has brought a subject to its version.
    pub fn of(subject: &Subject, entry: &NewEntry, at: Timestamp) -> sqlx::Result<Self> {
        let fields = serde_json::to_value(&entry.change).map_err(|cause| sqlx::Error::Encode(cause.into()))?;
        let Value::Object(mut details) = fields else {
            return Err(sqlx::Error::Encode("a change is an object".into()));
        };
        let kind = details.remove("kind").and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
        let words: Map<String, Value> = WORDS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), details.remove(*name)?)))
            .filter(|(_, words)| !words.is_null())
            .collect();
        Ok(Self {
            id: Uuid::now_v7(),
            at,
            actor_type: entry.actor.r#type(),
            actor: entry.actor.person(),
            key: subject.key,
            version: subject.version,
            kind,
            details: Value::Object(details).to_string(),
            words: (!words.is_empty()).then(|| Value::Object(words).to_string()),
        })
    }

    /// Appends entries of one subject, in their order.
    pub async fn append(tx: &mut PgTransaction<'_>, entries: &[Self]) -> sqlx::Result<()> {
        for entry in entries {
            // Its number and its hashes are the trigger's.
            sqlx::query!(
                "insert into ledger (id, at, actor_type, actor, subject_type, subject_id, version, kind, details, words)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                entry.id,
                entry.at as Timestamp,
                entry.actor_type as ActorType,
                entry.actor,
                entry.key.r#type as SubjectType,
                entry.key.id,
                entry.version,
                entry.kind,
                entry.details,
                entry.words
            )
            .execute(&mut **tx)
            .await?;
        }
        Ok(())
    }
}

/// The time, once the subjects at hand are locked.
pub async fn now(tx: &mut PgTransaction<'_>) -> sqlx::Result<Timestamp> {
    sqlx::query_scalar!(r#"select clock_timestamp() as "now!: Timestamp""#).fetch_one(&mut **tx).await
}

/// What proves the right to appeal a decision without a sign-in.
pub async fn appeal_proof(db: impl PgExecutor<'_>, decision: Uuid) -> sqlx::Result<[u8; 32]> {
    let proof = sqlx::query_scalar!(r#"select sha256(key || uuid_send($1)) as "proof!" from appeal_key"#, decision);
    let proof = proof.fetch_one(db).await?;
    proof.try_into().map_err(|_| sqlx::Error::Decode("a hash has 32 bytes".into()))
}

/// An entry as it is stored, less its hashes.
#[derive(Debug)]
pub struct StoredEntry {
    pub seq: i64,
    pub id: Uuid,
    pub at: Timestamp,
    pub actor_type: ActorType,
    pub actor: Option<Uuid>,
    pub subject_type: SubjectType,
    pub subject_id: Uuid,
    pub version: i64,
    pub kind: String,
    /// None: erased.
    pub details: Option<String>,
    /// None: nothing was written, or it is erased.
    pub words: Option<String>,
    pub hash: Vec<u8>,
}

/// Which entries are asked for.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    pub subject_type: Option<SubjectType>,
    pub subject_id: Option<Uuid>,
    pub actor: Option<Uuid>,
    pub actor_type: Option<ActorType>,
    pub kind: Option<String>,
}

impl StoredEntry {
    /// Entries, newest first.
    pub async fn list(
        db: impl PgExecutor<'_>,
        filter: &LogFilter,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        let entries = sqlx::query_as!(
            Self,
            "select seq, id, at, actor_type, actor, subject_type, subject_id, version, kind, details, words, hash from ledger
            where ($1::text is null or subject_type = $1) and ($2::uuid is null or subject_id = $2)
                and ($3::uuid is null or actor = $3) and ($4::text is null or actor_type = $4)
                and ($5::text is null or kind = $5) and (at, id) < ($6, $7)
            order by at desc, id desc limit $8",
            filter.subject_type as Option<SubjectType>,
            filter.subject_id,
            filter.actor,
            filter.actor_type as Option<ActorType>,
            filter.kind,
            before.at as Timestamp,
            before.id,
            rows
        );
        entries.fetch_all(db).await
    }

    /// The entries behind a number, in the order of the chain.
    pub async fn list_after(
        db: impl PgExecutor<'_>,
        filter: &LogFilter,
        after: i64,
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        let entries = sqlx::query_as!(
            Self,
            "select seq, id, at, actor_type, actor, subject_type, subject_id, version, kind, details, words, hash from ledger
            where seq > $6 and ($1::text is null or subject_type = $1) and ($2::uuid is null or subject_id = $2)
                and ($3::uuid is null or actor = $3) and ($4::text is null or actor_type = $4)
                and ($5::text is null or kind = $5)
            order by seq limit $7",
            filter.subject_type as Option<SubjectType>,
            filter.subject_id,
            filter.actor,
            filter.actor_type as Option<ActorType>,
            filter.kind,
            after,
            rows
        );
        entries.fetch_all(db).await
    }
}

/// The place at which the chain is broken, and how.
#[derive(Debug, PartialEq, Eq)]
pub struct ChainFault {
    pub seq: i64,
    pub fault: String,
}

/// The last entry as the lock of the chain has it.
pub async fn head(db: impl PgExecutor<'_>) -> sqlx::Result<(i64, Vec<u8>)> {
    let head = sqlx::query!("select seq, hash from ledger_head").fetch_one(db).await?;
    Ok((head.seq, head.hash))
}

/// The first fault among the entries behind a number up to another one, in one pass over them.
pub async fn find_fault(db: impl PgExecutor<'_>, after: i64, last: i64) -> sqlx::Result<Option<ChainFault>> {
    let fault = sqlx::query_as!(
        ChainFault,
        r#"with link as (
            select seq, hash, previous, details_hash, words_hash, details, words, entry_hash(ledger) as calculated,
                lag(seq) over (order by seq) as seq_before, lag(hash) over (order by seq) as hash_before
            from ledger where seq >= $1 and seq <= $2
        ), judged as (
            select seq, case
                when seq_before is null and seq = $1 and $1 > 0 then null
                when seq <> coalesce(seq_before, 0) + 1 then 'MISSING'
                when previous <> coalesce(hash_before, '\x') then 'CHAIN'
                when calculated <> hash then 'ENTRY'
                when details is not null and sha256(convert_to(details, 'UTF8')) <> details_hash then 'DETAILS'
                when words is not null and sha256(convert_to(words, 'UTF8')) is distinct from words_hash then 'WORDS'
            end as fault from link
        )
        select seq as "seq!", fault as "fault!" from judged where fault is not null order by seq limit 1"#,
        after,
        last
    );
    fault.fetch_optional(db).await
}

/// Whether the entry with that number is the head of the chain.
pub async fn is_at(db: impl PgExecutor<'_>, seq: i64, hash: &[u8]) -> sqlx::Result<bool> {
    let found =
        sqlx::query_scalar!(r#"select exists (select from ledger where seq = $1 and hash = $2) as "is!""#, seq, hash);
    found.fetch_one(db).await
}

/// How many entries behind one and up to another are without their details.
pub async fn count_erased(db: impl PgExecutor<'_>, after: i64, last: i64) -> sqlx::Result<i64> {
    let erased = sqlx::query_scalar!(
        r#"select count(*) as "erased!" from ledger where seq > $1 and seq <= $2 and details is null"#,
        after,
        last
    );
    erased.fetch_one(db).await
}

/// Takes a batch of what the ledger holds of a person out: the details of their subjects' entries, and what they wrote; true
/// when there may be more.
pub async fn erase(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<bool> {
    let details = sqlx::query!(
        "update ledger set details = null, words = null where seq in (
            select ledger.seq from subject
            join ledger on ledger.subject_type = subject.type and ledger.subject_id = subject.id
            where subject.author = $1 and (ledger.details is not null or ledger.words is not null)
            order by ledger.seq limit $2)",
        person,
        BATCH
    );
    let details = details.execute(&mut **tx).await?.rows_affected();
    let words = sqlx::query!(
        "update ledger set words = null
        where seq in (select seq from ledger where actor = $1 and words is not null order by seq limit $2)",
        person,
        BATCH
    );
    Ok(details + words.execute(&mut **tx).await?.rows_affected() > 0)
}
