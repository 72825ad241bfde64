//! Writes the hashes that are out of date, and all of them when Redis may have lost some.
use std::sync::LazyLock;
use std::time::Duration;

use futures::future::try_join_all;
use redis::{AsyncCommands, Script};
use sqlx::PgPool;
use uuid::Uuid;

use super::models::{self, UserDetail};
use crate::core::app::App;
use crate::core::ground::redis::Redis;
use crate::core::ground::worker::{Outcome, Worker};
use crate::users::{ApiWord, address};

/// Hashes written in one step.
const BATCH: i64 = 100;
/// How often the worker looks, for changes of other replicas and for a Redis that has lost something.
const POLL: Duration = Duration::from_secs(1);
/// How long, in seconds, a mark keeps a deleted person's hash from coming back: no writer is held up for a day.
const GONE: u64 = 24 * 60 * 60;
/// How long, in seconds, a walk over all hashes may take.
const WALK: u64 = 60 * 60;
/// Names the Redis process, or the processes, in whose memory all hashes were found, or put.
const COMPLETE: &str = "auth:user_detail:complete";

// The two keys of each script share a slot, since a cluster refuses others: the second holds the whole first one as its hash tag.

/// Puts ARGV[2…] (field, value, …) into the hash KEYS[1], unless its version is above ARGV[1] or KEYS[2] says that the
/// person is gone.
static WRITE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
        local held = redis.call('HGET', KEYS[1], 'version')
        if held and tonumber(held) > tonumber(ARGV[1]) then return 0 end
        return redis.call('HSET', KEYS[1], 'version', ARGV[1], unpack(ARGV, 2))
        ",
    )
});

/// Deletes the hash KEYS[1], and lets KEYS[2] say for ARGV[1] seconds that the person is gone.
static DELETE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        redis.call('SET', KEYS[2], '1', 'EX', ARGV[1])
        return redis.call('DEL', KEYS[1])
        ",
    )
});

/// Ends a walk: lets KEYS[1] say that all hashes are there, if KEYS[2], set when the walk began, is still there itself.
static FINISH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('DEL', KEYS[2]) == 0 then return 0 end
        redis.call('SET', KEYS[1], ARGV[1])
        return 1
        ",
    )
});

/// A walk over all hashes: up to where it is, the key that shows that Redis lost nothing since it began, and the processes of Redis
/// that it began in.
struct Walk {
    after: Uuid,
    key: String,
    processes: String,
}

/// Keeps the hashes up to date.
pub struct HashWriter {
    db: PgPool,
    redis: Redis,
    walk: Option<Walk>,
}

/// The key of a person's hash; the original's.
pub fn key(id: Uuid) -> String {
    format!(":apps.core.models.UserDetailInfo:{id}")
}

/// The mark of a person who is gone.
fn gone_key(id: Uuid) -> String {
    format!("auth:user_detail:gone:{{{}}}", key(id))
}

/// The mark of a new walk.
fn walk_key() -> String {
    format!("auth:user_detail:walk:{{{COMPLETE}}}:{}", Uuid::now_v7())
}

impl HashWriter {
    /// A writer that has not looked at Redis yet.
    pub fn new(app: &App) -> Self {
        Self { db: app.db.clone(), redis: app.redis.clone(), walk: None }
    }

