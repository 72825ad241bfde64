//! The client as browsers see it: its public router over a stub of the API, which is made of the five `openapi.json`.
mod administering;
mod answers;
mod bookmarks;
mod dialogs;
mod documents;
mod forms;
mod kept;
mod linked;
mod markup;
mod moderation;
mod nfts;
mod pages;
mod people;
mod preferences;
mod recommended;
mod routes;
mod sessions;
mod stub;
mod tutorial;
mod uploads;

use std::net::{IpAddr, Ipv4Addr};

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};
use clap::Parser;
use http_body_util::BodyExt;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::app::App;
use crate::ground::settings::Settings;
use crate::tests::stub::Stub;

/// A host that a browser asks.
const HOST: &str = "social.example";

/// A client in front of a stub.
struct Client {
    routes: Router,
    stub: Stub,
}

/// What a browser got.
struct Answer {
    status: StatusCode,
    headers: header::HeaderMap,
    text: String,
}

impl Client {
    async fn new() -> Self {
        Self::with(Stub::start().await, &[])
    }

    /// With more settings.
    fn with(stub: Stub, settings: &[&str]) -> Self {
        Self { routes: routes(&stub.url, settings), stub }
    }

    /// A page as a member sees it.
    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[("cookie", "web_access=good")], "").await
    }

    /// A form that a page of this origin sends, of a member.
    async fn post(&self, path: &str, form: &str) -> Answer {
        let headers = [("cookie", "web_access=good"), ("sec-fetch-site", "same-origin")];
        self.ask(Method::POST, path, &headers, form).await
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], form: &str) -> Answer {
        send(&self.routes, method, path, headers, form).await
    }
}

/// The routes over an API at that address.
fn routes(api: &str, settings: &[&str]) -> Router {
    let arguments = ["web-client", "--api-url", api].into_iter().chain(settings.iter().copied());
    let app = App::new(Settings::parse_from(arguments), CancellationToken::new()).unwrap();
    assert_eq!(app.settings.host, IpAddr::V4(Ipv4Addr::LOCALHOST));
    crate::pages::routes(app)
}

async fn send(routes: &Router, method: Method, path: &str, headers: &[(&str, &str)], form: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, HOST);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    let request = request.body(Body::from(form.to_owned())).unwrap();
    read(routes.clone().oneshot(request).await.unwrap()).await
}

async fn read(answer: Response<Body>) -> Answer {
    let (parts, body) = answer.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn cookies(&self) -> Vec<&str> {
        self.headers.get_all(header::SET_COOKIE).into_iter().map(|line| line.to_str().unwrap()).collect()
    }
}
