//! What follows from a report, in the same transaction: its entry in the ledger, and a hold where open reports weigh enough; and
//! what follows for reports from the entries of the ledger.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::events::producers;
use super::models::{NewReport, ONE_OPEN_REPORT, ReportTarget, UserReport};
use super::services::{ReportSettings, ReporterRecord, severity};
use super::{ALREADY_REPORTED, OWN_SUBJECT, ReportStatus, SUBJECT_NOT_FOUND};
use crate::core::api::errors::Error;
use crate::decisions::effects::models::lock_content;
use crate::decisions::{NewDecision, signals as decisions};
use crate::ledger::NewEntry;
use crate::ledger::signals::record;
use crate::subjects::actions::Action;
use crate::subjects::changes::{Actor, Change};
use crate::subjects::means::{AutomatedMeans, Comparison};
use crate::subjects::reasons::Reason;
use crate::subjects::{SubjectKey, Visibility};

/// Reports that are closed in one statement; a subject may have very many.
pub const BATCH: i64 = 500;

/// Makes a report.
pub async fn file(
    tx: &mut PgTransaction<'_>,
    settings: &ReportSettings,
    report: &NewReport,
) -> Result<UserReport, Error> {
    let reason = report.reason;
    if !report.key.is_user() {
        // Neither its deletion nor its author's erasure comes between what is read of it here and the report. A hold locks it
        // as well, and it is locked before its subject.
        lock_content(tx, report.key.id).await?;
    }
    let target = ReportTarget::find(&mut **tx, report.key).await?.ok_or(SUBJECT_NOT_FOUND)?;
    if target.author == report.reporter {
        return Err(OWN_SUBJECT);
    }
    let weight = ReporterRecord::of(&mut **tx, report.reporter).await?.weight();
    let made = UserReport::create(tx, report, target.author, weight).await.map_err(|error| match error {
        sqlx::Error::Database(cause) if cause.constraint() == Some(ONE_OPEN_REPORT) => ALREADY_REPORTED,
        other => other.into(),
    })?;
    let change = Change::Reported { report: made.id, severity: severity(reason), weight, reason };
    let entry = NewEntry::new(Actor::User(report.reporter), change);
    let (_, subject) = record(tx, report.key, target.author, vec![entry]).await?;
    let can_be_held = !report.key.is_user() && subject.visibility < Visibility::Held;
    if can_be_held && settings.holds(subject.report_weight) && !target.is_allowed {
        let means = AutomatedMeans {
            comparisons: vec![Comparison::reached(
                "report_weight",
                subject.report_weight,
                settings.report_hold_threshold,
            )],
            ..AutomatedMeans::default()
        };
        hold(tx, (report.key, target.author), reason, means).await?;
    }
    Ok(made)
}

/// Hides a content until a person has looked at it.
async fn hold(
    tx: &mut PgTransaction<'_>,
    (key, author): (SubjectKey, Uuid),
    reason: Reason,
    means: AutomatedMeans,
) -> Result<(), Error> {
    let note = "Open reports together reached the weight from which on content is held.";
    let decision = NewDecision {
        internal_note: Some(note.to_owned()),
        means: Some(means),
        ..NewDecision::of_machine(key, author, vec![Action::Hold], reason)
    };
    decisions::decide(tx, decision).await?;
    Ok(())
}

/// Closes a batch of the reports that were entered before an entry of the ledger, and publishes their outcome to the reporters;
/// true when there may be more.
pub async fn close(
    tx: &mut PgTransaction<'_>,
    key: SubjectKey,
    before: i64,
    status: ReportStatus,
    decision: Option<Uuid>,
) -> sqlx::Result<bool> {
    let closed = UserReport::close(tx, key, before, status, decision, BATCH).await?;
    for report in &closed {
        metrics::counter!("moderation_reports_closed_total", "outcome" => report.status.word().to_lowercase())
            .increment(1);
        producers::report_outcome(tx, key, report).await?;
    }
    Ok(!closed.is_empty())
}
