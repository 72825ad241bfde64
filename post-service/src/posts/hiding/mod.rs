//! Posts that moderation has hidden: kept, answered like what does not exist, and restorable by moderators.
pub mod models;
