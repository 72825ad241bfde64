//! Sources of tastes: providers that say what a person listens to most.
pub mod spotify;

use std::time::Duration;

use futures::future::BoxFuture;

use super::services::Listening;

/// Why a source says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceFault {
    /// The access token is not good any more.
    #[error("the token is not accepted")]
    Unauthorized,
    /// The token is good, and its person has not allowed this.
    #[error("the person has not allowed it")]
    Forbidden,
    /// The source wants to be left alone for a while.
    #[error("too many requests; again in {} s", .0.as_secs())]
    TooMany(Duration),
    /// It does not answer, or not as it should.
    #[error("{0}")]
    Away(String),
}

/// A provider that says what a person listens to most.
pub trait TasteSource: Send + Sync + 'static {
    /// What the person of an access token listens to most.
    fn fetch<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Listening, SourceFault>>;
}
