//! The NFT records of comments, fetched from the interaction service, which owns them.
use anyhow::Context;
use axum::http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use uuid::Uuid;

use super::NftKind;
use super::documents::MintedContent;
use crate::core::app::App;
use crate::core::contract::timestamp::Timestamp;
use crate::core::ground::telemetry::spans;

/// The service that owns comments, as `PRODUCERS` names it.
const OWNER: &str = "interaction-service";

/// The type of the problem by which that service says that there is no such comment. Any other 404 is of something in between, or of
/// another service: a gateway, a wrong address.
const NO_COMMENT: &str = "urn:problem:comment-not-found";

/// A comment and the id of its NFT record, as the interaction service shows it.
#[derive(Deserialize)]
struct CommentRecord {
    record_id: Uuid,
    comment_id: Uuid,
    created_by: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    content: String,
}

/// Why there is no answer (RFC 9457), as far as it is read.
#[derive(Deserialize)]
struct CommentProblem {
    r#type: String,
}

/// Where records of comments are fetched.
pub struct CommentSource {
    /// None where `PRODUCERS` does not name the service.
    url: Option<String>,
    token: Option<SecretString>,
    http: reqwest::Client,
}

impl CommentSource {
    /// The interaction service of the settings.
    pub fn new(app: &App) -> Self {
        let owner = app.settings.producers.iter().find(|producer| producer.name == OWNER);
        Self {
            url: owner.map(|owner| owner.url.clone()),
            token: app.settings.service_token.clone(),
            http: app.http.clone(),
        }
    }

    /// A comment that is not hidden; none when there is no such comment. An error: the service could not be asked.
    pub async fn fetch(&self, comment: Uuid) -> anyhow::Result<Option<MintedContent>> {
        let url = self.url.as_ref().context("PRODUCERS does not name the interaction service")?;
        let token = self.token.as_ref().context("SERVICE_TOKEN is not set")?;
        let request = self.http.get(format!("{url}/internal/nfts/{comment}")).bearer_auth(token.expose_secret());
        let answer = spans::call(request).await.map_err(reqwest::Error::without_url)?;
        if answer.status() == StatusCode::NOT_FOUND {
            let problem: Option<CommentProblem> = answer.json().await.ok();
            let is_its_own = problem.is_some_and(|problem| problem.r#type == NO_COMMENT);
            anyhow::ensure!(is_its_own, "what answers 404 is not the interaction service");
            return Ok(None);
        }
        let answer = answer.error_for_status().map_err(reqwest::Error::without_url)?;
        let record: CommentRecord = answer.json().await.map_err(reqwest::Error::without_url)?;
        anyhow::ensure!(record.comment_id == comment, "the answer is about another comment");
        Ok(Some(MintedContent {
            kind: NftKind::Comment,
            record_id: record.record_id,
            subject_id: comment,
            created_by: record.created_by,
            created_at: record.created_at,
            updated_at: record.updated_at,
            title: None,
            content: record.content,
            categories: Vec::new(),
        }))
    }
}
