//! A Spotify on this machine, which is the auth service that hands out its tokens, too.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use uuid::Uuid;

/// Items on a page.
const PAGE: usize = 50;

/// What it does wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trouble {
    Status(u16),
    /// 429, with the wish to be left alone for 77 seconds.
    TooMany,
    /// The auth service says the same of the provider, with 55 seconds.
    TooManyTokens,
    /// An answer that is no JSON.
    Text,
    /// A next page on another host.
    ElsewhereNext,
    Huge,
    /// The next token that the auth service hands out is not accepted.
    OldToken,
    /// The auth service answers 404 with this detail, whether the account is linked or not.
    NotFound(&'static str),
}

#[derive(Default)]
struct Mind {
    url: String,
    /// By person how many tracks, all of the first artist, and which artists.
    listening: HashMap<Uuid, (usize, Vec<String>)>,
    trouble: Option<Trouble>,
    calls: usize,
}

/// The server.
pub struct Spotify {
    pub url: String,
    mind: Shared,
}

type Shared = Arc<Mutex<Mind>>;

fn lock(mind: &Shared) -> MutexGuard<'_, Mind> {
    mind.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Spotify {
    /// A server that knows no person.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mind: Shared = Arc::new(Mutex::new(Mind { url: url.clone(), ..Mind::default() }));
        let router = axum::Router::new()
            .route("/internal/linked-accounts/{user}/{provider}/token", get(token))
            .route("/v1/me/top/{kind}", get(top))
            .with_state(mind.clone());
        tokio_util::task::TaskTracker::new().spawn(async { axum::serve(listener, router).await });
        Self { url, mind }
    }

    /// A person listens to tracks of the first of these artists.
    pub fn listens(&self, person: Uuid, tracks: usize, artists: &[&str]) {
        let artists = artists.iter().map(|name| (*name).to_owned()).collect();
        lock(&self.mind).listening.insert(person, (tracks, artists));
    }

    /// A person has no account linked any more.
    pub fn forgets(&self, person: Uuid) {
        lock(&self.mind).listening.remove(&person);
    }

    pub fn trouble(&self, trouble: Option<Trouble>) {
        lock(&self.mind).trouble = trouble;
    }

    /// How often it was asked for top items.
    pub fn calls(&self) -> usize {
        lock(&self.mind).calls
    }
}

async fn token(
    State(mind): State<Shared>,
    Path((user, provider)): Path<(Uuid, String)>,
    headers: HeaderMap,
) -> Response {
    assert_eq!((provider.as_str(), &headers["authorization"]), ("spotify", &"Bearer operator".parse().unwrap()));
    let mut mind = lock(&mind);
    if let Some(Trouble::NotFound(detail)) = mind.trouble {
        return not_found(detail);
    }
    if mind.trouble == Some(Trouble::TooManyTokens) {
        return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "55")]).into_response();
    }
    if !mind.listening.contains_key(&user) {
        return not_found("The user has no account of this provider linked");
    }
    let mut token = user.to_string();
    if mind.trouble == Some(Trouble::OldToken) {
        mind.trouble = None;
        token = "ended".into();
    }
    Json(json!({ "access_token": token, "token_type": "bearer" })).into_response()
}

fn not_found(detail: &str) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "detail": detail }))).into_response()
}

async fn top(
    State(mind): State<Shared>,
    Path(kind): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let mut mind = lock(&mind);
    mind.calls += 1;
    match mind.trouble {
        Some(Trouble::Status(status)) => return StatusCode::from_u16(status).unwrap().into_response(),
        Some(Trouble::TooMany) => return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "77")]).into_response(),
        Some(Trouble::Text) => return "<html>".into_response(),
        Some(Trouble::ElsewhereNext) => {
            return Json(json!({ "items": [], "next": "http://127.0.0.2/v1/me/top/artists" })).into_response();
        }
        Some(Trouble::Huge) => return " ".repeat(2 << 20).into_response(),
        _ => {}
    }
    let token = headers["authorization"].to_str().unwrap().trim_start_matches("Bearer ");
    let Some((tracks, artists)) = Uuid::try_parse(token).ok().and_then(|person| mind.listening.get(&person)) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let all: Vec<Value> = match kind.as_str() {
        "artists" => {
            let artist = |name: &String| json!({ "id": name, "name": name, "genres": [format!("{name}'s")] });
            artists.iter().map(artist).collect()
        }
        _ => (0..*tracks)
            .map(|n| json!({ "id": format!("{token}-{n}"), "name": n.to_string(), "artists": [{ "id": artists[0], "name": artists[0] }] }))
            .collect(),
    };
    let offset: usize = query.get("offset").and_then(|offset| offset.parse().ok()).unwrap_or(0);
    let end = all.len().min(offset + PAGE);
    let next = (end < all.len()).then(|| format!("{}/v1/me/top/{kind}?offset={end}&limit={PAGE}", mind.url));
    Json(json!({ "items": all[offset..end], "next": next })).into_response()
}
