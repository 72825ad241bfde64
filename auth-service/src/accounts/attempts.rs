//! Limits password attempts per account, wherever they come from: the count that the limit `account` allows, then one
//! after each pause, and the pause doubles from attempt to attempt.
//!
//! The check comes before the password is compared, and by address, whether or not that has an account: neither the answer
//! nor its time reveals which ones have. The right password resets it. An attacker that keeps guessing keeps the owner from
//! signing in meanwhile, but the pause is a minute at most, sessions go on, and a reset by mail is not held up.
use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use redis::{AsyncCommands, RedisResult, Script};
use sha2::{Digest, Sha256};

use super::{ACCOUNT_LIMIT, RESET_LIMIT};
use crate::app::App;
use crate::core::api::errors::Error;
use crate::users::address::EmailAddress;

/// The pause after the first try that the limit would not allow; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// After how long without a try pauses begin anew.
const PAUSE_MEMORY: Duration = Duration::from_mins(15);
/// How long a call of Redis may take.
const REDIS_TIMEOUT: Duration = Duration::from_millis(250);

/// KEYS: the account; ARGV: the three times above in ms. Answers how many ms to wait, 0 when the try may be made.
static PAUSE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local free_at = tonumber(redis.call('HGET', KEYS[1], 'free_at') or 0)
        if free_at > now then
            return free_at - now
        end
        local last = tonumber(redis.call('HGET', KEYS[1], 'pause') or 0)
        local pause = math.min(math.max(last * 2, tonumber(ARGV[1])), tonumber(ARGV[2]))
        redis.call('HSET', KEYS[1], 'pause', pause, 'free_at', string.format('%d', now + pause))
        redis.call('PEXPIRE', KEYS[1], ARGV[3])
        return 0
        ",
    )
});

/// A try that may be made.
pub struct Attempt {
    /// Under what name it was counted; none where nothing is.
    account_key: Option<String>,
}

impl Attempt {
    /// Asks whether a password may be tried for an address, and counts it.
    pub async fn begin(app: &App, address: &EmailAddress) -> Result<Self, Error> {
        let account_key = account_key(address);
        let Some(said) = app.limits.take(ACCOUNT_LIMIT.name, &account_key).await else {
            return Ok(Self { account_key: None });
        };
        if !said.allowed() {
            // While Redis is away its strict limit is all there is.
            let wait = pause(app, &account_key).await.unwrap_or(said.wait);
            if !wait.is_zero() {
                return Err(Error::TooMany(wait));
            }
        }
        Ok(Self { account_key: Some(account_key) })
    }

    /// The password was right: what was counted is forgotten.
    pub async fn succeed(self, app: &App) {
        let Some(account_key) = self.account_key else { return };
        let mut redis = app.redis.clone();
        let keys = [format!("rl:{}:{account_key}", ACCOUNT_LIMIT.name), pause_key(&account_key)];
        let forgotten = tokio::time::timeout(REDIS_TIMEOUT, redis.del::<_, ()>(&keys)).await;
        if !matches!(forgotten, Ok(Ok(()))) {
            tracing::warn!("the tries of an account stay counted");
        }
    }
}

/// Asks whether a mail with a token may be asked for by the person of an address, and counts it.
pub async fn check_mail(app: &App, address: &EmailAddress) -> Result<(), Error> {
    match app.limits.take(RESET_LIMIT.name, &account_key(address)).await {
        Some(said) => said.check(),
        None => Ok(()),
    }
}

/// How long to wait for the next try; none when Redis does not say.
async fn pause(app: &App, account_key: &str) -> Option<Duration> {
    let mut redis = app.redis.clone();
    let mut step = PAUSE.key(pause_key(account_key));
    let step = [FIRST_PAUSE, LONGEST_PAUSE, PAUSE_MEMORY].iter().fold(&mut step, |step, time| step.arg(millis(*time)));
    let answer: RedisResult<u64> = tokio::time::timeout(REDIS_TIMEOUT, step.invoke_async(&mut redis)).await.ok()?;
    answer.map(Duration::from_millis).ok()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The key of an account's pause.
pub fn pause_key(account_key: &str) -> String {
    format!("rl:{}:pause:{account_key}", ACCOUNT_LIMIT.name)
}

/// The key by which attempts for an address are counted, the same for all of its spellings: a hash, so that Redis holds no
/// addresses.
pub fn account_key(address: &EmailAddress) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(address.key()))
}
