//! Mails about notifications: one by itself, or once a day a digest of what has gathered.
//!
//! One by itself is asked for when it may be sent. In quiet hours the notification waits, and not the mail (`notifications/dispatch`):
//! what is seen or withdrawn until their end is not mailed, and the rest is as it is then.
//!
//! This service knows when a user wants which mail and not their address, so it publishes that a mail is asked for, and the
//! auth service, which has addresses and names, writes and sends it. What waits for a digest is a table: a notification is
//! added to it, and taken out when it is seen or withdrawn. Beside it, a row per user holds the time of their next digest. A
//! job takes the rows that are due, with what waits for them, and publishes one event for each, in the same transaction;
//! replicas skip each other's rows. So an entry goes out in exactly one digest, whatever is killed in between.
pub mod events;
pub mod models;
pub mod schedulers;
pub mod signals;

#[cfg(test)]
mod tests;
