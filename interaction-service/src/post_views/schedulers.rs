//! The scheduled job of views: it deletes those from before the window.
use super::ViewWindow;
use super::models::PostView;
use crate::core::app::App;
use crate::core::ground::jobs::Job;

/// When the job runs: every ten minutes, away from the full hour when many other things happen.
const SCHEDULE: &str = "45 7/10 * * * *";

/// The job that deletes views from before the window.
pub fn job(app: &App, window: ViewWindow) -> Job {
    Job::new("post_views", SCHEDULE, (app.clone(), window), |(app, window)| async move {
        while !app.stop.is_cancelled() && PostView::delete_expired(&app.db, window).await? {}
        Ok(())
    })
}
