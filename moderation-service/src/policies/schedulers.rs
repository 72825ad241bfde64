//! What policies do in the background: the hits of past days become one row each.
use sqlx::PgPool;

use super::models::fold_hits;
use crate::core::app::App;
use crate::core::ground::jobs::Job;

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