    /// Writes, or deletes, the hashes of these people as they are now.
    async fn write(&self, ids: &[Uuid]) -> anyhow::Result<()> {
        let details = models::load(&self.db, ids).await?;
        let gone = models::list_deleted(&self.db, ids).await?;
        try_join_all(details.iter().map(|detail| self.write_hash(detail))).await?;
        try_join_all(gone.iter().map(|(id, _)| self.delete_hash(*id))).await?;
        let written: Vec<_> = details.iter().map(|detail| (detail.id, detail.version)).chain(gone).collect();
        let mut tx = self.db.begin().await?;
        models::record_written(&mut tx, &written).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn write_hash(&self, detail: &UserDetail) -> redis::RedisResult<()> {
        let mut call = WRITE.key(key(detail.id));
        call.key(gone_key(detail.id)).arg(detail.version);
        for (field, value) in fields(detail) {
            call.arg(field).arg(value);
        }
        call.invoke_async(&mut self.redis.clone()).await
    }

    async fn delete_hash(&self, id: Uuid) -> redis::RedisResult<()> {
        DELETE.key(key(id)).key(gone_key(id)).arg(GONE).invoke_async(&mut self.redis.clone()).await
    }

    /// One step of the walk over all hashes, when there is one or has to be one.
    async fn walk(&mut self) -> anyhow::Result<Outcome> {
        let Some(walk) = &self.walk else { return self.detect_loss().await };
        let ids = models::list_after(&self.db, walk.after, BATCH).await?;
        if let Some(last) = ids.last().copied() {
            self.write(&ids).await?;
            self.walk = self.walk.take().map(|walk| Walk { after: last, ..walk });
            return Ok(Outcome::Busy);
        }
        let () = FINISH.key(COMPLETE).key(&walk.key).arg(&walk.processes).invoke_async(&mut self.redis).await?;
        self.walk = None;
        Ok(Outcome::Busy)
    }

    /// Whether Redis is what was last found complete; if not, a walk begins.
    async fn detect_loss(&mut self) -> anyhow::Result<Outcome> {
        let processes = self.redis.runs().await?;
        let complete: Option<String> = self.redis.get(COMPLETE).await?;
        if complete.as_ref() == Some(&processes) {
            return Ok(Outcome::Idle(POLL));
        }
        let key = walk_key();
        let () = self.redis.set_ex(&key, 1, WALK).await?;
        self.walk = Some(Walk { after: Uuid::nil(), key, processes });
        Ok(Outcome::Busy)
    }
}

/// A person as the original writes them: all values are texts, and what is missing is the text `null`.
fn fields(person: &UserDetail) -> [(&'static str, String); 16] {
    let id = person.id.to_string();
    let or_null = |text: Option<String>| text.unwrap_or_else(|| "null".into());
    [
        ("pk", id.clone()),
        ("id", id),
        ("email", address::shown(&person.email)),
        ("first_name", or_null(person.first_name.clone())),
        ("last_name", or_null(person.last_name.clone())),
        ("connections", list(&person.connections)),
        ("is_verified", u8::from(person.is_verified).to_string()),
        ("date_joined", person.date_joined.to_string()),
        ("rating", format!("{:?}", person.rating)),
        ("status", person.status.word().into()),
        ("interests", list(&person.interests)),
        ("total_connections", person.total_connections.to_string()),
        ("created_at", person.created_at.to_string()),
        ("created_by", or_null(person.created_by.map(|id| id.to_string()))),
        ("updated_at", person.updated_at.to_string()),
        ("updated_by", or_null(person.updated_by.map(|id| id.to_string()))),
    ]
}

/// A list of plain words as Python's json.dumps writes it.
fn list(items: &[impl std::fmt::Display]) -> String {
    let items: Vec<_> = items.iter().map(|item| format!("\"{item}\"")).collect();
    format!("[{}]", items.join(", "))
}

impl Worker for HashWriter {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let pending = models::list_stale(&self.db, BATCH).await?;
        if pending.is_empty() {
            return self.walk().await;
        }
        self.write(&pending).await?;
        Ok(Outcome::Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The slot of a key: CRC-16/XMODEM of what stands between the first braces, or of all, as Redis Cluster's specification has it.
    fn slot(key: &str) -> u16 {
        let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
        let hashed = tag.filter(|tag| !tag.is_empty()).unwrap_or(key);
        let step = |crc: u16, byte: u8| {
            (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| (crc << 1) ^ if crc & 0x8000 > 0 { 0x1021 } else { 0 })
        };
        hashed.bytes().fold(0, step) % 16_384
    }

    /// Others are refused with CROSSSLOT.
    #[test]
    fn keys_of_one_script_share_a_slot() {
        assert_eq!(
            (slot("123456789"), slot("foo{123456789}{bar}"), slot("a{}b") == slot("a")),
            (12_739, 12_739, false)
        );
        let people = [(); 20].map(|()| Uuid::now_v7());
        for person in people {
            assert_eq!(slot(&key(person)), slot(&gone_key(person)), "{person}");
        }
        assert_eq!(slot(COMPLETE), slot(&walk_key()));
        let spread: std::collections::BTreeSet<_> = people.map(|person| slot(&key(person))).into();
        assert!(spread.len() > 1, "people do not share one: {spread:?}");
    }
}
