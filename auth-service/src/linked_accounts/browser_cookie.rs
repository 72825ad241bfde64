//! The cookie by which the browser that began a sign-in is known when it comes back from the provider.
//!
//! Without it, an attacker could begin a sign-in with an account of their own, and let another person's browser finish it.
//! It is sent by pages of this host only (`SameSite=Lax`), no script reads it, and it lives as long as an attempt.
use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use crate::app::App;
use crate::core::api::errors::Error;
use crate::core::ground::settings::Environment;
use crate::tokens::services::hash_secret;

/// Its name. A browser takes the first one only over TLS, and from this host alone.
const NAMES: [&str; 2] = ["__Host-provider_sign_in", "provider_sign_in"];
/// How long it lives, in seconds: as long as an attempt.
const LIFETIME: i64 = 600;

fn name(environment: Environment) -> &'static str {
    NAMES[usize::from(environment != Environment::Production)]
}

/// The cookie as a browser gets it.
pub fn set(app: &App, secret: &str) -> String {
    let environment = app.settings.environment;
    let cookie = Cookie::build((name(environment), secret))
        .path("/")
        .http_only(true)
        .secure(environment == Environment::Production)
        .same_site(SameSite::Lax)
        .max_age(Duration::seconds(LIFETIME));
    cookie.build().to_string()
}

/// The cookie of a request, as SHA-256; none when it has none.
pub struct BrowserCookie(pub Option<[u8; 32]>);

impl FromRequestParts<App> for BrowserCookie {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let name = name(app.settings.environment);
        let lines = parts.headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
        let mut cookies = lines.flat_map(Cookie::split_parse).filter_map(Result::ok);
        Ok(Self(cookies.find(|cookie| cookie.name() == name).map(|cookie| hash_secret(cookie.value()))))
    }
}
