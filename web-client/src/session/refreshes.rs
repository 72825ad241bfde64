//! Renewing access tokens: of all requests of a browser that come at once with the same refresh token, one asks, and the
//! others get its answer. A refresh token is good for one exchange, so two would end the session.
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use moka::future::Cache;
use serde_json::json;

use crate::api::Caller;
use crate::api::failures::Failure;
use crate::api::people::Tokens;
use crate::ground::assets::hash;

/// How long the answer is kept for requests that are late: the API gives the same one for 30 s, for those of other replicas.
const KEPT: Duration = Duration::from_secs(20);
/// How many answers are kept at most.
const MOST: u64 = 10_000;

/// The refreshes that are under way, or were just now.
#[derive(Clone)]
pub struct Refreshes(Cache<String, Tokens>);

impl Refreshes {
    pub fn new() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(KEPT).build())
    }

    /// The next tokens of a session. A refusal is kept by none: it is the end of the session.
    pub async fn next(&self, caller: &Caller, refresh: &str) -> Result<Tokens, Arc<Failure>> {
        let key = hash(refresh.as_bytes());
        let caller = Caller { token: None, ..caller.clone() };
        let body = json!({ "refresh_token": refresh });
        let ask = async move { caller.send(Method::POST, &["auth", "refresh"], &body).await };
        self.0.try_get_with(key, ask).await
    }
}
