//! The routes of reports.
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json as Body};
use chrono::{TimeDelta, Utc};

use super::models::{NewReport, ReporterMute, UserReport};
use super::schemas::{ReportCorrectionIn, ReportIn, ReportOut, ReporterMuteIn, ReporterOut};
use super::services::{ReportSettings, ReporterRecord};
use super::{REPORT_NOT_FOUND, signals};
use crate::core::api::errors::Error;
use crate::core::api::pagination::{Cursor, Page};
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::{Json, Path};
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::audit;
use crate::subjects::staff::Moderator;

/// Reports that are shown with a reporter.
const SHOWN: i64 = 20;

/// Report a post, comment or user to the moderators
#[utoipa::path(post, path = "/reports", tag = "reports", request_body = ReportIn, responses(
    (status = 201, body = ReportOut),
    (status = 404, description = "There is no such subject, or the caller cannot see it"),
    (status = 409, description = "The subject is the caller's own, or the caller's last report about it is open"),
))]
pub async fn create_report(
    user: User,
    State(app): State<App>,
    Extension(settings): Extension<ReportSettings>,
    Json(body): Json<ReportIn>,
) -> Result<(StatusCode, Body<ReportOut>), Error> {
    let report = NewReport { reporter: user.id, key: body.key(), reason: body.reason, text: body.text };
    let mut tx = app.db.begin().await?;
    let report = signals::file(&mut tx, &settings, &report).await?;
    app.commit_with_answer(tx).await?;
    Ok((StatusCode::CREATED, Body(report.into())))
}

/// List the caller's reports and what became of them, newest first
#[utoipa::path(get, path = "/me/reports", tag = "reports", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<ReportOut>),
))]
pub async fn list_my_reports(user: User, State(app): State<App>, page: Page) -> Result<Response, Error> {
    let reports = UserReport::list_by(&app.db, user.id, page.before, page.rows()).await?;
    let reports: Vec<ReportOut> = reports.into_iter().map(ReportOut::from).collect();
    Ok(page.answer(reports, |report| (report.at, report.id)))
}

/// Get the record of a reporter; for moderators
#[utoipa::path(get, path = "/moderation/reporters/{user_id}", tag = "reports", params(
    ("user_id" = uuid::Uuid, Path),
), responses(
    (status = 200, body = ReporterOut),
    (status = 403, description = "The caller is no moderator"),
))]
pub async fn get_reporter(_: Moderator, State(app): State<App>, Path(id): Path) -> Result<Body<ReporterOut>, Error> {
    let record = ReporterRecord::of(&app.db, id).await?;
    let mute = ReporterMute::find(&app.db, id).await?;
    let reports = UserReport::list_by(&app.db, id, Cursor::end(), SHOWN).await?;
    Ok(Body(ReporterOut::new(id, record, mute, reports)))
}

/// Mute a reporter, or end that; for moderators: the reports of a muted one are accepted and weigh nothing
#[utoipa::path(put, path = "/moderation/reporters/{user_id}/mute", tag = "reports", params(
    ("user_id" = uuid::Uuid, Path),
), request_body = ReporterMuteIn, responses(
    (status = 204),
    (status = 403, description = "The caller is no moderator"),
))]
pub async fn mute_reporter(
    Moderator(user): Moderator,
    State(app): State<App>,
    Path(id): Path,
    Json(body): Json<ReporterMuteIn>,
) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    let until = body.hours.map(|hours| Timestamp(Utc::now() + TimeDelta::hours(hours)));
    if body.muted {
        ReporterMute::save(&mut tx, id, user.id, until, body.note.as_deref()).await?;
    } else {
        ReporterMute::delete(&mut tx, id).await?;
    }
    let result = if body.muted { "muted" } else { "unmuted" };
    let entry = audit::Entry { who: Some(user.id), action: "reporter_muted", target: Some(id), result };
    audit::record(&mut *tx, entry).await?;
    app.commit(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Correct what a closed report counts as in the record of its reporter; for moderators
#[utoipa::path(put, path = "/moderation/reports/{report_id}", tag = "reports", params(
    ("report_id" = uuid::Uuid, Path),
), request_body = ReportCorrectionIn, responses(
    (status = 204),
    (status = 403, description = "The caller is no moderator"),
    (status = 404, description = "There is no such report, or it is open"),
))]
pub async fn correct_report(
    Moderator(user): Moderator,
    State(app): State<App>,
    Path(id): Path,
    Json(body): Json<ReportCorrectionIn>,
) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    if !UserReport::correct(&mut tx, id, body.status).await? {
        return Err(REPORT_NOT_FOUND);
    }
    let result = body.status.word();
    let entry = audit::Entry { who: Some(user.id), action: "report_corrected", target: Some(id), result };
    audit::record(&mut *tx, entry).await?;
    app.commit(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
