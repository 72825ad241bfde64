//! Waiting until nothing is under way any more: everything numbered, carried, applied and acknowledged.

use std::{path::Path, time::Duration};

use anyhow::Result;
use tokio::time::{Instant, interval};

use crate::proof::chaos::checks;
use crate::proof::chaos::checks::{Kind, Violation};
use crate::proof::chaos::listeners::Listener;
use crate::proof::chaos::platform::Platform;
use crate::proof::redis::Redis;

/// How long the backlog of a run may take.
const PATIENCE: Duration = Duration::from_mins(3);
/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(250);
/// How often in a row it must be quiet: what sleeps through one look may wake up before the next.
const STAYS: u32 = 8;
/// How long it has been quiet when that is sure.
pub const LOOKING: Duration = EVERY.saturating_mul(STAYS - 1);

/// Returns when all is quiet; when it is not in time, with what is still under way.
pub async fn wait(platform: &Platform<'_>, psql: &Path, listeners: &[Listener]) -> Result<Vec<Violation>> {
    let (began, mut turns) = (Instant::now(), interval(EVERY));
    let mut quiet = (0, 0);
    loop {
        turns.tick().await;
        let under_way = under_way(platform, psql, listeners).await?;
        if under_way.is_empty() {
            let events = checks::events(psql, &platform.database).await?;
            quiet = if quiet.1 == events { (quiet.0 + 1, events) } else { (1, events) };
            if quiet.0 >= STAYS {
                return Ok(Vec::new());
            }
        } else if began.elapsed() > PATIENCE {
            let seconds = PATIENCE.as_secs();
            let violation = |what: String| Violation::new(Kind::Lost, format!("after {seconds} s still {what}"));
            return Ok(under_way.into_iter().map(violation).collect());
        } else {
            quiet = (0, 0);
        }
    }
}

async fn under_way(platform: &Platform<'_>, psql: &Path, listeners: &[Listener]) -> Result<Vec<String>> {
    let mut under_way = checks::behind(psql, &platform.database, listeners).await?;
    if !under_way.is_empty() {
        return Ok(under_way);
    }
    let mut redis = Redis::open(&platform.redis).await?;
    for Listener { noun, stream } in listeners {
        // Nothing was ever told there, perhaps; then somebody behind would have shown above.
        let Some(last) = redis.last_id(stream).await? else { continue };
        let name = format!("{noun}_group");
        match redis.groups(stream).await?.into_iter().find(|group| group.name == name) {
            None => under_way.push(format!("{stream} has no {name}")),
            Some(group) if group.pending > 0 => {
                under_way.push(format!("{} entries of {stream} are pending for {name}", group.pending));
            }
            Some(group) if group.last_delivered != last => {
                under_way.push(format!("{name} was given {stream} up to {} of {last}", group.last_delivered));
            }
            Some(_) => {}
        }
    }
    if !redis.has_all_hashes().await? {
        under_way.push("the hashes of people are not known to be complete".to_owned());
    }
    Ok(under_way)
}
