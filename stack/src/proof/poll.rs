//! Waiting for a state by asking for it again and again.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, interval};

/// Returns when the answer is true; an error with what was waited for when it is not within the limit.
pub async fn until(
    what: &str,
    limit: Duration,
    every: Duration,
    mut ask: impl AsyncFnMut() -> Result<bool>,
) -> Result<()> {
    let (began, mut turns) = (Instant::now(), interval(every));
    loop {
        turns.tick().await;
        if ask().await? {
            return Ok(());
        }
        if began.elapsed() > limit {
            bail!("{what}: not so after {} s", limit.as_secs());
        }
    }
}
