//! Perspective: texts are scored for other programs, by Google's API of that name and by one of our own.
//!
//! Google's Perspective API ends on 31 December 2026. `POST /v1alpha1/comments:analyze` and `…:suggestscore` take its requests and
//! give its answers and errors, so that a client of it needs another address and another key, and nothing else; what differs is in
//! `docs/perspective.md`. `POST /api/v1/analyze` is for the platform's own services, which ask it before they publish a text.
//!
//! Nothing that is analysed here is stored. A suggested score is: its sender wants it to be learned from.
pub mod attributes;
mod bodies;
mod discovery;
pub mod export;
pub mod keys;
mod language;
pub mod models;
pub mod reader;
mod refusals;
pub mod schedulers;
mod schemas;
mod services;
pub mod spans;
pub mod texts;
mod views;

#[cfg(test)]
pub mod tests;

use std::sync::Arc;

use axum::Extension;
use clap::Args;
use secrecy::SecretString;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::keys::Keys;
use self::reader::TextReader;
use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// The settings of the API that is Google's.
#[derive(Args, Clone, Debug)]
pub struct PerspectiveSettings {
    /// Keys of Perspective's API, name=key, separated by commas; without one it is closed
    #[arg(long, env = "PERSPECTIVE_KEYS", hide_env_values = true, value_delimiter = ',')]
    pub perspective_keys: Vec<SecretString>,

    /// Where clients of Perspective's API reach this service, as its discovery document says: <https://moderation.example>; without it
    /// the address that the client itself has used
    #[arg(long, env = "PERSPECTIVE_URL")]
    pub perspective_url: Option<reqwest::Url>,
}

/// How often a key may have comments analysed; counted by key and not by address.
pub const ANALYZE_LIMIT: Limit =
    Limit { name: "perspective", routes: &[], rate: Rate::new(3_000, 60), burst_in_development: None, strict: false };

/// How often a key may suggest a score: each is stored, with up to 20 KiB of text.
pub const SUGGEST_LIMIT: Limit = Limit {
    name: "perspective_suggestions",
    routes: &[],
    rate: Rate::new(60, 60),
    burst_in_development: None,
    strict: false,
};

/// The names of the two ways to authenticate here, in the description of the API.
const KEY_SCHEME: &str = "key";
const SERVICE_SCHEME: &str = "service";

/// The routes of Google's API, which are outside of `/api/v1`.
pub fn root(keys: Keys, url: Option<reqwest::Url>, reader: &Arc<TextReader>) -> OpenApiRouter<App> {
    let key = SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::with_description("key", "A key of PERSPECTIVE_KEYS")));
    let service = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The service token of operators and other services"))
        .build();
    let schemes = ComponentsBuilder::new()
        .security_scheme(KEY_SCHEME, key)
        .security_scheme(SERVICE_SCHEME, SecurityScheme::Http(service))
        .build();
    OpenApiRouter::with_openapi(OpenApiBuilder::new().components(Some(schemes)).build())
        .routes(routes!(views::analyze_comment))
        .routes(routes!(views::suggest_comment_score))
        .routes(routes!(discovery::get_discovery_document))
        .layer(Extension(keys))
        .layer(Extension(discovery::PublicUrl(url)))
        .layer(Extension(reader.clone()))
}
