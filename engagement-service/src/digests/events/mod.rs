//! The events of mails about notifications that this service publishes.
pub mod producers;

pub const MAIL_REQUESTED: &str = "notification_mail_requested";

/// What of [`MAIL_REQUESTED`] goes with a user who leaves.
pub const PERSONAL: [&str; 2] = ["items", "unsubscribe_url"];
