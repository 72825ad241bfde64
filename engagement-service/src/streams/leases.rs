//! Leases of streams, by which a person's are counted over all replicas: members of a sorted set in Redis with the time at which
//! each ends. A replica that dies renews none, so its streams are forgotten after three heartbeats.
use std::sync::LazyLock;
use std::time::Duration;

use redis::{AsyncCommands, RedisResult, Script};
use uuid::Uuid;

use super::MAX_STREAMS;
use crate::core::app::App;

/// Heartbeats after which a lease that was not renewed ends: two may be late.
const HEARTBEATS: u32 = 3;

/// Takes or renews a lease. KEYS: the person's set; ARGV: the lease, how long it lasts in ms, how many there may be. Answers whether
/// it is held.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
        if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
            return 0
        end
        redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        return 1
        ",
    )
});

/// The set of a person's leases.
fn key(user: Uuid) -> String {
    format!("streams:{user}")
}

/// The lease of one stream; its end is given back to Redis.
pub struct StreamLease {
    app: App,
    user: Uuid,
    id: Uuid,
    lasts: Duration,
}

impl StreamLease {
    /// A lease for a stream of a person, which is not taken yet.
    pub fn new(app: &App, user: Uuid, heartbeat: Duration) -> Self {
        Self { app: app.clone(), user, id: Uuid::now_v7(), lasts: heartbeat * HEARTBEATS }
    }

    /// Takes or renews it; false when the person has too many streams. While Redis is away each process counts its own alone.
    pub async fn take(&self) -> bool {
        let lasts = u64::try_from(self.lasts.as_millis()).unwrap_or(u64::MAX);
        let mut redis = self.app.redis.clone();
        let taken: RedisResult<bool> = TAKE
            .key(key(self.user))
            .arg(self.id.to_string())
            .arg(lasts)
            .arg(MAX_STREAMS)
            .invoke_async(&mut redis)
            .await;
        taken.unwrap_or_else(|error| {
            tracing::debug!(%error, "streams are counted by this process alone");
            true
        })
    }
}

impl Drop for StreamLease {
    fn drop(&mut self) {
        // Outside of the runtime there is nothing left that could give it back; then it ends by itself.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (mut redis, user, id) = (self.app.redis.clone(), self.user, self.id);
        let give_back = async move {
            let done: RedisResult<u64> = redis.zrem(key(user), id.to_string()).await;
            if let Err(error) = done {
                tracing::debug!(%error, "a stream's lease was not given back; it ends by itself");
            }
        };
        self.app.tasks.spawn_on(give_back, &runtime);
    }
}
