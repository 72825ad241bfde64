//! Quotas: how much text a user may write in a day, beside the rates, which bound a minute.
//!
//! A write is charged in its own transaction, so that a refused one costs nothing, and by one statement that adds only as long
//! as the sum stays within the quota, so that concurrent writes on all replicas share one sum. Where rates are switched off, so
//! are quotas: a seed and a load test write under one account.
pub mod models;
pub mod schedulers;

use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;
use sqlx::PgTransaction;
use uuid::Uuid;

use self::models::Usage;
use crate::core::api::errors::Error;
use crate::core::ground::settings::{Base, RateLimitSetting};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// What a user may write in a day.
#[derive(Args, Clone, Debug)]
pub struct QuotaSettings {
    /// Texts that a user may create or change in a day (UTC)
    #[arg(long, env = "DAILY_TEXTS", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub daily_texts: u32,

    /// Bytes of text that a user may create or change in a day
    #[arg(long, env = "DAILY_BYTES", default_value_t = 16 * 1024 * 1024, value_parser = clap::value_parser!(u32).range(1..))]
    pub daily_bytes: u32,
}

/// The quota of each user; none when rates are off.
#[derive(Clone, Debug)]
pub struct Quota(Option<QuotaSettings>);

impl Quota {
    /// The quota that the settings give.
    pub fn new(settings: &QuotaSettings, base: &Base) -> Self {
        let off = base.rate_limits.contains(&RateLimitSetting::Off);
        Self((!off).then(|| settings.clone()))
    }

    /// Charges a user for a text; refused until midnight (UTC) when their day is used up.
    pub async fn charge(&self, tx: &mut PgTransaction<'_>, user: Uuid, texts: &[&str]) -> Result<(), Error> {
        let Some(QuotaSettings { daily_texts, daily_bytes }) = self.0 else { return Ok(()) };
        let bytes = texts.iter().map(|text| text.len()).sum::<usize>();
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let now = Utc::now();
        if Usage::add(tx, user, now.date_naive(), bytes, (daily_texts.into(), daily_bytes.into())).await? {
            return Ok(());
        }
        metrics::counter!("quota_refused_total").increment(1);
        Err(Error::TooMany(until_midnight(now)))
    }
}

/// The time from a moment to the next midnight (UTC).
fn until_midnight(now: DateTime<Utc>) -> Duration {
    Duration::from_secs((DAY - now.timestamp().rem_euclid(DAY)).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_utc() {
        let until = |text: &str| until_midnight(text.parse().unwrap()).as_secs();
        assert_eq!(until("2026-11-20T00:00:00Z"), 86_400);
        assert_eq!(until("2026-11-20T23:59:59Z"), 1);
    }
}
