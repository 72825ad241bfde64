//! Which posts are recent enough to be recommended.
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// How old a post may be, in days: what is older was seen, or is not news. Whatever is kept about posts for recommendations is kept as
/// long, and a day more.
pub const WINDOW_DAYS: i64 = 30;

/// The feed key below which posts are too old to be recommended.
pub fn oldest_key(now: DateTime<Utc>) -> Uuid {
    let oldest = (now - TimeDelta::days(WINDOW_DAYS)).timestamp_millis();
    // The milliseconds are the first 48 bits of a key.
    Uuid::from_u128(u128::try_from(oldest).unwrap_or(0) << 80)
}
