//! What Perspective's API refuses, in Google's words and shape, by which its clients know what to do next.
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::reader::Unreadable;
use crate::core::api::errors::is_transient;

/// The type of the details of an error.
const ERROR_TYPE: &str = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error";
/// The type of the details of an error about a key.
const INFO_TYPE: &str = "type.googleapis.com/google.rpc.ErrorInfo";
/// How long, in seconds, a caller should wait for something that is away or busy.
const RETRY_AFTER: u64 = 2;

/// An error, as the description of the API has it.
#[derive(Serialize, ToSchema)]
pub struct GoogleError {
    pub error: GoogleStatus,
}

/// What an error is.
#[derive(Serialize, ToSchema)]
pub struct GoogleStatus {
    /// The HTTP status
    pub code: u16,
    /// A sentence
    pub message: String,
    /// The status by Google's name, such as `INVALID_ARGUMENT`
    pub status: &'static str,
    /// What a program reads of it: `errorType`, or `reason`
    #[schema(required = false, value_type = Vec<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error(
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form \
         of API consumer identity to call this API."
    )]
    Unregistered,
    #[error("API key not valid. Please pass a valid API key.")]
    InvalidKey,
    /// How long to wait until the key may call again.
    #[error("Quota exceeded: the key has made too many requests.")]
    Quota(Duration),
    #[error("Request payload size exceeds the limit: {0} bytes.")]
    TooLarge(usize),
    #[error("Invalid JSON payload received. {0}")]
    Payload(String),
    #[error("Comment must be non-empty.")]
    CommentEmpty,
    #[error("Comment text too long.")]
    CommentTooLong,
    #[error("Missing requested_attributes")]
    NoAttributes,
    #[error("Missing attribute_scores")]
    NoScores,
    #[error("Unknown requested attribute: {0}")]
    UnknownAttribute(String),
    #[error("Requested score type {0} is not supported by attribute {1}")]
    ScoreType(String, &'static str),
    #[error("Currently, only 'PLAIN_TEXT' comments are supported")]
    Html,
    #[error("Unknown text type")]
    TextType,
    #[error("Context can have either entries or article_and_parent_comment, but both fields were populated.")]
    Context,
    #[error("{0}")]
    Argument(String),
    /// The attribute, the languages that were asked for, and those that were detected.
    #[error("Attribute {attribute} does not support request languages: {}", .asked.join(", "))]
    Language { attribute: &'static str, asked: Vec<String>, detected: Vec<String> },
    #[error("API version {0} is not found.")]
    Version(String),
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    #[error("The service cannot reach its database at the moment.")]
    Away,
    #[error("Internal error encountered.")]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Refusal {
    fn from(cause: sqlx::Error) -> Self {
        if is_transient(&cause) { Self::Away } else { Self::Database(cause) }
    }
}

impl Refusal {
    /// The HTTP status and Google's name for it.
    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unregistered => (StatusCode::FORBIDDEN, "PERMISSION_DENIED"),
            Self::Quota(_) => (StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED"),
            Self::Version(_) => (StatusCode::NOT_FOUND, "NOT_FOUND"),
            Self::Unreadable(Unreadable::Failed(_)) | Self::Database(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL")
            }
            Self::Unreadable(_) | Self::Away => (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
            _ => (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"),
        }
    }

    /// The word for a common mistake; all others are requests of the wrong form.
    fn error_type(&self) -> &'static str {
        match self {
            Self::CommentEmpty => "COMMENT_EMPTY",
            Self::CommentTooLong => "COMMENT_TOO_LONG",
            Self::NoAttributes => "NO_REQUESTED_ATTRIBUTES",
            Self::Language { .. } => "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
            _ => "INVALID_REQUEST",
        }
    }

    /// What a program reads of it.
    fn details(&self) -> Option<Value> {
        let info = |reason: &str| json!([{ "@type": INFO_TYPE, "reason": reason, "domain": "moderation-service" }]);
        match self {
            Self::InvalidKey => Some(info("API_KEY_INVALID")),
            Self::Quota(_) => Some(info("RATE_LIMIT_EXCEEDED")),
            Self::Language { attribute, detected, .. } => {
                let language = json!({ "attribute": attribute, "detectedLanguages": detected });
                let kind = self.error_type();
                Some(json!([
                    { "@type": ERROR_TYPE, "errorType": kind, "languageNotSupportedByAttributeError": language }
                ]))
            }
            // Not of the comment, and so not of this API, are what is wrong with a body as such, and what is not the caller's fault.
            Self::Payload(_) | Self::TooLarge(_) => None,
            refusal if refusal.status().0 == StatusCode::BAD_REQUEST => {
                Some(json!([{ "@type": ERROR_TYPE, "errorType": self.error_type() }]))
            }
            _ => None,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (code, status) = self.status();
        if code == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = ?self, "request failed");
        }
        let message = if matches!(self, Self::Unreadable(Unreadable::Failed(_))) {
            "Internal error encountered.".to_owned()
        } else {
            self.to_string()
        };
        let error = GoogleStatus { code: code.as_u16(), message, status, details: self.details() };
        let mut response = (code, Json(GoogleError { error })).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
        match self {
            Self::Quota(wait) => {
                let seconds = u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
                headers.insert(header::RETRY_AFTER, seconds.max(1).into());
            }
            _ if code == StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, RETRY_AFTER.into());
            }
            _ => {}
        }
        response
    }
}
