//! A stand-in for the provider that says what people listen to. It grants whatever it is asked for, and who a person is there is in
//! their code and their tokens, so it keeps nothing. No fault is injected into it.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Its name in the settings of the auth service: the one by which the engagement service knows the source of tastes.
pub const PROVIDER: &str = "spotify";
/// Artists that there are, and those of each person: any two people have two of them in common at least.
const ARTISTS: usize = 6;
const FAVOURITES: usize = 4;
const GENRES: [&str; 3] = ["folk", "jazz", "soul"];

/// The provider; it ends with this value.
#[derive(Debug)]
pub struct ProviderStandIn {
    url: String,
    _serving: JoinSet<io::Result<()>>,
}

impl ProviderStandIn {
    pub async fn start() -> Result<ProviderStandIn> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("the provider finds no port")?;
        let url = format!("http://{}", listener.local_addr().context("the provider's port is not known")?);
        let routes =
            Router::new().route("/token", post(grant)).route("/me", get(person)).route("/v1/me/top/{kind}", get(top));
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, routes).await });
        Ok(ProviderStandIn { url, _serving: serving })
    }

    /// What processes of the services get, so that they find it.
    pub fn settings(&self) -> Vec<(String, String)> {
        let url = &self.url;
        let provider = json!([{ "name": PROVIDER, "profile": "SPOTIFY", "client_id": "platform", "client_secret": "secret",
            "authorization_url": format!("{url}/authorize"), "token_url": format!("{url}/token"),
            "user_url": format!("{url}/me") }]);
        let settings = [
            ("LINKED_PROVIDERS", provider.to_string()),
            ("LINKED_REDIRECT_URL", format!("{url}/back")),
            ("LINKED_ALLOW_PRIVATE", "true".to_owned()),
            ("SPOTIFY_API_URL", url.clone()),
        ];
        settings.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }
}

/// Tokens for a code, or for a refresh token.
async fn grant(Form(asked): Form<BTreeMap<String, String>>) -> Json<Value> {
    let subject = asked.get("code").or_else(|| asked.get("refresh_token")).cloned().unwrap_or_default();
    Json(json!({ "access_token": subject, "refresh_token": subject, "token_type": "Bearer", "expires_in": 3600,
        "scope": "user-top-read" }))
}

/// The owner of the access token of a request.
fn subject(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

async fn person(headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    let id = subject(&headers).ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(Json(json!({ "id": id, "display_name": "Some Listener" })))
}

async fn top(Path(kind): Path<String>, headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    let number = subject(&headers).and_then(|subject| subject.rsplit('-').next()?.parse().ok());
    let items = items(&kind, number.ok_or(StatusCode::UNAUTHORIZED)?);
    Ok(Json(json!({ "items": items, "next": null })))
}

/// What the person of a number listens to: always the same.
fn items(kind: &str, number: usize) -> Vec<Value> {
    let artist = |artist: usize| {
        json!({ "id": format!("artist-{artist}"), "name": format!("Artist {artist}"),
            "genres": [GENRES[artist % GENRES.len()]] })
    };
    let track =
        |of: usize| json!({ "id": format!("track-{of}"), "name": format!("Song {of}"), "artists": [artist(of)] });
    let favourites = (0..FAVOURITES).map(|place| number.wrapping_add(place) % ARTISTS);
    if kind == "tracks" { favourites.map(track).collect() } else { favourites.map(artist).collect() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn any_two_people_have_artists_and_tracks_in_common() {
        let ids =
            |kind: &str, number| items(kind, number).iter().map(|item| item["id"].to_string()).collect::<BTreeSet<_>>();
        for other in 1..20 {
            for kind in ["artists", "tracks"] {
                assert!(ids(kind, 0).intersection(&ids(kind, other)).count() >= 2, "{kind} of {other}");
            }
        }
        assert_ne!(ids("artists", 0), ids("artists", 1));
        assert_eq!(items("tracks", 3), items("tracks", 3));
    }

    #[test]
    fn a_person_is_who_the_access_token_says() {
        let headers = |value: &'static str| HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
        assert_eq!(subject(&headers("Bearer listener-3")), Some("listener-3"));
        assert_eq!(subject(&headers("Basic listener-3")), None);
        assert_eq!(subject(&HeaderMap::new()), None);
    }
}
