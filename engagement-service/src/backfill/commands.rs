//! What an operator does at the command line, beside the running service.
use anyhow::Context;

use super::models::Progress;
use crate::core::app::App;

/// Lets the read model be filled anew. The running replicas begin within seconds; if none runs, the next one that starts does.
pub async fn rebuild(app: &App) -> anyhow::Result<()> {
    let order = Progress::begin_anew(&app.db).await;
    order
        .context("the database cannot be reached, or has no tables yet: the service makes them when it first starts")?;
    tracing::info!("the read model is filled anew by the running service; see GET /internal/rebuild");
    Ok(())
}
