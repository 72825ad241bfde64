//! Tokens as cookies: no script can read them, no other site can send them, and in production they travel over TLS only.
//!
//! The cookie of the access token goes with every request to this host. Its name begins with `__Host-`, by which a browser
//! makes sure that no other host has set it; the price is the path `/`. The refresh token, which is worth more, goes to
//! its one route only, and so can have `__Secure-` at most.
use chrono::{DateTime, Utc};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use crate::core::App;
use crate::core::security::{ACCESS_COOKIE, cookie_name};
use crate::core::settings::Environment;

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
    let cookie = Cookie::build((cookie_name(app, names), value))
        .path(path)
        .http_only(true)
        .secure(app.settings.base.environment == Environment::Production)
        .same_site(SameSite::Strict)
        .max_age(Duration::seconds(seconds));
    cookie.build().to_string()
}
