//! Who listens to what, as the services themselves say on `/metrics`.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use crate::client;
use crate::proof::chaos::meters;
use crate::proof::chaos::platform::Replica;

/// A service that listens to a stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// The noun of the service.
    pub noun: &'static str,
    pub stream: String,
}

/// Every service has a measure of how far it is behind for each stream that it listens to.
const MEASURE: &str = "events_lag{stream=\"";

/// All listeners of the platform, which has to be ready.
pub async fn all(replicas: &[Replica]) -> Result<Vec<Listener>> {
    let http = client::http(std::time::Duration::from_secs(10))?;
    let mut listeners = BTreeSet::new();
    for replica in replicas {
        let series = meters::ask(&http, &replica.url).await?;
        listeners.extend(series.iter().filter_map(|(name, _)| {
            let stream = name.strip_prefix(MEASURE)?.split('"').next()?;
            Some(Listener { noun: replica.service.noun, stream: stream.to_owned() })
        }));
    }
    ensure!(!listeners.is_empty(), "no service says what it listens to");
    Ok(listeners.into_iter().collect())
}
