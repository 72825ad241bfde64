//! The cookies: no script can read them, other sites' forms do not carry them, and in production they travel over TLS alone.
use axum::http::{HeaderMap, header};

use crate::api::people::Tokens;
use crate::ground::settings::Environment;

/// The access token. The first name only over TLS: a browser then makes sure that no neighbouring host has set it.
const ACCESS: [&str; 2] = ["__Host-web_access", "web_access"];
/// The refresh token.
const REFRESH: [&str; 2] = ["__Host-web_refresh", "web_refresh"];
/// How long a browser keeps the refresh token, in seconds: the 30 days after which a session ends in any case.
const REFRESH_SECONDS: i64 = 30 * 24 * 3_600;
/// How long before its end an access token is not used any more, in seconds: a page takes a moment.
const EARLY: i64 = 20;

/// Choices that are no secrets, kept for a year.
const YEAR: i64 = 365 * 24 * 3_600;
pub const LANGUAGE: &str = "language";
pub const THEME: &str = "theme";

/// The tokens that a browser has brought.
#[derive(Clone, Debug, Default)]
pub struct Brought {
    pub access: Option<String>,
    pub refresh: Option<String>,
}

/// Reads both.
pub fn brought(headers: &HeaderMap, environment: Environment) -> Brought {
    let name = |names: [&'static str; 2]| names[usize::from(environment != Environment::Production)];
    Brought { access: read(headers, name(ACCESS)), refresh: read(headers, name(REFRESH)) }
}

/// The value of a cookie, where it is one that could have been set.
pub fn read(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let value = pairs.filter(|(name, _)| *name == wanted).map(|(_, value)| value).next()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    (!value.is_empty() && value.bytes().all(plain)).then(|| value.to_owned())
}

/// The lines that begin or renew a session.
pub fn begin(tokens: &Tokens, environment: Environment) -> [String; 2] {
    let access = (tokens.expires_in - EARLY).max(1);
    [
        line(ACCESS, &tokens.access_token, access, environment),
        line(REFRESH, &tokens.refresh_token, REFRESH_SECONDS, environment),
    ]
}

/// The lines that end one.
pub fn end(environment: Environment) -> [String; 2] {
    [line(ACCESS, "", 0, environment), line(REFRESH, "", 0, environment)]
}

fn line(names: [&'static str; 2], value: &str, seconds: i64, environment: Environment) -> String {
    let (name, secure) = match environment {
        Environment::Production => (names[0], "; Secure"),
        Environment::Development => (names[1], ""),
    };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// The cookie of the API by which a browser is known when it comes back from a provider, in production and elsewhere.
const DEPARTURE: [&str; 2] = ["__Host-provider_sign_in", "provider_sign_in"];

/// That cookie, where the browser has brought it, as a request of the API has it.
pub fn of_departure(headers: &HeaderMap) -> Option<String> {
    DEPARTURE.into_iter().find_map(|name| Some(format!("{name}={}", read(headers, name)?)))
}

/// The line that ends it.
pub fn end_departure(environment: Environment) -> String {
    line(DEPARTURE, "", 0, environment)
}

/// The line that keeps a choice.
pub fn choice(name: &str, value: &str, environment: Environment) -> String {
    let secure = if environment == Environment::Production { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_out_of_reach_for_scripts_and_other_sites() {
        let tokens = Tokens { access_token: "a.b.c".into(), refresh_token: "r_r".into(), expires_in: 900 };
        let [access, refresh] = begin(&tokens, Environment::Production);
        assert_eq!(access, "__Host-web_access=a.b.c; Path=/; Max-Age=880; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(refresh, "__Host-web_refresh=r_r; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure");
        let [access, _] = begin(&tokens, Environment::Development);
        assert_eq!(access, "web_access=a.b.c; Path=/; Max-Age=880; HttpOnly; SameSite=Lax");
        assert!(end(Environment::Development)[1].starts_with("web_refresh=; Path=/; Max-Age=0"));
    }

    #[test]
    fn only_what_could_have_been_set_is_read() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; web_access=x.y-z_w; web_refresh=".parse().unwrap());
        headers.append(header::COOKIE, "theme=<script>".parse().unwrap());
        let brought = brought(&headers, Environment::Development);
        assert_eq!((brought.access.as_deref(), brought.refresh), (Some("x.y-z_w"), None));
        assert_eq!(read(&headers, THEME), None);
    }
}
