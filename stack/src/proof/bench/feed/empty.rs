//! A home feed that is not in Redis: the reader was away, or Redis lost its memory.

use std::time::Instant;

use anyhow::Result;

use crate::host::console;
use crate::proof::bench::feed::audience::{Audience, FEW, HOME, MANY, SOME};
use crate::proof::bench::latency::{LatencyHistogram, milliseconds};
use crate::proof::bench::load::connection::{Connection, PreparedRequest};
use crate::proof::bench::options::Feed;
use crate::proof::bench::report::{Measurement, row};
use crate::system::ENGAGEMENT;

/// Reads by each reader, for each round of other measurements.
const READS: u32 = 10;

/// Measures the read that builds the feed, one at a time.
pub async fn measure(options: &Feed, audience: &Audience<'_>) -> Result<Measurement> {
    let (mut redis, address) = (audience.platform.redis().await?, audience.platform.address(&ENGAGEMENT)?);
    let mut connection = Connection::open(address).await?;
    let mut rows = vec![row(["connections", "reads", "p50", "p99", "longest"])];
    for group in [FEW, SOME, MANY] {
        console::info(format_args!("Feeds of readers of {group} people that are not in Redis"));
        let (readers, mut latencies) = (audience.group(group), LatencyHistogram::new()?);
        for _ in 0..options.turns.rounds * READS {
            for reader in &readers {
                let request = PreparedRequest::get(address, HOME, &reader.token().await?)?;
                redis.delete(&reader.key()).await?;
                let begin = Instant::now();
                connection.ask(&request).await?;
                latencies.record(begin.elapsed())?;
            }
        }
        let [p50, p99, longest] = [0.5, 0.99, 1.0].map(|q| milliseconds(latencies.quantile(q)));
        let people = readers.first().map_or(0, |reader| reader.connections).to_string();
        rows.push(row([&people, &latencies.count().to_string(), &p50, &p99, &longest]));
    }
    let description = format!(
        "`DEL` of the reader's feed, then `GET /me/feed` with 50 items, one at a time: the feed is built from {} posts in \
         Postgres and put into Redis before the answer. The goal is 50 ms for a reader of {SOME} people.",
        audience.posts
    );
    Ok(Measurement { title: "A feed that is not in Redis".to_owned(), description, rows })
}
