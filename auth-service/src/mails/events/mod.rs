//! The events of other services that ask for mails.
pub mod consumers;
mod processors;

#[cfg(test)]
mod tests;

pub const NOTIFICATION_MAIL_REQUESTED: &str = "notification_mail_requested";
