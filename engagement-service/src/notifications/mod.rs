//! Notifications: what happened that concerns a user, in groups, from the events of the platform.
pub mod causes;
pub mod channels;
mod dispatch;
pub mod events;
pub mod models;
mod numbers;
mod readers;
pub mod reviews;
pub mod schedulers;
pub mod schemas;
mod services;
pub mod signals;
mod views;
mod withheld;

#[cfg(test)]
pub mod tests;

use chrono::{TimeDelta, Utc};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::contract::timestamp::Timestamp;
use crate::core::ground::settings::Rate;

/// How many days a notification is kept that was viewed or withdrawn; what is older than that makes no new one, or what was
/// forgotten would come back.
pub const KEPT_DAYS: i64 = 90;

/// How many days any other notification is kept since its newest cause: one that its reader never looked at, or cannot, since they do
/// not want its type listed.
pub const UNSEEN_KEPT_DAYS: i64 = 180;

/// How old what happened may be to ring a bell: older news use no channel, and make nothing unread that was not consumed as an event.
pub const NEWS_AGE: TimeDelta = TimeDelta::days(1);

/// Since when causes make notifications.
pub fn kept_since() -> Timestamp {
    Timestamp(Utc::now() - TimeDelta::days(KEPT_DAYS))
}

/// How often a user may read their notifications.
pub const READ_NOTIFICATIONS_LIMIT: Limit = Limit {
    name: "notification_lists",
    routes: &["GET /api/v1/me/notifications", "GET /api/v1/me/notifications/unread-count"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a user may mark notifications as viewed, or delete them.
pub const CHANGE_NOTIFICATIONS_LIMIT: Limit = Limit {
    name: "notification_changes",
    routes: &[
        "POST /api/v1/me/notifications/view",
        "POST /api/v1/me/notifications/{notification_id}/view",
        "DELETE /api/v1/me/notifications/{notification_id}",
    ],
    rate: Rate::new(120, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of notifications.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::list_notifications))
        .routes(routes!(views::count_unread_notifications))
        .routes(routes!(views::view_notifications))
        .routes(routes!(views::view_notification))
        .routes(routes!(views::delete_notification))
}

/// What a notification is about. The words are the original's, which names them and never writes one.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    sqlx::Type,
    utoipa::ToSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Type {
    /// Others reacted to the user's post
    PostReactionReceived,
    /// Others commented on the user's post
    PostCommentReceived,
    /// A person that the user may know
    ConnectionRecommendation,
    /// A post that the user may like
    PostRecommendation,
    /// The platform has something to say
    SystemMessage,
    /// The user's level of engagement changed
    ProfileActivity,
    /// Others connected to the user
    UserConnected,
    /// The user was mentioned
    UserMentioned,
    /// Others replied to the user's comment
    CommentReply,
    /// Others reacted to the user's comment; the original has no word for it
    CommentReactionReceived,
}

impl Type {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::PostReactionReceived,
        Self::PostCommentReceived,
        Self::ConnectionRecommendation,
        Self::PostRecommendation,
        Self::SystemMessage,
        Self::ProfileActivity,
        Self::UserConnected,
        Self::UserMentioned,
        Self::CommentReply,
        Self::CommentReactionReceived,
    ];

    /// The word of the table `notification`.
    pub fn word(self) -> &'static str {
        match self {
            Self::PostReactionReceived => "POST_REACTION_RECEIVED",
            Self::PostCommentReceived => "POST_COMMENT_RECEIVED",
            Self::ConnectionRecommendation => "CONNECTION_RECOMMENDATION",
            Self::PostRecommendation => "POST_RECOMMENDATION",
            Self::SystemMessage => "SYSTEM_MESSAGE",
            Self::ProfileActivity => "PROFILE_ACTIVITY",
            Self::UserConnected => "USER_CONNECTED",
            Self::UserMentioned => "USER_MENTIONED",
            Self::CommentReply => "COMMENT_REPLY",
            Self::CommentReactionReceived => "COMMENT_REACTION_RECEIVED",
        }
    }

    /// Whether other people are behind it, and not the platform.
    pub fn is_by_people(self) -> bool {
        !matches!(self, Self::SystemMessage | Self::ProfileActivity | Self::PostRecommendation)
    }

    /// Whether it is about what the platform recommends: people and posts share the week of their reader, and a mail.
    pub fn is_recommendation(self) -> bool {
        matches!(self, Self::ConnectionRecommendation | Self::PostRecommendation)
    }

    /// Whether one is about what was done on one post.
    pub fn is_about_post(self) -> bool {
        matches!(
            self,
            Self::PostReactionReceived
                | Self::PostCommentReceived
                | Self::UserMentioned
                | Self::CommentReply
                | Self::CommentReactionReceived
        )
    }
}

/// How far a notification is on its way to its user. The words are the original's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Stage {
    /// It was written; the channels have not taken it yet
    Generated,
    /// At least one channel has it at hand
    Sending,
    /// All channels that the user wants are done
    Sent,
    /// The user has seen it
    Viewed,
}
