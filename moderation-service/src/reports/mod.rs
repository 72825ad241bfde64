//! Reports: what users think that a person should look at. A report weighs as much as the record of its reporter says, brings its
//! subject into the queue, and is closed by what becomes of the subject.
pub mod events;
pub mod models;
pub mod schemas;
pub mod services;
pub mod signals;
mod views;

#[cfg(test)]
pub mod tests;

use axum::Extension;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::services::ReportSettings;
use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReportStatus {
    /// No person has decided about its subject since
    Open,
    /// A person restricted the subject
    Agreed,
    /// A person saw no breach of the rules
    Ignored,
    /// A person saw a misuse of reporting
    Abusive,
    /// The subject was deleted by its owner before a person decided
    Gone,
}

/// The subject of a report does not exist for the reporter.
const SUBJECT_NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "Subject not found");
/// A report about oneself or what one wrote.
const OWN_SUBJECT: Error = Error::Refused(StatusCode::CONFLICT, "You cannot report yourself or what you wrote");
/// A second report while the first one is open.
const ALREADY_REPORTED: Error =
    Error::Refused(StatusCode::CONFLICT, "You have reported this, and a moderator has not looked at it yet");

/// There is no report that could be corrected.
const REPORT_NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "Report not found");

impl ReportStatus {
    /// Its word in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Agreed => "AGREED",
            Self::Ignored => "IGNORED",
            Self::Abusive => "ABUSIVE",
            Self::Gone => "GONE",
        }
    }
}

/// How often a user may report: more than a person who reads does, and less than a campaign.
pub const REPORT_LIMIT: Limit = Limit {
    name: "reports",
    routes: &["POST /api/v1/reports"],
    rate: Rate::new(20, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a user may list their reports.
pub const LIST_REPORTS_LIMIT: Limit = Limit {
    name: "report_lists",
    routes: &["GET /api/v1/me/reports"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a moderator may look at reporters, mute them and correct reports.
pub const REPORTER_LIMIT: Limit = Limit {
    name: "reporters",
    routes: &[
        "GET /api/v1/moderation/reporters/{user_id}",
        "PUT /api/v1/moderation/reporters/{user_id}/mute",
        "PUT /api/v1/moderation/reports/{report_id}",
    ],
    rate: Rate::new(240, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of reports.
pub fn router(settings: ReportSettings) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::create_report))
        .routes(routes!(views::list_my_reports))
        .routes(routes!(views::get_reporter))
        .routes(routes!(views::mute_reporter))
        .routes(routes!(views::correct_report))
        .layer(Extension(settings))
}
