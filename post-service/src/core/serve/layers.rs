//! The middleware around every request: limits, security headers, a request id, a trace, a measurement.
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tracing::Instrument;
use tracing::field::Empty;

use crate::core::api::errors::{Error, problem};
use crate::core::app::App;
use crate::core::contract::extract::BODY_LIMIT;
use crate::core::contract::routing;
use crate::core::doors::client_ip::Client;
use crate::core::doors::{idempotency, limit_layer};
use crate::core::ground::replica;
use crate::core::ground::telemetry::meters::InFlight;
use crate::core::ground::telemetry::{Trace, spans};

/// The longest a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a browser may remember what an origin is allowed.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_mins(10);
/// The headers of an answer that a page of another origin may read.
const EXPOSED_HEADERS: [&str; 7] = [
    "link",
    "retry-after",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "idempotency-replayed",
    "x-request-id",
];

/// Puts all that a request passes around the routes, outermost first: the one list of their order. They are one piece, since
/// a request begins with a copy of every layer that was put around by itself, and of all layers within it.
pub fn with_middleware(app: &App, routes: Router) -> Router {
    let around = ServiceBuilder::new()
        .option_layer((!app.settings.cors_origins.is_empty()).then(|| cors(&app.settings.cors_origins)))
        .layer(middleware::from_fn(add_security_headers))
        .layer(middleware::from_fn(observe))
        .layer(CatchPanicLayer::custom(|_| problem(StatusCode::INTERNAL_SERVER_ERROR, json!("Internal Server Error"))))
        .layer(middleware::from_fn_with_state(app.clone(), admit))
        .layer(middleware::from_fn_with_state(app.clone(), limit_layer::enforce))
        .layer(middleware::from_fn_with_state(app.clone(), idempotency::idempotency_layer))
        .layer(DefaultBodyLimit::max(BODY_LIMIT));
    routes.fallback(routing::not_found).method_not_allowed_fallback(routing::method_not_allowed).layer(around)
}

/// Lets pages of exactly these origins call from a browser, with a token and never with cookies.
fn cors(origins: &[HeaderValue]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, idempotency::KEY])
        .expose_headers(EXPOSED_HEADERS.map(HeaderName::from_static))
        .max_age(PREFLIGHT_MAX_AGE)
}

/// Lets a request in: records where it comes from, and limits its time. Until the tables are what this version needs,
/// no request that asks for them is let in: half of a migration would give it a wrong answer.
async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    if let Some(refusal) = routing::refuse_head(&request).or_else(|| refuse_encoding(&request)) {
        return refusal;
    }
    let asks = ["/api/", "/internal/"].iter().any(|part| request.uri().path().starts_with(part));
    if asks && !*app.prepared.borrow() {
        return Error::NotReady.into_response();
    }
    let client = Client::of(&request, &app.settings.trusted_proxies);
    let late = |_| problem(StatusCode::SERVICE_UNAVAILABLE, json!("The request took too long"));
    let followed = replica::follow(app.replica.as_deref(), next.run(request));
    let answer = tokio::time::timeout(REQUEST_TIMEOUT, client.scope(followed)).await;
    let mut response = answer.unwrap_or_else(late);
    if app.draining.is_cancelled() {
        // A caller that keeps connections gives each up with an answer, before the stop could meet a request on its way.
        response.headers_mut().entry(header::CONNECTION).or_insert(HeaderValue::from_static("close"));
    }
    response
}

/// Refuses a body that is compressed, and says so (RFC 9110, 15.5.16): read as it is, it would be called broken JSON.
fn refuse_encoding(request: &Request) -> Option<Response> {
    let encoding = request.headers().get(header::CONTENT_ENCODING).filter(|encoding| *encoding != "identity")?;
    let detail = format!("A body with Content-Encoding {encoding:?} is not read here; send it as it is");
    let refusal = problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, json!(detail));
    Some(([(header::ACCEPT_ENCODING, "identity")], refusal).into_response())
}

async fn observe(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let _in_flight = InFlight::begin(metrics::gauge!("http_requests_in_flight"));
    // Both become labels, of which a caller must not be able to make more and more.
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |path| path.as_str().into());
    let method = method_name(request.method());
    let parent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    let trace = Trace::begin(parent, || spans::serve(method, &route, request.uri()));
    let span = tracing::error_span!("request", method, %route, trace = %trace.id(), user = Empty, role = Empty);
    let mut response = trace.scope(next.run(request).instrument(span.clone())).await;
    if let Ok(id) = HeaderValue::try_from(trace.id().to_string()) {
        response.headers_mut().insert("x-request-id", id);
    }
    let (status, took) = (response.status(), begun.elapsed());
    spans::end_answered(&trace, status);
    span.in_scope(|| tracing::debug!(target: "access", status = status.as_u16(), seconds = took.as_secs_f64()));
    let labels = [("method", method.to_owned()), ("route", route), ("status", status.as_u16().to_string())];
    metrics::histogram!("http_request_duration_seconds", &labels).record(took);
    response
}

/// The name of a method; all unknown ones share one.
fn method_name(method: &Method) -> &'static str {
    let known = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE"];
    known.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
}

async fn add_security_headers(request: Request, next: Next) -> Response {
    let authenticated = [header::AUTHORIZATION, header::COOKIE].iter().any(|name| request.headers().contains_key(name));
    let documentation = request.uri().path().starts_with("/docs");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let policy = if documentation {
        "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src *; frame-ancestors 'none'"
    } else {
        "default-src 'none'; frame-ancestors 'none'"
    };
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(policy));
    if authenticated {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}
