//! Sources of tastes: providers that say what a person listens to most.
pub mod spotify;

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::services::Listening;

/// How long to wait where a source does not say, and at most.
const USUAL_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// Why a source says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceFault {
    /// The access token is not good any more.
    #[error("the token is not accepted")]
    Unauthorized,
    /// The token is good, and its person has not allowed this.
    #[error("the person has not allowed it")]
    Forbidden,
    /// The source wants to be left alone for a while.
    #[error("too many requests; again in {} s", .0.as_secs())]
    TooMany(Duration),
    /// It does not answer, or not as it should.
    #[error("{0}")]
    Away(String),
}

/// A provider that says what a person listens to most.
pub trait TasteSource: Send + Sync + 'static {
    /// What the person of an access token listens to most.
    fn fetch<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Listening, SourceFault>>;
}

/// How long the sender of an answer wants to be left alone: `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3).
pub fn pause(headers: &HeaderMap, now: DateTime<Utc>) -> Duration {
    let said = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let by_date = |text: &str| (DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc) - now).to_std().ok();
    let said = said.and_then(|text| text.parse().ok().map(Duration::from_secs).or_else(|| by_date(text)));
    said.unwrap_or(USUAL_PAUSE).clamp(Duration::from_secs(1), LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_read_in_seconds_and_as_a_date_and_has_bounds() {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let read = |text: &'static str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            pause(&headers, now).as_secs()
        };
        assert_eq!(pause(&HeaderMap::new(), now), USUAL_PAUSE);
        assert_eq!((read("77"), read("0"), read("999999999")), (77, 1, 86_400));
        assert_eq!(read("Fri, 20 Nov 2026 12:02:00 GMT"), 120);
        assert_eq!((read("Fri, 20 Nov 2026 11:00:00 GMT"), read("soon")), (30, 30));
    }
}
