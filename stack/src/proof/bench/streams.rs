//! `cargo stack bench streams`: what the engagement service takes of memory for streams of notifications that are open.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep_until};

use crate::host::console;
use crate::proof::bench::event_stream::{EventStream, PER_PERSON};
use crate::proof::bench::options::Streams;
use crate::proof::bench::platform::{MeasuredPlatform, process};
use crate::proof::bench::report::{BenchmarkReport, Measurement, row};
use crate::proof::bench::resident::{mebibytes, resident_memory};
use crate::system::ENGAGEMENT;

/// The path of a stream.
const PATH: &str = "/api/v1/me/notifications/stream";
/// Connections beside the streams: checks of readiness.
const OTHERS: u32 = 100;

/// Opens all streams, one after the other, and leaves them alone.
pub async fn run(options: &Streams, platform: &mut MeasuredPlatform<'_>) -> Result<BenchmarkReport> {
    let count = options.count;
    let people = count.div_ceil(PER_PERSON);
    console::info(format_args!("Signing up {people} people"));
    let people = platform.sign_up(people).await?;
    // In a new process: what it did before is not part of its memory.
    let service = process(&ENGAGEMENT);
    platform.base.kill(&[service]).await?;
    platform.base.settings.push(("MAX_CONNECTIONS".to_owned(), (count + OTHERS).to_string()));
    platform.base.start(&[service]).await?;
    let (address, pid) = (platform.address(&ENGAGEMENT)?, platform.base.pid(service)?);
    let before = resident_memory(pid);

    console::info(format_args!("Opening {count} streams"));
    let (mut streams, began) = (Vec::new(), Instant::now());
    for person in people.iter().flat_map(|person| [person; PER_PERSON as usize]).take(count as usize) {
        let token = person.api.access_token().await?.unwrap_or_default();
        streams.push(EventStream::open(address, PATH, &format!("authorization: Bearer {token}")).await?);
    }
    let (opened_after, opened) = (began.elapsed(), resident_memory(pid));
    sleep_until(Instant::now() + Duration::from_secs(options.seconds.into())).await;
    let afterwards = resident_memory(pid);
    for stream in &mut streams {
        stream.drain()?;
    }
    let each = |memory: Option<u64>| match (memory, before) {
        (Some(memory), Some(before)) => format!("{} KiB", memory.saturating_sub(before) / u64::from(count) / 1024),
        _ => String::new(),
    };
    let rows = vec![
        row(["when", "memory", "for each stream"]),
        row(["before", &mebibytes(before), ""]),
        row(["all are open", &mebibytes(opened), &each(opened)]),
        row([&format!("{} s later", options.seconds), &mebibytes(afterwards), &each(afterwards)]),
    ];
    let description = format!(
        "{count} streams of notifications to one process of the engagement service, {PER_PERSON} of each person, opened one after \
         the other in {:.1} s, each when the first event of the one before was there; nothing happens but heartbeats and checks \
         of tokens. Memory is what the process holds (resident). All are open in the end. The goal is 200 MiB for 10,000.",
        opened_after.as_secs_f64()
    );
    let measurement = Measurement { title: "Open streams".to_owned(), description, rows };
    Ok(BenchmarkReport { title: "Streams", measurements: vec![measurement] })
}
