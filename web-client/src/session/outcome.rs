//! What became of a session while a request was answered; the outermost layer writes its cookies.
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::api::people::Tokens;

/// The change, where there was one. Each request has its own.
#[derive(Clone, Default)]
pub struct Outcome(Arc<Mutex<Option<Change>>>);

/// A change of a session.
#[derive(Clone, Debug)]
pub enum Change {
    Begun(Tokens),
    Ended,
}

impl Outcome {
    pub fn set(&self, change: Change) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(change);
    }

    pub fn take(&self) -> Option<Change> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Outcome {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Outcome>().cloned().unwrap_or_default())
    }
}
