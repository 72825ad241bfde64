//! Notifications: what happened that concerns a user, in groups, from the events of the platform.

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
    /// A person whom the user may know
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
}

/// How far a notification is on its way to its user. The words are the original's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Stage {
    /// It was written; the channels were not asked yet
    Generated,
    /// At least one channel has it at hand
    Sending,
    /// All channels that the user wants are done
    Sent,
    /// The user has seen it
    Viewed,
}
