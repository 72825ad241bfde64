//! What follows from a change of contents, in the same transaction: an analysis, a case, an event.
use std::sync::Arc;

use sqlx::PgTransaction;
use uuid::Uuid;

use super::Kind;
use super::events::producers;
use super::models::{Content, Moderation, lock, save_deletions, save_versions};
use super::schemas::ModerationOut;
use super::services::{Analyser, Finding};
use crate::core::events::Failure;

/// Contents were created or changed; each is given once.
pub async fn written(
    tx: &mut PgTransaction<'_>,
    analyser: Arc<dyn Analyser>,
    contents: Vec<Content>,
) -> Result<(), Failure> {
    let versions: Vec<_> = contents.iter().map(|content| (content.id, content.version)).collect();
    let fresh = save_versions(tx, &versions).await?;
    let fresh: Vec<Content> = contents.into_iter().filter(|content| fresh.contains(&content.id)).collect();
    for (content, finding) in analyse(analyser, fresh).await? {
        if let Some(case) = Moderation::open(tx, &content, finding.reason).await? {
            request_deletion(tx, case).await?;
        }
    }
    Ok(())
}

/// Contents were deleted, by their authors or by moderators.
pub async fn deleted(tx: &mut PgTransaction<'_>, contents: &[Uuid]) -> sqlx::Result<()> {
    save_deletions(tx, contents).await?;
    Moderation::close(tx, contents).await
}

/// Contents were hidden on moderation's request, or the request found them deleted. A moderator may restore them, so that later
/// versions are analysed.
pub async fn hidden(tx: &mut PgTransaction<'_>, contents: &[Uuid]) -> sqlx::Result<()> {
    lock(tx, contents).await?;
    Moderation::close(tx, contents).await
}

/// Publishes the request to delete the content of a new case.
async fn request_deletion(tx: &mut PgTransaction<'_>, case: Moderation) -> sqlx::Result<()> {
    match case.kind {
        Kind::Post => producers::post_delete_requested(tx, &ModerationOut::from(case)).await,
        Kind::Comment => producers::comment_delete_requested(tx, &ModerationOut::from(case)).await,
    }
}

/// The contents that break the rules, with the findings.
async fn analyse(analyser: Arc<dyn Analyser>, contents: Vec<Content>) -> Result<Vec<(Content, Finding)>, Failure> {
    let analyse = move || {
        let found = contents.into_iter().filter_map(|content| {
            let finding = analyser.analyse(content.text.as_deref()?)?;
            Some((content, finding))
        });
        found.collect()
    };
    // A batch of long texts takes a second, which must not block the runtime.
    tokio::task::spawn_blocking(analyse).await.map_err(|cause| Failure::Unknown(cause.to_string()))
}
