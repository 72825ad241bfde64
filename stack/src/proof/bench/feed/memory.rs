//! What a feed takes in Redis, as the packed list that it is and as the tree that it would be.

use anyhow::{Result, ensure};

use crate::host::console;
use crate::proof::bench::feed::audience::Audience;
use crate::proof::bench::report::{Measurement, row};

/// The setting of Redis below which a sorted set is a packed list, and its usual value.
const LIMIT: &str = "zset-max-listpack-entries";
const USUAL_LIMIT: &str = "128";
/// A copy of a feed in the other form.
const COPY: &str = "bench:feed";

/// Measures the largest feed of the readers.
pub async fn measure(audience: &Audience<'_>) -> Result<Measurement> {
    console::info(format_args!("The memory of a feed"));
    let mut redis = audience.platform.redis().await?;
    let mut feeds = Vec::new();
    for reader in &audience.readers {
        feeds.push((redis.members(&reader.key()).await?, reader.key()));
    }
    let largest = feeds.into_iter().max();
    let (_, feed) = largest.unwrap_or_default();
    let mut rows = vec![row(["form", "entries", "bytes", "bytes/entry"])];
    rows.push(cells(&mut redis, &feed).await?);
    let limit = redis.setting(LIMIT).await?;
    redis.set_setting(LIMIT, USUAL_LIMIT).await?;
    let copied = redis.copy_members(&feed, COPY).await;
    redis.set_setting(LIMIT, &limit).await?;
    copied?;
    rows.push(cells(&mut redis, COPY).await?);
    redis.delete(COPY).await?;
    let description = format!(
        "The largest feed of a reader, and its members in a set that is made where `{LIMIT}` is {USUAL_LIMIT}, the \
         default, and not {limit}. By `MEMORY USAGE`, with all members and the key. The goal is 100 bytes an entry."
    );
    Ok(Measurement { title: "The memory of a feed".to_owned(), description, rows })
}

async fn cells(redis: &mut crate::proof::redis::RedisInspector, key: &str) -> Result<Vec<String>> {
    let (form, entries, bytes) = (redis.encoding(key).await?, redis.members(key).await?, redis.memory(key).await?);
    ensure!(entries > 0, "no feed is in Redis");
    Ok(row([&form, &entries.to_string(), &bytes.to_string(), &(bytes / entries).to_string()]))
}
