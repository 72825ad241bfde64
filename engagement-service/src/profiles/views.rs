//! The routes of activity profiles.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::models::Profile;
use super::schemas::UserEngagement;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::app::identity::User;

/// Read the caller's activity profile
#[utoipa::path(get, path = "/me/activity-profile", tag = "activity-profile", responses(
    (status = 200, body = UserEngagement),
    (status = 404, body = Problem, description = "The service has consumed no event of the caller yet"),
    (status = 503, body = Problem),
))]
pub async fn retrieve_activity_profile(user: User, State(app): State<App>) -> Result<Json<UserEngagement>, Error> {
    let profile = Profile::find(&app.db, user.id).await?;
    Ok(Json(profile.ok_or(Error::Refused(StatusCode::NOT_FOUND, "User engagement profile not found"))?.into()))
}
