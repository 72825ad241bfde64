//! The rate limits of routes, as a layer around a request: counted by person where the request has a valid token, and by address
//! where it has none, or where the limit guards accounts: tokens of fresh accounts would multiply that one.
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::core::app::App;
use crate::core::app::limits::RateLimitDecision;
use crate::core::doors::callers::EvenMuted;
use crate::core::doors::client_ip::Client;

/// Counts a request against the limit of its route, and refuses it when there were too many.
pub async fn enforce(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let route = path.map(|path| format!("{} {path}", request.method()));
    let Some(name) = route.and_then(|route| app.limits.of_route(&route)) else {
        return next.run(request).await;
    };
    let (mut parts, body) = request.into_parts();
    let subject = match EvenMuted::from_request_parts(&mut parts, &app).await {
        Ok(EvenMuted(user)) if !app.limits.is_strict(name) => Some(user.id.to_string()),
        // A caller without a valid token is known by address; the handler refuses the token.
        _ => Client::current().map(Client::host),
    };
    let decision = match subject {
        Some(subject) => app.limits.take(name, &subject).await,
        None => None,
    };
    let mut response = match decision.map(RateLimitDecision::check) {
        Some(Err(refusal)) => refusal.into_response(),
        _ => next.run(Request::from_parts(parts, body)).await,
    };
    if let Some(decision) = decision {
        decision.add_headers(response.headers_mut());
    }
    response
}
