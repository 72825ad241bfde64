//! Rate limits over all replicas: the generic cell rate algorithm (GCRA), which is a leaky bucket that needs one number
//! per subject, in one script of Redis.
//!
//! The number is the theoretical arrival time (TAT): when the bucket will be empty again. A request adds one emission
//! interval (period / count) to it, and is refused when it would then lie further than `burst` intervals ahead. Source:
//! ATM Forum Traffic Management 4.0, section 4.4.2; Redis counts time, so that clocks of replicas do not matter.
//!
//! While Redis is away, a limit that guards passwords falls back to a small bucket in each replica, and every other lets
//! requests through.
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use redis::Script;

use crate::core::api::errors::Error;
use crate::core::ground::redis::Redis;
use crate::core::ground::settings::{Base, Environment, Rate, RateLimitSetting};

/// Subjects remembered by a replica while Redis is away, before it drops those whose bucket is empty.
const MAX_LOCAL_SUBJECTS: usize = 10_000;
/// The share of its burst that a limit leaves to each replica while Redis is away.
const LOCAL_SHARE: u32 = 4;

/// How long Redis is waited for; it answers in less than a millisecond, and a request must not hang on its limit.
const REDIS_TIMEOUT: Duration = Duration::from_millis(250);
/// How long Redis is not asked after it did not answer, so that an outage delays one request in a while and not each.
const REDIS_COOLDOWN: Duration = Duration::from_secs(1);

/// One GCRA step. KEYS: the subject; ARGV: emission interval in µs, burst. Answers: requests left, µs until
/// this one may (0: now), µs until the bucket is empty.
static GCRA_STEP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
        local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
        local allowed_at = tat + interval - interval * burst
        if allowed_at > now then
            return {0, allowed_at - now, tat - now}
        end
        tat = tat + interval
        redis.call('SET', KEYS[1], string.format('%d', tat), 'PX', math.ceil((tat - now) / 1000))
        return {math.floor((now - allowed_at) / interval), 0, tat - now}
        ",
    )
});

/// A rate limit of a service.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// The name by which a setting changes it.
    pub name: &'static str,
    /// The routes, as `POST /api/v1/posts`; none when a handler asks for itself.
    pub routes: &'static [&'static str],
    pub rate: Rate,
    /// How many may come at once outside of production, where that is another number.
    pub burst_in_development: Option<u32>,
    /// Whether it guards passwords: then an outage of Redis must not open it, and it counts by address alone.
    pub strict: bool,
}

/// What a limit decided about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitDecision {
    limit: u32,
    remaining: u32,
    /// Until the next one may; zero when this one may.
    pub wait: Duration,
    reset: Duration,
}

impl RateLimitDecision {
    /// Whether this one may.
    pub fn allowed(self) -> bool {
        self.wait.is_zero()
    }

    /// Refuses what is too much.
    pub fn check(self) -> Result<(), Error> {
        if self.allowed() { Ok(()) } else { Err(Error::TooMany(self.wait)) }
    }

    /// `RateLimit-*` as proposed by the IETF (draft-ietf-httpapi-ratelimit-headers-05); seconds, rounded up.
    pub fn add_headers(self, headers: &mut HeaderMap) {
        let reset = u64::try_from(self.reset.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
        headers.insert("ratelimit-limit", self.limit.into());
        headers.insert("ratelimit-remaining", self.remaining.into());
        headers.insert("ratelimit-reset", reset.into());
    }
}

struct ConfiguredLimit {
    rate: Rate,
    /// What the replica goes by while Redis is away, where the limit must not open then.
    strict: Option<DefaultKeyedRateLimiter<String>>,
}

/// The limits of a service.
pub struct Limits {
    redis: Redis,
    /// Until when Redis is not asked.
    cooldown: Mutex<Option<Instant>>,
    configured: HashMap<&'static str, ConfiguredLimit>,
    routes: HashMap<&'static str, &'static str>,
}

impl Limits {
    /// The limits as the service has them, changed as the settings say.
    pub fn new(table: &'static [Limit], base: &Base, redis: Redis) -> anyhow::Result<Self> {
        let mut limits = Self { redis, cooldown: Mutex::default(), configured: HashMap::new(), routes: HashMap::new() };
        let mut chosen = HashMap::new();
        for setting in &base.rate_limits {
            match setting {
                RateLimitSetting::Off => return Ok(limits),
                RateLimitSetting::Rate(name, rate) => chosen.insert(name.as_str(), *rate),
            };
        }
        for limit in table {
            let development = limit.burst_in_development.filter(|_| base.environment == Environment::Development);
            let usual = development.map_or(limit.rate, |burst| limit.rate.burst(burst));
            let rate = chosen.remove(limit.name).unwrap_or(usual);
            let strict = limit.strict.then(|| RateLimiter::keyed(strict_quota(rate)));
            limits.configured.insert(limit.name, ConfiguredLimit { rate, strict });
            limits.routes.extend(limit.routes.iter().map(|route| (*route, limit.name)));
        }
        anyhow::ensure!(chosen.is_empty(), "RATE_LIMITS: there is no limit {:?}", chosen.keys());
        Ok(limits)
    }

    /// The name of the limit of a route, as `POST /api/v1/posts`.
    pub fn of_route(&self, route: &str) -> Option<&'static str> {
        self.routes.get(route).copied()
    }

    /// Whether a limit guards passwords.
    pub fn is_strict(&self, name: &str) -> bool {
        self.configured.get(name).is_some_and(|limit| limit.strict.is_some())
    }

