//! Watches erasures until every service has confirmed them: one that is forgotten must not go unnoticed.
use std::time::Duration;

use super::models::complete_erasures;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};

/// How often: an erasure takes seconds, and what is measured is hours.
const PAUSE: Duration = Duration::from_mins(1);

/// Measures how long the oldest erasure waits that a service has not confirmed. Every replica does, so that each shows the
/// same.
pub struct ErasureWatch {
    app: App,
}

impl ErasureWatch {
    /// A watch that has not looked yet.
    pub fn new(app: &App) -> Self {
        Self { app: app.clone() }
    }
}

impl Worker for ErasureWatch {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let others = self.app.settings.producers.iter().map(|producer| producer.name.clone());
        let others: Vec<_> = others.filter(|name| name != self.app.name).collect();
        let waiting = complete_erasures(&self.app.db, &others).await?;
        metrics::gauge!("erasures_unconfirmed_seconds").set(waiting);
        Ok(Outcome::Idle(PAUSE))
    }
}
