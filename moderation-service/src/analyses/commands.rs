//! What an operator does at the command line, beside the running service.
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::models::Reanalysis;
use crate::contents::models::count_texts;
use crate::core::app::App;

/// How often the bar is moved.
const LOOK: Duration = Duration::from_millis(500);

/// How long the command stays.
#[derive(Args, Clone, Copy, Debug)]
pub struct ReanalyseOptions {
    /// Show how far the running service is, until it has read everything; ending the command ends nothing else
    #[arg(long)]
    pub wait: bool,
}

/// Lets the running service read all contents again, from the first one on; it logs how far it is.
pub async fn reanalyse(app: &App, options: ReanalyseOptions) -> anyhow::Result<()> {
    let total = count_texts(&app.db).await.context("the database cannot be reached")?;
    Reanalysis::begin(&app.db, total).await?;
    tracing::info!(total, "the running service reads all contents again");
    if options.wait {
        let bar = ProgressBar::new(total.unsigned_abs());
        bar.set_style(ProgressStyle::with_template("{bar:40} {pos} of {len} contents, {per_sec}, {eta} left")?);
        while let Some(done) = Reanalysis::done(&app.db).await? {
            bar.set_position(done.unsigned_abs());
            tokio::time::sleep(LOOK).await;
        }
        bar.finish();
    }
    Ok(())
}
