//! Devices: where a user's push notifications go. A browser's subscription or an app's token belongs to the user who
//! registered it last; a user has a limited number of them, and the one that was registered longest ago makes room. It ends with
//! the session in which it was registered.
pub mod events;
pub mod models;
mod schemas;
pub mod signals;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// Which push service takes messages to a device.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    sqlx::Type,
    utoipa::ToSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Provider {
    /// The push service of a browser (RFC 8030)
    WebPush,
    /// Firebase Cloud Messaging
    Fcm,
    /// The Apple Push Notification service
    Apns,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::WebPush, Self::Fcm, Self::Apns];

    /// Its word in the API, in tables and in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::WebPush => "WEB_PUSH",
            Self::Fcm => "FCM",
            Self::Apns => "APNS",
        }
    }
}

/// Which of Apple's two services a token is of.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::Type, utoipa::ToSchema,
)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum ApnsEnvironment {
    /// Of an app from the App Store, or a trial version of one
    #[default]
    Production,
    /// Of an app that was installed by a developer
    Sandbox,
}

/// How often a user may register or remove devices. Apps register at every start.
pub const DEVICE_CHANGE_LIMIT: Limit = Limit {
    name: "device_changes",
    routes: &["POST /api/v1/me/devices", "DELETE /api/v1/me/devices/{device_id}"],
    rate: Rate::new(30, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a user may list their devices.
pub const DEVICE_LIST_LIMIT: Limit = Limit {
    name: "device_lists",
    routes: &["GET /api/v1/me/devices"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of devices.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::list_devices, views::register_device))
        .routes(routes!(views::remove_device))
}
