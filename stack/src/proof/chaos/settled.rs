//! Waiting until a platform has settled: every event is numbered, in Redis, applied and acknowledged.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, interval};

use crate::proof::chaos::checks;
use crate::proof::chaos::metrics::StreamSubscription;
use crate::proof::chaos::violation::{Violation, ViolationKind};
use crate::proof::platform::Platform;
use crate::proof::redis::RedisInspector;

/// How long the backlog of a run may take.
const SETTLE_TIMEOUT: Duration = Duration::from_mins(3);
/// How often it is checked.
const EVERY: Duration = Duration::from_millis(250);
/// How often in a row it must be settled: a process that sleeps through one check may wake up before the next.
const TIMES: u32 = 8;
/// How long it has been settled when that is certain.
pub const CONFIRMATION: Duration = EVERY.saturating_mul(TIMES - 1);

/// Returns when everything is applied; when it is not in time, with everything that still waits.
pub async fn wait(platform: &Platform<'_>, subscriptions: &[StreamSubscription]) -> Result<Vec<Violation>> {
    let (began, mut turns) = (Instant::now(), interval(EVERY));
    let mut settled = (0, 0);
    loop {
        turns.tick().await;
        let waiting = waiting(platform, subscriptions).await?;
        if waiting.is_empty() {
            let events = checks::count_events(&platform.database).await?;
            settled = if settled.1 == events { (settled.0 + 1, events) } else { (1, events) };
            if settled.0 >= TIMES {
                return Ok(Vec::new());
            }
        } else if began.elapsed() > SETTLE_TIMEOUT {
            let seconds = SETTLE_TIMEOUT.as_secs();
            let violation =
                |what: String| Violation::new(ViolationKind::Lost, format!("after {seconds} s still {what}"));
            return Ok(waiting.into_iter().map(violation).collect());
        } else {
            settled = (0, 0);
        }
    }
}

async fn waiting(platform: &Platform<'_>, subscriptions: &[StreamSubscription]) -> Result<Vec<String>> {
    let mut waiting = checks::behind(&platform.database, subscriptions).await?;
    if !waiting.is_empty() {
        return Ok(waiting);
    }
    let mut redis = RedisInspector::open(&platform.redis).await?;
    for StreamSubscription { noun, stream } in subscriptions {
        // Perhaps nothing was ever published there; otherwise the check above would have found a service behind.
        let Some(last) = redis.last_id(stream).await? else { continue };
        let name = format!("{noun}_group");
        match redis.groups(stream).await?.into_iter().find(|group| group.name == name) {
            None => waiting.push(format!("{stream} has no {name}")),
            Some(group) if group.pending > 0 => {
                waiting.push(format!("{} entries of {stream} are pending for {name}", group.pending));
            }
            Some(group) if group.last_delivered != last => {
                waiting.push(format!("{name} was given {stream} up to {} of {last}", group.last_delivered));
            }
            Some(_) => {}
        }
    }
    if !redis.has_all_hashes().await? {
        waiting.push("the hashes of people are not known to be complete".to_owned());
    }
    Ok(waiting)
}
