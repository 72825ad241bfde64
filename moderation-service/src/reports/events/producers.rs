//! Publishes the outcomes of reports, to those who made them.
use chrono::Utc;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::decisions::events::producers::moderation_notice;
use crate::decisions::schemas::{Notice, NoticeKind};
use crate::reports::ReportStatus;
use crate::reports::models::ClosedReport;
use crate::subjects::{SubjectKey, SubjectType};

/// Publishes what became of a report; nothing where its reporter has left, or its subject did.
pub async fn report_outcome(tx: &mut PgTransaction<'_>, key: SubjectKey, report: &ClosedReport) -> sqlx::Result<()> {
    let Some(text) = text(key.r#type, report.status) else { return Ok(()) };
    if report.is_erased {
        return Ok(());
    }
    let notice = Notice {
        id: Uuid::now_v7(),
        at: Timestamp(Utc::now()),
        user_id: report.reporter,
        kind: NoticeKind::ReportOutcome,
        title: "Your report".to_owned(),
        text,
        subject_type: key.r#type,
        subject_id: key.id,
        // The decision is between the platform and the author.
        decision_id: None,
    };
    moderation_notice(tx, &notice).await
}

/// The words for a reporter. They name neither the author nor the moderator, nor what exactly was decided.
fn text(r#type: SubjectType, status: ReportStatus) -> Option<String> {
    let subject = match r#type {
        SubjectType::Post => "a post",
        SubjectType::Comment => "a comment",
        SubjectType::Media => "a picture",
        SubjectType::User => "a user",
    };
    let outcome = match status {
        ReportStatus::Agreed => "It breaks the rules, and we have acted on it. Thank you for reporting it.",
        ReportStatus::Ignored => {
            "It does not break the rules, so it stays. You can mute or block the user if you do not want to see it."
        }
        ReportStatus::Abusive => "It does not break the rules. Please report only what you believe breaks them.",
        ReportStatus::Open | ReportStatus::Gone => return None,
    };
    Some(format!("You reported {subject}, and a moderator has looked at it. {outcome}"))
}
