//! Gathers what all services hold about a person, page by page, so that neither the answer nor what it is made of is ever
//! whole in memory.
use std::io;

use anyhow::{Context, ensure};
use axum::body::Bytes;
use futures::future::try_join_all;
use secrecy::ExposeSecret;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::PERSONAL_DATA;
use crate::core::api::pagination::Cursor;
use crate::core::app::App;
use crate::core::doors::personal_data::PersonalDataSource;
use crate::core::ground::settings::Producer;
use crate::core::ground::telemetry::spans;

/// Things on a page: with the longest texts that anybody can write, a page is less than [`PAGE`].
const ROWS: i64 = 10;
/// The largest page that is taken from another service, in bytes.
const PAGE: usize = 1024 * 1024;

/// A service, and the kinds of things that it holds.
pub struct ExportSource {
    service: Producer,
    kinds: Vec<String>,
}

/// The other services with what they hold. Fails when one of them is away: half an answer would look like a whole one.
pub async fn load_sources(app: &App) -> anyhow::Result<Vec<ExportSource>> {
    let others = app.settings.producers.iter().filter(|producer| producer.name != app.name);
    try_join_all(others.map(|service| async {
        let (kinds, _) = fetch(app, &format!("{}/internal/people/{}", service.url, Uuid::nil())).await?;
        Ok(ExportSource { service: service.clone(), kinds: serde_json::from_slice(&kinds)? })
    }))
    .await
}

/// Writes everything that is held about a person into a channel, as one JSON document.
pub async fn write(app: App, person: Uuid, sources: Vec<ExportSource>, out: mpsc::Sender<io::Result<Bytes>>) {
    if let Err(error) = write_all(&app, person, &sources, &out).await {
        tracing::error!(error = format!("{error:#}"), "an export broke off");
        // The answer has begun: that it is not whole can only be said by breaking it off.
        out.send(Err(io::Error::other("the export broke off"))).await.ok();
    }
}

type Out = mpsc::Sender<io::Result<Bytes>>;

async fn write_all(app: &App, person: Uuid, sources: &[ExportSource], out: &Out) -> anyhow::Result<()> {
    send(out, format!("{{\"person\":\"{person}\",\"services\":{{")).await?;
    send(out, format!("{}:{{", serde_json::to_string(app.name)?)).await?;
    for (n, holding) in PERSONAL_DATA.iter().enumerate() {
        begin(out, n, holding.name).await?;
        write_own(app, person, holding, out).await?;
        send(out, "]").await?;
    }
    for source in sources {
        send(out, format!("}},{}:{{", serde_json::to_string(&source.service.name)?)).await?;
        for (n, kind) in source.kinds.iter().enumerate() {
            begin(out, n, kind).await?;
            let url = format!("{}/internal/people/{person}/{kind}?limit={ROWS}", source.service.url);
            write_others(app, &source.service.url, url, out).await?;
            send(out, "]").await?;
        }
    }
    send(out, "}}}").await
}

async fn begin(out: &Out, n: usize, kind: &str) -> anyhow::Result<()> {
    let comma = if n > 0 { "," } else { "" };
    send(out, format!("{comma}{}:[", serde_json::to_string(kind)?)).await
}

async fn write_own(app: &App, person: Uuid, holding: &PersonalDataSource, out: &Out) -> anyhow::Result<()> {
    let mut before = Cursor::end();
    let mut written = 0_usize;
    loop {
        let held = (holding.list)(&app.db, person, before, ROWS).await?;
        let Some(last) = held.last() else { return Ok(()) };
        before = Cursor { at: last.at, id: last.id };
        for thing in held {
            send(out, format!("{}{}", if written > 0 { "," } else { "" }, thing.thing)).await?;
            written += 1;
        }
    }
}

async fn write_others(app: &App, service: &str, mut url: String, out: &Out) -> anyhow::Result<()> {
    let mut written = 0_usize;
    loop {
        let (page, next) = fetch(app, &url).await?;
        let things: Vec<&RawValue> = serde_json::from_slice(&page)?;
        for thing in things {
            send(out, format!("{}{thing}", if written > 0 { "," } else { "" })).await?;
            written += 1;
        }
        let Some(next) = next else { return Ok(()) };
        url = format!("{service}{next}");
    }
}

async fn send(out: &Out, text: impl Into<Bytes>) -> anyhow::Result<()> {
    out.send(Ok(text.into())).await.context("whoever asked has gone")
}

/// A page of another service, and the path of the next one.
async fn fetch(app: &App, url: &str) -> anyhow::Result<(Vec<u8>, Option<String>)> {
    let token = app.settings.service_token.as_ref().context("SERVICE_TOKEN is not set")?;
    let mut answer = spans::call(app.http.get(url).bearer_auth(token.expose_secret())).await?.error_for_status()?;
    let link = answer.headers().get("link").and_then(|link| link.to_str().ok());
    let next = link.and_then(|link| Some(link.split_once('<')?.1.split_once('>')?.0.to_owned()));
    let mut page = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        ensure!(page.len() + chunk.len() <= PAGE, "a page of more than {PAGE} bytes");
        page.extend_from_slice(&chunk);
    }
    Ok((page, next))
}
