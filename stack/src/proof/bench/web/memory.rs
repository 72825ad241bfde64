//! What the process of the web client takes of memory, idle and with open streams of notifications.

use anyhow::Result;

use super::reading::WebReading;
use crate::host::console;
use crate::proof::bench::event_stream::{EventStream, PER_PERSON};
use crate::proof::bench::options::Web;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::{Measurement, row};
use crate::proof::bench::resident::{mebibytes, resident_memory};
use crate::system::WEB;

/// The path of a stream of the pages.
const PATH: &str = "/notifications/stream";

/// Opens all streams, one after the other, and leaves them alone.
pub async fn measure(options: &Web, platform: &mut MeasuredPlatform<'_>, scene: &WebReading) -> Result<Measurement> {
    let count = options.count;
    let people = count.div_ceil(PER_PERSON);
    console::info(format_args!("Signing up {people} people"));
    let people = platform.sign_up_as("watcher", people).await?;
    // In a new process: what it did before is not part of its memory.
    platform.base.restart_web(&scene.binary, scene.front.web, scene.front.gateway).await?;
    let pid = platform.base.processes().pid(WEB);
    let memory = || pid.and_then(resident_memory);
    let idle = memory();
    console::info(format_args!("Opening {count} streams"));
    let mut streams = Vec::new();
    for person in people.iter().flat_map(|person| [person; PER_PERSON as usize]).take(count as usize) {
        let token = person.api.access_token().await?.unwrap_or_default();
        let who = format!("cookie: web_access={token}");
        streams.push(EventStream::open(WebReading::address(scene.front.web), PATH, &who).await?);
    }
    let open = memory();
    for stream in &mut streams {
        stream.drain()?;
    }
    let rows = vec![
        row(["when", "memory"]),
        row(["idle, before the first page", &mebibytes(idle)]),
        row([&format!("{count} streams are open"), &mebibytes(open)]),
    ];
    let description = format!(
        "One process of the web client with {count} open pages, {PER_PERSON} of each person, each of which keeps a stream of \
         notifications open, behind which stands one of the API. Memory is what the process holds (resident). All are open in the \
         end. The goals are 15 MiB and 40 MiB."
    );
    Ok(Measurement { title: "Memory".to_owned(), description, rows })
}
