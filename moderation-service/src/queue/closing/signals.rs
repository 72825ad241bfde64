//! What follows from the entries of the ledger, for the reports and the figures.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::{FollowedEntry, save_review_time};
use crate::reports::models::UserReport;
use crate::reports::{ReportStatus, signals as reports};
use crate::subjects::SubjectKey;
use crate::subjects::actions::Action;
use crate::subjects::changes::Ended;

/// What is read of a decision.
#[derive(Deserialize)]
struct DecidedDetails {
    decision: Uuid,
    actions: Vec<Action>,
    closes_review: bool,
    /// Up to which entry it answers reports, where the review goes on.
    answers_until: Option<i64>,
}

/// What is read of the end of one.
#[derive(Deserialize)]
struct EndedDetails {
    decision: Uuid,
    why: Ended,
}

/// Closes the reports that an entry of the ledger answers; true when it has to be called again for the rest.
pub async fn followed(tx: &mut PgTransaction<'_>, entry: &FollowedEntry) -> anyhow::Result<bool> {
    let key = SubjectKey { r#type: entry.subject_type, id: entry.subject_id };
    if entry.kind == "gone" {
        return Ok(reports::close(tx, key, entry.seq, ReportStatus::Gone, None).await?);
    }
    // Erased: its account has left, and its reports are closed.
    let Some(details) = &entry.details else { return Ok(false) };
    if entry.kind == "ended" {
        let EndedDetails { decision, why } = serde_json::from_str(details)?;
        if why.is_taken_back() {
            UserReport::disagree(tx, decision).await?;
        }
        return Ok(false);
    }
    let DecidedDetails { decision, actions, closes_review, answers_until } = serde_json::from_str(details)?;
    let before = match answers_until {
        _ if closes_review => entry.seq,
        Some(until) => until.saturating_add(1).min(entry.seq),
        None => return Ok(false),
    };
    if closes_review {
        save_review_time(tx, entry, decision).await?;
    }
    let restricts = actions.iter().any(|action| action.is_about_content() || action.is_about_author());
    let status = if restricts { ReportStatus::Agreed } else { ReportStatus::Ignored };
    Ok(reports::close(tx, key, before, status, Some(decision)).await?)
}
