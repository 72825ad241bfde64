//! Counts the public numbers now and then, so that a reader of them costs one row.
use super::signals;
use crate::core::app::App;
use crate::core::ground::jobs::Job;

/// When: every ten minutes.
const SCHEDULE: &str = "50 7/10 * * * *";

/// The job that counts them.
pub fn job(app: &App) -> Job {
    Job::new("transparency", SCHEDULE, app.db.clone(), |db| async move {
        signals::count_transparency(&db).await?;
        Ok(())
    })
}
