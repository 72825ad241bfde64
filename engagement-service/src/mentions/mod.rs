//! Mentions: which people the texts of posts and comments name, from the events of both.
//!
//! A processor reads the names of the stored versions again, whichever event came, and compares them with the rows. Since nothing
//! is added up from events, their order and their repetition make no difference. Names become people when they are first
//! consumed (`migrations/0041_tags_and_mentions.sql` says why); that the person is notified follows in `notifications`.
pub mod events;
pub mod models;

#[cfg(test)]
mod tests;
