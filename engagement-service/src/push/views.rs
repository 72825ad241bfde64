//! The route of push notifications: what a browser needs to subscribe.
use std::sync::Arc;

use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::channels::PushChannels;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::identity::User;

/// What a browser subscribes with
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "public_key": "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
})))]
pub struct VapidPublicKey {
    /// The `applicationServerKey`: a point of P-256 in base64url
    pub public_key: String,
}

/// Read the key with which a browser subscribes
#[utoipa::path(get, path = "/push/vapid-public-key", tag = "devices", responses(
    (status = 200, body = VapidPublicKey),
    (status = 404, body = Problem, description = "Web Push is not configured here"),
))]
pub async fn vapid_public_key(
    _: User,
    Extension(channels): Extension<Arc<PushChannels>>,
) -> Result<Json<VapidPublicKey>, Error> {
    let none = Error::Refused(StatusCode::NOT_FOUND, "Web Push is not configured");
    Ok(Json(VapidPublicKey { public_key: channels.vapid_public_key.clone().ok_or(none)? }))
}
