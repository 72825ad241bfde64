//! Mails: written with the change that they follow from, sent afterwards until it succeeds.
//!
//! A mail is a row of the change's transaction, so that none is sent for a change that was rolled back, and none is lost
//! for one that was not. A worker claims one row at a time by moving the time of its next try, sends it with no
//! transaction open, and deletes it. When it dies in between, the mail goes out again later: twice is better than never.
pub mod models;
pub mod schedulers;
pub mod services;

#[cfg(test)]
pub mod tests;
