//! What an operator does at the command line, beside the running service.
use anyhow::Context;

use super::models::Reanalysis;
use crate::contents::models::count_texts;
use crate::core::app::App;

/// Lets the running service read all contents again, from the first one on; it logs how far it is.
pub async fn reanalyse(app: &App) -> anyhow::Result<()> {
    let total = count_texts(&app.db).await.context("the database cannot be reached")?;
    Reanalysis::begin(&app.db, total).await?;
    tracing::info!(total, "the running service reads all contents again");
    Ok(())
}
