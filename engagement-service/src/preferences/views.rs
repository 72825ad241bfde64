//! The routes of preferences.
use axum::Json;
use axum::extract::State;
use chrono::Utc;

use super::schemas::{PreferencesIn, PreferencesOut};
use super::{Preferences, signals};
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract;
use crate::core::doors::callers::EvenMuted;

/// Read what the caller is notified of, how and when
#[utoipa::path(get, path = "/me/notification-preferences", tag = "notification-preferences", responses(
    (status = 200, body = PreferencesOut),
    (status = 503, body = Problem),
))]
pub async fn retrieve_notification_preferences(
    user: User,
    State(app): State<App>,
) -> Result<Json<PreferencesOut>, Error> {
    Ok(Json(Preferences::find(&app.db, user.id).await?.into()))
}

/// Change what the caller is notified of, how and when
///
/// What is not given stays as it is. A muted user can, too: they decide what is sent to them.
#[utoipa::path(patch, path = "/me/notification-preferences", tag = "notification-preferences", request_body = PreferencesIn,
    responses((status = 200, body = PreferencesOut), (status = 503, body = Problem)))]
pub async fn update_notification_preferences(
    EvenMuted(user): EvenMuted,
    State(app): State<App>,
    extract::Json(changes): extract::Json<PreferencesIn>,
) -> Result<Json<PreferencesOut>, Error> {
    let mut tx = app.db.begin().await?;
    let mut preferences = Preferences::create_and_lock(&mut tx, user.id).await?;
    changes.apply(&mut preferences);
    preferences.save(&mut tx, user.id).await?;
    signals::changed(&mut tx, user.id, &preferences, Utc::now()).await?;
    app.commit_with_answer(tx).await?;
    Ok(Json(preferences.into()))
}
