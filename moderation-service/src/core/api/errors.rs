//! What a request can be refused with, and how the refusal looks: a problem document (RFC 9457) whose `detail` is the
//! original's, a sentence or, for invalid input, a list of places.
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::PartialSchema;
use utoipa::openapi::schema::{ArrayBuilder, Object, OneOfBuilder, Schema, Type};

use crate::core::contract::fields::Invalid;
use crate::core::ground::telemetry::meters;

/// A problem document, as the description of the API has it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says it all
    pub r#type: &'static str,
    /// The status in words
    pub title: &'static str,
    /// The status code
    pub status: u16,
    /// A sentence, or for 422 the list of what is wrong
    #[schema(schema_with = detail)]
    pub detail: Value,
}

fn detail() -> Schema {
    let places = ArrayBuilder::new().items(Invalid::schema());
    OneOfBuilder::new().item(Object::with_type(Type::String)).item(places).build().into()
}

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Decided by a handler: the status and the sentence that the contract has for it.
    #[error("{1}")]
    Refused(StatusCode, &'static str),
    /// The same, with the challenge to authenticate.
    #[error("{1}")]
    Challenged(StatusCode, &'static str),
    /// How long to wait until it is allowed again.
    #[error("Too many requests")]
    TooMany(Duration),
    #[error("The body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("invalid input")]
    Invalid(Vec<Invalid>),
    /// The service has started, and its tables are not what it needs yet.
    #[error("The service is not ready yet")]
    NotReady,
    #[error("the database refused")]
    Database(#[from] sqlx::Error),
    #[error("an unexpected failure")]
    Internal(#[from] anyhow::Error),
}

/// A request carries no token.
pub const NOT_AUTHENTICATED: Error = Error::Challenged(StatusCode::UNAUTHORIZED, "Not authenticated");

/// How long, in seconds, a caller should wait for something that is away: about as long as a restart takes.
const RETRY_AFTER: u64 = 2;

/// Whether the database, and not the statement, is what failed, so that the same may succeed later.
pub fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        // 08 connection, 25006 read-only (a standby), 40 serialisation and deadlock, 53 resources, 55P03 lock not
        // available, 57 operator intervention (statement timeout, shutdown), 58 system error.
        sqlx::Error::Database(cause) => cause.code().is_some_and(|code| {
            ["08", "25006", "40", "53", "55P03", "57", "58"].iter().any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}

/// A problem document with that status and detail.
pub fn problem(status: StatusCode, detail: Value) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let problem = Problem { r#type: "about:blank", title, status: status.as_u16(), detail };
    (status, [(header::CONTENT_TYPE, "application/problem+json")], Json(problem)).into_response()
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, detail) = match &self {
            Self::Refused(status, words) | Self::Challenged(status, words) => (*status, json!(words)),
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, json!(self.to_string())),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, json!(self.to_string())),
            Self::Invalid(places) => (StatusCode::UNPROCESSABLE_ENTITY, json!(places)),
            Self::NotReady => (StatusCode::SERVICE_UNAVAILABLE, json!(self.to_string())),
            Self::Database(cause) if is_transient(cause) => {
                (StatusCode::SERVICE_UNAVAILABLE, json!("The service cannot reach its database at the moment"))
            }
            Self::Database(_) | Self::Internal(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, json!("Internal Server Error"))
            }
        };
        // A refusal was decided by the code that returned it; these were not.
        if let Self::Database(_) | Self::Internal(_) = self {
            tracing::error!(error = ?self, "request failed");
        }
        if let Self::Database(cause) = &self {
            meters::count_timeout(cause);
        }
        let mut response = problem(status, detail);
        // By these headers the caller knows how, or when, to try again.
        let headers = response.headers_mut();
        match &self {
            Self::Challenged(..) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::TooMany(wait) => {
                let seconds = u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
                headers.insert(header::RETRY_AFTER, seconds.max(1).into());
            }
            _ => {}
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER.into());
        }
        response
    }
}
