//! The discovery document of Perspective's API: from its address Google's client libraries make the client that they are.
//!
//! `discovery.build("commentanalyzer", "v1alpha1", developerKey=…, discoveryServiceUrl=…, static_discovery=False)` is how programs
//! in Python begin, and `google.discoverAPI(url)` those in JavaScript: the address is all that changes in them.
use axum::extract::RawQuery;
use axum::http::{HeaderMap, header};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::refusals::{GoogleError, Refusal};

/// The document but for the address of the service.
const DOCUMENT: &str = include_str!("discovery.json");
/// The version of the API.
const VERSION: &str = "v1alpha1";

/// Where clients reach the service, when the setting says so.
#[derive(Clone, Debug)]
pub struct PublicUrl(pub Option<reqwest::Url>);

/// Describe Perspective's API to Google's client libraries
#[utoipa::path(get, path = "/$discovery/rest", tag = "perspective", security(()), params(
    ("version" = Option<String>, Query, description = "v1alpha1, which is the only one", max_length = 16),
), responses(
    (status = 200, body = Object, description = "A discovery document, version 1"),
    (status = 404, body = GoogleError, content_type = "application/json; charset=UTF-8", description = "Another version"),
))]
pub async fn get_discovery_document(
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    Extension(PublicUrl(url)): Extension<PublicUrl>,
) -> Result<Json<Value>, Refusal> {
    let query: Vec<(String, String)> =
        serde_urlencoded::from_str(query.as_deref().unwrap_or_default()).unwrap_or_default();
    let version = query.into_iter().find_map(|(name, value)| (name == "version").then_some(value));
    if let Some(version) = version.filter(|version| version != VERSION) {
        return Err(Refusal::Version(version.chars().take(VERSION.len() * 4).collect()));
    }
    Ok(Json(document(&root_url(url.as_ref(), &headers))))
}

/// The address of the service: as it is set, or as the client itself has written it, and then only that client is led there.
fn root_url(url: Option<&reqwest::Url>, headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    url.map_or_else(|| format!("http://{host}/"), |url| format!("{}/", url.as_str().trim_end_matches('/')))
}

fn document(root: &str) -> Value {
    // A test reads it: it is JSON.
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap_or_default();
    document["rootUrl"] = json!(root);
    document["baseUrl"] = json!(root);
    document
}
