//! Tokens by which the service authenticates at push services of apps: one holds for many messages, and is replaced in time.
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// How long it takes until a token is asked for again after that failed, so that many messages at once do not ask one after
/// the other.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// A token, or why there is none, and until when that holds.
struct Held {
    token: Result<String, String>,
    until: Instant,
}

/// Keeps a token for as long as it holds. One task at a time makes a new one, and others wait for it.
#[derive(Default)]
pub struct TokenCache(Mutex<Option<Held>>);

impl TokenCache {
    /// The token, made by `make` together with the time for which it holds, where there is none.
    pub async fn get(&self, make: impl Future<Output = anyhow::Result<(String, Duration)>>) -> Result<String, String> {
        let mut held = self.0.lock().await;
        if let Some(held) = held.as_ref().filter(|held| Instant::now() < held.until) {
            return held.token.clone();
        }
        let (token, lifetime) = match make.await {
            Ok((token, lifetime)) => (Ok(token), lifetime),
            Err(error) => (Err(format!("{error:#}")), PAUSE_AFTER_FAILURE),
        };
        *held = Some(Held { token: token.clone(), until: Instant::now() + lifetime });
        token
    }

    /// Drops a token that was refused, unless another one has taken its place.
    pub async fn drop_refused(&self, refused: &str) {
        self.0.lock().await.take_if(|held| held.token.as_deref() == Ok(refused));
    }
}
