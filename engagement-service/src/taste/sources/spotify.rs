//! Spotify's Web API: the top tracks and artists of about the last six months.
//!
//! A page has 50 items and names the next one by its address, which is followed on the API's own host alone: the token goes
//! nowhere else. Up to two pages of each kind are read.
use std::time::Duration;

use chrono::Utc;
use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{SourceFault, TasteSource, pause};
use crate::core::ground::http_client;
use crate::core::ground::telemetry::spans;
use crate::taste::services::{Listening, SourceArtist, SourceTrack};

/// Pages of one kind.
const PAGES: usize = 2;
/// The time limits of a call, as of all calls outside.
const CONNECT: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes; a page of tracks has some 150 KiB.
const MAX_ANSWER: usize = 1_048_576;

/// The source.
pub struct Spotify {
    api: Url,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct TopPage<T> {
    items: Vec<T>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct NamedArtist {
    id: String,
    name: String,
    #[serde(default)]
    genres: Vec<String>,
}

#[derive(Deserialize)]
struct NamedTrack {
    /// Null of a file of the person's own.
    id: Option<String>,
    name: String,
    #[serde(default)]
    artists: Vec<TrackArtist>,
}

#[derive(Deserialize)]
struct TrackArtist {
    id: Option<String>,
    name: String,
}

impl Spotify {
    /// The source at an address.
    pub fn new(api: Url) -> anyhow::Result<Self> {
        Ok(Self { api, http: http_client::builder().connect_timeout(CONNECT).timeout(TIMEOUT).build()? })
    }

    /// The top items of a kind, the first pages of them.
    async fn top<T: DeserializeOwned>(&self, kind: &str, token: &str) -> Result<Vec<T>, SourceFault> {
        let away = |cause: &dyn std::fmt::Display| SourceFault::Away(format!("{kind}: {cause}"));
        let first = format!("/v1/me/top/{kind}?limit=50&time_range=medium_term");
        let mut url = self.api.join(&first).map_err(|cause| away(&cause))?;
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let page: TopPage<T> = self.page(url, token).await?;
            all.extend(page.items);
            let Some(next) = page.next else { break };
            url = self.api.join(&next).map_err(|cause| away(&cause))?;
            if url.origin() != self.api.origin() {
                return Err(away(&"the next page is on another host"));
            }
        }
        Ok(all)
    }

    async fn page<T: DeserializeOwned>(&self, url: Url, token: &str) -> Result<T, SourceFault> {
        let away = |cause: reqwest::Error| SourceFault::Away(cause.without_url().to_string());
        let mut answer = spans::call(self.http.get(url).bearer_auth(token)).await.map_err(away)?;
        match answer.status() {
            status if status.is_success() => {}
            StatusCode::UNAUTHORIZED => return Err(SourceFault::Unauthorized),
            StatusCode::FORBIDDEN => return Err(SourceFault::Forbidden),
            StatusCode::TOO_MANY_REQUESTS => return Err(SourceFault::TooMany(pause(answer.headers(), Utc::now()))),
            status => return Err(SourceFault::Away(status.to_string())),
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(away)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(SourceFault::Away("the answer is too large".into()));
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map_err(|cause| SourceFault::Away(cause.to_string()))
    }
}

impl TasteSource for Spotify {
    fn fetch<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Listening, SourceFault>> {
        async move {
            let artists = self.top::<NamedArtist>("artists", token).await?.into_iter();
            let artists = artists.map(|NamedArtist { id, name, genres }| SourceArtist { id, name, genres }).collect();
            let tracks = self.top::<NamedTrack>("tracks", token).await?.into_iter().filter_map(|track| {
                let artists = track.artists.into_iter().filter_map(|artist| Some((artist.id?, artist.name))).collect();
                Some(SourceTrack { id: track.id?, name: track.name, artists })
            });
            Ok(Listening { tracks: tracks.collect(), artists })
        }
        .boxed()
    }
}
