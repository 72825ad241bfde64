//! Mails: written with the change that they follow from, sent afterwards until it succeeds or time is up.
//!
//! A mail is a row of the change's transaction, so that none is sent for a change that was rolled back, and none is lost
//! for one that was not. The row names what it follows from, and the same cause never makes two. A worker claims one row at
//! a time by moving the time of its next try, and makes the text, with the token where it brings one; so no token rests in
//! the table. Then it sends the mail with no transaction open, and empties the row. When it dies in between, the mail goes
//! out again later, under the same Message-ID: twice is better than never. What the mail server refuses for good, and what
//! was tried for too long, is kept for a month and counted.
//!
//! Nothing in a mail about an account was written by a user, not even a name: whoever signs up with a foreign address cannot
//! make the service carry their words there. Such a mail cannot be refused, and has no List-Unsubscribe.
//!
//! Mails about notifications are asked for by the engagement service, which knows who wants which and when, and no address.
//! They go to verified addresses alone, name users by names that are no links (`notifications.rs`), and can be ended at one
//! click (RFC 8058). `Auto-Submitted` keeps answering machines silent (RFC 3834).
pub mod events;
pub mod models;
mod notifications;
pub mod schedulers;
pub mod services;
pub mod signals;
mod templates;

#[cfg(test)]
pub mod tests;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;
use crate::mails::notifications::MailedNotification;
use crate::tokens::Purpose;

/// How many mails go to one mailbox that any client can cause. More are not sent, and no answer shows it.
pub const MAILBOX_LIMIT: Limit = Limit {
    name: "mailbox",
    routes: &[],
    rate: Rate::new(24, 86_400).burst(5),
    burst_in_development: None,
    strict: true,
};

/// How many mails go to one mailbox about what happened to its account.
pub const NOTICE_LIMIT: Limit = Limit {
    name: "notices",
    routes: &[],
    rate: Rate::new(48, 86_400).burst(20),
    burst_in_development: None,
    strict: true,
};

/// How many mails about notifications go to one mailbox, above all of those at once. They are counted apart
/// from what is said about the account.
pub const NOTIFICATION_LIMIT: Limit = Limit {
    name: "notification_mails",
    routes: &[],
    rate: Rate::new(48, 86_400).burst(20),
    burst_in_development: None,
    strict: true,
};

/// What a mail is about. When it happened is when the mail was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MailTemplate {
    /// A new address; a token verifies it.
    Verification,
    /// A forgotten password; a token sets another one.
    PasswordReset,
    /// The address was verified for the first time.
    Welcome,
    /// A new address was asked for; a token takes it back.
    AddressAsked,
    /// A new address has taken the place of the reader's; a token takes it back.
    AddressChanged,
    /// A token takes it back.
    PasswordChanged,
    /// A change of address or password was taken back.
    ChangeUndone,
    /// With what kind of device, and from which addresses; both in words of ours.
    NewSignIn { device: String, place: String },
    /// An account of another platform was linked: one more way in. The platform's name is the operators'.
    AccountLinked { provider: String },
    /// It is linked no more.
    AccountUnlinked { provider: String },
    /// A sign-up with an address that has an account.
    SignUpAttempt,
    /// Moderation has banned the account. Its owner cannot sign in any more, and appeals with a token of moderation's; until when
    /// and why are in words of ours.
    Banned { until: Option<String>, reason: Option<String>, appeal_token: String },
    /// A notification that its reader wants at once, and the link that ends such mails.
    Notification { items: Vec<MailedNotification>, unsubscribe_url: String },
    /// The notifications that have gathered in a day, of which `items` are the newest.
    NotificationDigest { items: Vec<MailedNotification>, total: usize, unsubscribe_url: String },
}

impl MailTemplate {
    /// The subject line.
    fn subject(&self) -> &'static str {
        match self {
            Self::Verification => "Verify your address",
            Self::PasswordReset => "Set a new password",
            Self::Welcome => "Welcome",
            Self::AddressAsked => "Another address was given for your account",
            Self::AddressChanged => "The address of your account was changed",
            Self::PasswordChanged => "Your password was changed",
            Self::ChangeUndone => "A change of your account was undone",
            Self::NewSignIn { .. } => "A new sign-in to your account",
            Self::AccountLinked { .. } => "A way to sign in was added",
            Self::AccountUnlinked { .. } => "A way to sign in was removed",
            Self::SignUpAttempt => "You have an account already",
            Self::Banned { .. } => "Your account is banned",
            Self::Notification { items, .. } => items.first().map_or("A notification", |item| item.r#type.subject()),
            Self::NotificationDigest { .. } => "Your notifications",
        }
    }

    /// The notifications that it is about; none when it is about the account.
    fn notifications(&self) -> Option<&[MailedNotification]> {
        match self {
            Self::Notification { items, .. } | Self::NotificationDigest { items, .. } => Some(items),
            _ => None,
        }
    }

    /// The link that ends such mails, where they can be ended.
    fn unsubscribe_url(&self) -> Option<&str> {
        match self {
            Self::Notification { unsubscribe_url, .. } | Self::NotificationDigest { unsubscribe_url, .. } => {
                Some(unsubscribe_url)
            }
            _ => None,
        }
    }

    /// What the token is good for that the mail brings, if it brings one.
    fn purpose(&self) -> Option<Purpose> {
        match self {
            Self::Verification => Some(Purpose::Activation),
            Self::PasswordReset => Some(Purpose::PasswordReset),
            Self::AddressAsked | Self::AddressChanged | Self::PasswordChanged => Some(Purpose::Undo),
            Self::Welcome
            | Self::ChangeUndone
            | Self::NewSignIn { .. }
            | Self::AccountLinked { .. }
            | Self::AccountUnlinked { .. }
            | Self::SignUpAttempt
            | Self::Banned { .. }
            | Self::Notification { .. }
            | Self::NotificationDigest { .. } => None,
        }
    }

    /// The limit of such mails to one mailbox: those that any client can cause by naming an address, and those that only a
    /// user of the account can. They are counted apart, so that the first never keep a warning from its reader.
    fn limit(&self) -> &'static str {
        match self {
            Self::Verification | Self::PasswordReset | Self::SignUpAttempt => MAILBOX_LIMIT.name,
            Self::Notification { .. } | Self::NotificationDigest { .. } => NOTIFICATION_LIMIT.name,
            _ => NOTICE_LIMIT.name,
        }
    }

    /// For how long after it was written sending is tried. Who forgot a password asks again rather than wait for an hour;
    /// for the rest, a mail server may be away over a weekend.
    fn patience(&self) -> TimeDelta {
        match self {
            Self::PasswordReset => TimeDelta::hours(1),
            _ => TimeDelta::days(3),
        }
    }
}
