//! The subscriptions to requests for mails.
use super::NOTIFICATION_MAIL_REQUESTED;
use super::processors as on;
use crate::core::events::Subscription;

/// Which event goes where.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(NOTIFICATION_MAIL_REQUESTED, on::notification_mail_requested)]
}
