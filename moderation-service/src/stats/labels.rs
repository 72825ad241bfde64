//! `moderation-service export-labels`: what persons have decided, as rows to train with.
use std::io::Write;

use anyhow::Context;
use futures::TryStreamExt;

use super::models::JudgedText;
use super::services::labels;
use crate::core::app::App;

/// Writes a table of texts and labels, as `train --extra` reads it. A text with a tab or a line break has a blank there. Returns the
/// number of rows.
pub async fn export(app: &App, mut to: impl Write) -> anyhow::Result<u64> {
    writeln!(to, "text\tlabels")?;
    let mut rows = 0;
    let mut judged = JudgedText::stream(&app.db);
    while let Some(JudgedText { text, actions, reason, ended_by }) =
        judged.try_next().await.context("the decisions cannot be read")?
    {
        let Some(labels) = labels(&actions, reason, ended_by) else { continue };
        let text: Vec<&str> = text.split(['\t', '\n', '\r']).filter(|part| !part.is_empty()).collect();
        if !text.is_empty() {
            writeln!(to, "{}\t{labels}", text.join(" "))?;
            rows += 1;
        }
    }
    to.flush()?;
    Ok(rows)
}
