//! The routes of devices.
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use super::models::{Device, Registration};
use super::schemas::{DeviceIn, DeviceOut};
use super::signals;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::{Json as Body, Path};
use crate::core::contract::fields::invalid;
use crate::core::doors::callers::EvenMuted;
use crate::push::channels::PushChannels;

const NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "Device not found");

/// List the caller's devices, the one that was registered last first
#[utoipa::path(get, path = "/me/devices", tag = "devices", responses((status = 200, body = Vec<DeviceOut>)))]
pub async fn list_devices(user: User, State(app): State<App>) -> Result<Json<Vec<DeviceOut>>, Error> {
    let devices = Device::list(&app.db, user.id).await?;
    Ok(Json(devices.into_iter().map(DeviceOut::from).collect()))
}

/// Register a device for push notifications
///
/// A device that is registered again is renewed, and belongs to the user who did so last. Of a user's devices the 20 that were
/// registered last stay. It gets nothing more when the session ends in which it was registered.
#[utoipa::path(post, path = "/me/devices", tag = "devices", request_body = DeviceIn, responses(
    (status = 201, body = DeviceOut),
    (status = 422, body = Problem, description = "Among others an endpoint that is not on the public internet"),
))]
pub async fn register_device(
    EvenMuted(user): EvenMuted,
    State(app): State<App>,
    Extension(channels): Extension<Arc<PushChannels>>,
    Body(mut registration): Body<Registration>,
) -> Result<(StatusCode, Json<DeviceOut>), Error> {
    if let Registration::WebPush { endpoint, .. } = &mut registration {
        let checked = channels.guard.check(endpoint).await;
        let refuse = |why: &str| Error::Invalid(vec![invalid(&["body", "endpoint"], why, "value_error.url", None)]);
        *endpoint = checked.map_err(|fault| refuse(&fault.to_string()))?.into();
    }
    let mut tx = app.db.begin().await?;
    let device = signals::registered(&mut tx, user.id, user.session, &registration).await?;
    app.commit_with_answer(tx).await?;
    Ok((StatusCode::CREATED, Json(device.into())))
}

/// Remove a device: it gets no more push notifications
#[utoipa::path(delete, path = "/me/devices/{device_id}", tag = "devices", params(("device_id" = uuid::Uuid, Path)), responses(
    (status = 204),
    (status = 404, body = Problem),
))]
pub async fn remove_device(user: User, State(app): State<App>, Path(id): Path) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    if !signals::removed(&mut tx, user.id, id).await? {
        return Err(NOT_FOUND);
    }
    app.commit(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
