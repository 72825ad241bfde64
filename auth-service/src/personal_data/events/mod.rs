//! The events of other services that confirm an erasure.
pub mod consumers;
mod processors;

pub const POST_USER_ERASED: &str = "post_user_erased";
pub const INTERACTION_USER_ERASED: &str = "interaction_user_erased";
pub const MODERATION_USER_ERASED: &str = "moderation_user_erased";
pub const ENGAGEMENT_USER_ERASED: &str = "engagement_user_erased";
