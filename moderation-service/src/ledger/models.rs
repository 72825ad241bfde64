//! The ledger in the database: all of the SQL of this feature.
use serde_json::{Map, Value};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::NewEntry;
use crate::core::contract::timestamp::Timestamp;
use crate::subjects::changes::{ActorType, WORDS};
use crate::subjects::{Subject, SubjectKey, SubjectType};

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
