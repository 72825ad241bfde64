//! What follows from news of contents, in the same transaction: an analysis, a case, an event.
use std::sync::Arc;

use sqlx::PgTransaction;
use uuid::Uuid;

use super::Kind;
use super::events::producers;
use super::models::{Content, Moderation, note_gone, note_versions};
use super::schemas::ModerationOut;
use super::services::{Analyser, Finding};
use crate::core::events::Failure;

/// Contents were written or changed; no two of them are the same one.
pub async fn written(
    tx: &mut PgTransaction<'_>,
    analyser: Arc<dyn Analyser>,
    contents: Vec<Content>,
) -> Result<(), Failure> {
    let versions: Vec<_> = contents.iter().map(|content| (content.id, content.version)).collect();
    let news = note_versions(tx, &versions).await?;
    let news: Vec<Content> = contents.into_iter().filter(|content| news.contains(&content.id)).collect();
    for (content, finding) in analyse(analyser, news).await? {
        if let Some(case) = Moderation::open(tx, &content, finding.reason).await? {
            requested(tx, case).await?;
        }
    }
    Ok(())
}

/// Contents are gone, because moderation wanted it or their authors did.
pub async fn gone(tx: &mut PgTransaction<'_>, contents: &[Uuid]) -> sqlx::Result<()> {
    note_gone(tx, contents).await?;
    Moderation::confirm(tx, contents).await
}

/// A case was opened.
async fn requested(tx: &mut PgTransaction<'_>, case: Moderation) -> sqlx::Result<()> {
    match case.kind {
        Kind::Post => producers::post_delete_requested(tx, &ModerationOut::from(case)).await,
        Kind::Comment => producers::comment_delete_requested(tx, &ModerationOut::from(case)).await,
    }
}

/// The contents that something speaks against, and what.
async fn analyse(analyser: Arc<dyn Analyser>, contents: Vec<Content>) -> Result<Vec<(Content, Finding)>, Failure> {
    let analyse = move || {
        let found = contents.into_iter().filter_map(|content| {
            let finding = analyser.analyse(content.text.as_deref()?)?;
            Some((content, finding))
        });
        found.collect()
    };
    // A batch of long texts takes a second, in which the runtime has other things to do.
    tokio::task::spawn_blocking(analyse).await.map_err(|cause| Failure::Unknown(cause.to_string()))
}
