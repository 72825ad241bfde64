//! Fetches the file of a picture from the post service.
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::core::app::App;
use crate::core::ground::telemetry::spans;

/// The service that has the pictures, as `PRODUCERS` names it.
const OWNER: &str = "post-service";
/// How long a file may take, from the connection to its last byte.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a file at most: a medium rendition has some hundred thousand.
const LARGEST_FILE: usize = 8 << 20;

/// What the post service has of a picture.
pub enum FetchedPicture {
    File(Vec<u8>),
    /// It has none of that id that is ready.
    Missing,
    /// It is larger than any rendition.
    TooLarge,
}

/// Where pictures are fetched.
pub struct PictureSource {
    url: String,
    token: SecretString,
    http: reqwest::Client,
}

impl PictureSource {
    /// The post service of the settings. An error: they do not say where it is, or with which token it is asked.
    pub fn new(app: &App) -> anyhow::Result<Self> {
        let owner = app.settings.producers.iter().find(|producer| producer.name == OWNER);
        Ok(Self {
            url: owner.context("MODERATION_IMAGE_MODEL needs the post-service in PRODUCERS")?.url.clone(),
            token: app.settings.service_token.clone().context("MODERATION_IMAGE_MODEL needs SERVICE_TOKEN")?,
            http: app.http.clone(),
        })
    }

    /// The medium rendition of a picture. An error: the post service could not be asked.
    pub async fn fetch(&self, picture: Uuid) -> anyhow::Result<FetchedPicture> {
        let request = self.http.get(format!("{}/internal/media/{picture}", self.url)).timeout(TIMEOUT);
        let answer = spans::call(request.bearer_auth(self.token.expose_secret())).await;
        let mut answer = answer.map_err(reqwest::Error::without_url)?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(FetchedPicture::Missing);
        }
        ensure!(answer.status() == StatusCode::OK, "it answered {}", answer.status());
        let mut file = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
            if file.len() + part.len() > LARGEST_FILE {
                return Ok(FetchedPicture::TooLarge);
            }
            file.extend_from_slice(&part);
        }
        Ok(FetchedPicture::File(file))
    }
}
