//! What becomes of requests whose content was withdrawn. One that may come back, archived by its author or hidden by moderation, is
//! cancelled and keeps its document; one that is gone for good, or whose author has left, loses it.
pub mod models;
