//! The events of decisions.
pub mod producers;

/// What an author or a reporter reads about a decision, published by everything that decides.
pub const MODERATION_NOTICE: &str = "moderation_notice";
