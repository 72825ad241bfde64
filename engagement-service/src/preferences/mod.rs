//! Preferences of notifications: what a user is notified of, by which channel, and at which time of their day.
//!
//! Of a type of notification a user chooses whether it is listed, whether it is mailed at once, with the others in a digest
//! or never, and whether it is pushed. What they did not choose follows the defaults below, and is not stored: a default
//! that changes, changes for all who have not said otherwise.
pub mod models;
mod schemas;
pub mod services;
pub mod signals;
mod views;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;
use crate::notifications::Type;

/// How often a user may read or change their preferences: a page of settings saves with every switch.
pub const PREFERENCES_LIMIT: Limit = Limit {
    name: "notification_preferences",
    routes: &["GET /api/v1/me/notification-preferences", "PATCH /api/v1/me/notification-preferences"],
    rate: Rate::new(120, 60),
    burst_in_development: None,
    strict: false,
};

/// All types of notifications, in the order in which they are listed.
pub const TYPES: [Type; 10] = [
    Type::PostReactionReceived,
    Type::PostCommentReceived,
    Type::ConnectionRecommendation,
    Type::PostRecommendation,
    Type::SystemMessage,
    Type::ProfileActivity,
    Type::UserConnected,
    Type::UserMentioned,
    Type::CommentReply,
    Type::CommentReactionReceived,
];

/// The hour at which digests come unless a user chooses another one.
const DIGEST_HOUR: u32 = 8;

/// When a notification is mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MailMode {
    /// As soon as it is there, outside of quiet hours
    AtOnce,
    /// Once a day, with the others
    Digest,
    /// Never
    Never,
}

/// What a user chooses of one type of notification; what is not given stays as it is
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelChoice {
    /// Whether it is listed among the notifications
    #[schema(value_type = bool, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_app: Option<bool>,
    /// When it is mailed
    #[schema(value_type = MailMode, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<MailMode>,
    /// Whether it is pushed to the user's devices
    #[schema(value_type = bool, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push: Option<bool>,
}

/// The channels of one type of notification
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Channels {
    /// Whether it is listed among the notifications
    pub in_app: bool,
    /// When it is mailed
    pub mail: MailMode,
    /// Whether it is pushed to the user's devices
    pub push: bool,
}

/// A part of every day in which nothing is sent at once. The end may be before the beginning: the night lies between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    pub from: NaiveTime,
    pub to: NaiveTime,
}

/// The preferences of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferences {
    pub choices: BTreeMap<Type, ChannelChoice>,
    /// The zone of the times of the day.
    pub time_zone: Tz,
    /// The hour of the day at which a digest comes, 0 to 23.
    pub digest_hour: u32,
    pub quiet_hours: Option<QuietHours>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { choices: BTreeMap::new(), time_zone: Tz::UTC, digest_hour: DIGEST_HOUR, quiet_hours: None }
    }
}

impl Preferences {
    /// The channels of a type, as chosen or by default.
    pub fn channels(&self, r#type: Type) -> Channels {
        let (chosen, usual) = (self.choices.get(&r#type).copied().unwrap_or_default(), usual_channels(r#type));
        Channels {
            in_app: chosen.in_app.unwrap_or(usual.in_app),
            mail: chosen.mail.unwrap_or(usual.mail),
            push: chosen.push.unwrap_or(usual.push),
        }
    }

    /// Whether the user wants a type by any channel.
    pub fn wants(&self, r#type: Type) -> bool {
        let Channels { in_app, mail, push } = self.channels(r#type);
        in_app || mail != MailMode::Never || push
    }
}

/// The channels of a type by default: what others did to the user can wait for a digest, except on a phone; what a program has
/// to suggest is no reason for a mail.
fn usual_channels(r#type: Type) -> Channels {
    let (mail, push) = match r#type {
        Type::SystemMessage => (MailMode::AtOnce, true),
        Type::PostReactionReceived | Type::CommentReactionReceived => (MailMode::Digest, false),
        Type::PostCommentReceived | Type::UserConnected | Type::UserMentioned | Type::CommentReply => {
            (MailMode::Digest, true)
        }
        Type::ConnectionRecommendation | Type::PostRecommendation | Type::ProfileActivity => (MailMode::Never, false),
    };
    Channels { in_app: true, mail, push }
}

/// The routes of preferences.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::retrieve_notification_preferences, views::update_notification_preferences))
}
