//! The original's answers to what is not there: a slash too many, a HEAD, another method.
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use crate::core::api::errors::problem;

/// Nothing is there. A path with a slash too many is sent to the one without it, as the original does, and by the path alone:
/// scheme and host are what the caller knows, and not what a proxy passes on.
pub async fn not_found(uri: Uri) -> Response {
    let path = uri.path().strip_suffix('/').filter(|path| path.starts_with("/api/"));
    let Some(path) = path else { return problem(StatusCode::NOT_FOUND, json!("Not Found")) };
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Redirect::temporary(&format!("{path}{query}")).into_response()
}

/// The path is there, and not with this method.
pub async fn method_not_allowed() -> Response {
    problem(StatusCode::METHOD_NOT_ALLOWED, json!("Method Not Allowed"))
}

/// Refuses HEAD with 405, as the original does: a GET may have an effect (a view is counted), so a HEAD must not be one.
pub fn refuse_head(request: &Request) -> Option<Response> {
    if request.method() != Method::HEAD || !request.uri().path().starts_with("/api/") {
        return None;
    }
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, json!("Method Not Allowed"));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
    Some(response)
}
