//! Outlets: the channels of notifications, mail and push, by the preferences of each person.
pub mod mail;
pub mod push;

#[cfg(test)]
mod tests;