    /// Counts one request of a subject against a limit; none when the limit is off, or open because Redis is away.
    pub async fn take(&self, name: &str, subject: &str) -> Option<RateLimitDecision> {
        let ConfiguredLimit { rate, strict } = self.configured.get(name)?;
        let mut decision = self.check_in_redis(&format!("rl:{name}:{subject}"), *rate).await;
        if decision.is_none() {
            metrics::counter!("rate_limits_without_redis_total", "limit" => name.to_owned()).increment(1);
            decision = strict.as_ref().map(|local| check_locally(local, *rate, subject));
        }
        if decision.is_some_and(|decision| !decision.allowed()) {
            metrics::counter!("rate_limits_refused_total", "limit" => name.to_owned()).increment(1);
        }
        decision
    }

    async fn check_in_redis(&self, key: &str, rate: Rate) -> Option<RateLimitDecision> {
        let cooldown = *self.cooldown.lock().unwrap_or_else(PoisonError::into_inner);
        if cooldown.is_some_and(|end| Instant::now() < end) {
            return None;
        }
        let interval = u64::try_from(rate.interval().as_micros()).unwrap_or(u64::MAX);
        let mut redis = self.redis.clone();
        let mut step = GCRA_STEP.key(key);
        let step = step.arg(interval).arg(rate.burst.get()).invoke_async::<(u32, u64, u64)>(&mut redis);
        let cause = match tokio::time::timeout(REDIS_TIMEOUT, step).await {
            Ok(Ok((remaining, wait, reset))) => {
                let [wait, reset] = [wait, reset].map(Duration::from_micros);
                return Some(RateLimitDecision { limit: rate.burst.get(), remaining, wait, reset });
            }
            Ok(Err(cause)) => cause.to_string(),
            Err(late) => late.to_string(),
        };
        tracing::warn!(cause, "limits cannot be counted; they are strict or open for a moment");
        *self.cooldown.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + REDIS_COOLDOWN);
        None
    }
}

/// What is left of a rate for one replica while Redis is away.
fn strict_quota(rate: Rate) -> Quota {
    let burst = NonZeroU32::new(rate.burst.get() / LOCAL_SHARE).unwrap_or(NonZeroU32::MIN);
    Quota::with_period(rate.interval()).unwrap_or(Quota::per_second(rate.count)).allow_burst(burst)
}

/// What a replica decides on its own.
fn check_locally(local: &DefaultKeyedRateLimiter<String>, rate: Rate, subject: &str) -> RateLimitDecision {
    if local.len() > MAX_LOCAL_SUBJECTS {
        local.retain_recent();
    }
    let wait = match local.check_key(&subject.to_owned()) {
        Ok(()) => Duration::ZERO,
        Err(early) => early.wait_time_from(DefaultClock::default().now()),
    };
    RateLimitDecision { limit: strict_quota(rate).burst_size().get(), remaining: 0, wait, reset: wait }
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};

    use super::*;
    use crate::core::ground::redis::RedisAddress;

    #[tokio::test]
    async fn while_redis_is_away_a_limit_of_passwords_is_strict_and_others_are_open() {
        static TABLE: [Limit; 2] = [
            Limit { name: "keys", routes: &[], rate: Rate::new(8, 3600), burst_in_development: None, strict: true },
            Limit { name: "words", routes: &[], rate: Rate::new(8, 3600), burst_in_development: None, strict: false },
        ];
        let limits = away(&TABLE, &[]).unwrap();
        let mut allowed = Vec::new();
        for _ in 0..3 {
            allowed.push(limits.take("keys", "anna").await.unwrap().allowed());
        }
        assert_eq!(allowed, [true, true, false], "a quarter of the burst");
        assert!(limits.take("keys", "bert").await.unwrap().allowed(), "another subject has its own bucket");
        let wait = limits.take("keys", "anna").await.unwrap().wait;
        assert!(wait > Duration::from_secs(400) && wait <= Duration::from_secs(450), "{wait:?}");
        assert_eq!(limits.take("words", "anna").await, None);
    }

    /// Limits that count in a Redis that does not run.
    fn away(table: &'static [Limit], arguments: &[&str]) -> anyhow::Result<Limits> {
        let usual = ["test", "--port", "0", "--database-url", "postgres://localhost/x"];
        let command = Base::augment_args(Command::new("test"));
        let arguments = command.try_get_matches_from(usual.iter().chain(arguments)).unwrap();
        let settings = Base::from_arg_matches(&arguments).unwrap();
        let redis = "redis://127.0.0.1:1".parse::<RedisAddress>().unwrap().open(REDIS_TIMEOUT);
        Limits::new(table, &settings, redis)
    }

    #[tokio::test]
    async fn an_unknown_limit_cannot_be_set_and_development_may_have_a_larger_burst() {
        static TABLE: [Limit; 1] = [Limit {
            name: "joins",
            routes: &[],
            rate: Rate::new(3, 3600),
            burst_in_development: Some(20),
            strict: true,
        }];
        let burst = |arguments: &[&str]| away(&TABLE, arguments).unwrap().configured["joins"].rate.burst.get();
        assert_eq!(burst(&[]), 20);
        assert_eq!(burst(&["--environment", "production"]), 3);
        assert_eq!(burst(&["--rate-limits", "joins=5/1+7"]), 7);
        assert!(away(&TABLE, &["--rate-limits", "off"]).unwrap().configured.is_empty());
        let error = away(&TABLE, &["--rate-limits", "jions=5/1"]).err().unwrap();
        assert_eq!(error.to_string(), "RATE_LIMITS: there is no limit [\"jions\"]");
    }
}
