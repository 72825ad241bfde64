//! What policies do in the background: the hits of past days become one row each, and the policies of now are read again.
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;

use super::models::fold_hits;
use super::services::CurrentPolicies;
use crate::core::app::App;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};

/// How often the policies are read again: a change holds for what is asked before it is published a second later.
const INTERVAL: Duration = Duration::from_secs(1);

/// Every night, when little else happens.
const SCHEDULE: &str = "20 12 2 * * *";

/// The job that folds the hits of past days.
pub fn hits_job(app: &App) -> Job {
    Job::new("rule_hits", SCHEDULE, app.db.clone(), fold)
}

async fn fold(db: PgPool) -> anyhow::Result<()> {
    fold_hits(&db).await?;
    Ok(())
}

/// Renews the policies that are held.
pub struct PolicyReader {
    pub app: App,
    pub current: Arc<CurrentPolicies>,
}

impl Worker for PolicyReader {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        self.current.renew(&self.app.db).await?;
        Ok(Outcome::Idle(INTERVAL))
    }
}
