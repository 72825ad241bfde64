//! Tokens as cookies: no script can read them, no other site can send them, and in production they travel over TLS only.
//!
//! The cookie of the access token goes with every request to this host. Its name begins with `__Host-`, by which a browser
//! makes sure that no other host has set it; the price is the path `/`. The refresh token, which is worth more, goes to
//! its one route only, and so can have `__Secure-` at most.
//!
//! A cookie comes along with every request, also with one that another site made up, so a request by cookie that changes
//! something must say that it comes from here.
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use chrono::{DateTime, Utc};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use crate::app::App;
use crate::app::access_tokens::TokenSettings;
use crate::core::api::errors::Error;
use crate::core::ground::settings::Environment;

/// The cookie of the access token. A browser takes the first name only over TLS, and from this host alone.
pub const ACCESS_COOKIE: [&str; 2] = ["__Host-access_token", "access_token"];
/// The cookie of the refresh token; the first name only over TLS.
pub const REFRESH_COOKIE: [&str; 2] = ["__Secure-refresh_token", "refresh_token"];
/// The route that the refresh token goes to.
const REFRESH_PATH: &str = "/api/v1/auth/refresh";

/// The cookies of a session: the access token for `expires_in` seconds, the refresh token until the session ends.
pub fn set(
    app: &App,
    access: &str,
    expires_in: i64,
    refresh: &str,
    ends: DateTime<Utc>,
    now: DateTime<Utc>,
) -> [String; 2] {
    let left = (ends - now).num_seconds();
    [one(app, ACCESS_COOKIE, access, "/", expires_in), one(app, REFRESH_COOKIE, refresh, REFRESH_PATH, left)]
}

/// What makes a browser forget them.
pub fn clear(app: &App) -> [String; 2] {
    [one(app, ACCESS_COOKIE, "", "/", 0), one(app, REFRESH_COOKIE, "", REFRESH_PATH, 0)]
}

fn one(app: &App, names: [&'static str; 2], value: &str, path: &'static str, seconds: i64) -> String {
    let cookie = Cookie::build((cookie_name(app.settings.environment, names), value))
        .path(path)
        .http_only(true)
        .secure(app.settings.environment == Environment::Production)
        .same_site(SameSite::Strict)
        .max_age(Duration::seconds(seconds));
    cookie.build().to_string()
}

/// Which name a cookie has: the first one over TLS. The other one is not believed there, since a neighbour could set it.
fn cookie_name(environment: Environment, names: [&'static str; 2]) -> &'static str {
    names[usize::from(environment != Environment::Production)]
}

/// A cookie, where cookies are used at all. A request that changes something must come from a page of ours.
pub fn read(
    parts: &Parts,
    settings: &TokenSettings,
    environment: Environment,
    names: [&'static str; 2],
) -> Result<Option<String>, Error> {
    if !settings.token_cookies {
        return Ok(None);
    }
    let name = cookie_name(environment, names);
    let lines = parts.headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).filter_map(Result::ok);
    let Some(found) = cookies.find(|cookie| cookie.name() == name) else { return Ok(None) };
    if !parts.method.is_safe() {
        check_origin(&parts.headers, settings)?;
    }
    Ok(Some(found.value().to_owned()))
}

/// Refuses a request that does not say that a page of ours has sent it. No script can set these headers.
pub fn check_origin(headers: &HeaderMap, settings: &TokenSettings) -> Result<(), Error> {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let listed = said("origin").is_some_and(|origin| settings.token_cookie_origins.iter().any(|ours| ours == origin));
    if said("sec-fetch-site") == Some("same-origin") || listed {
        return Ok(());
    }
    Err(Error::Refused(StatusCode::FORBIDDEN, "This request does not come from a page of ours"))
}
