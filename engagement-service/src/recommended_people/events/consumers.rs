//! Consumes the events of what makes people active.
use super::processors as on;
use crate::comments::events::COMMENT_CREATED;
use crate::core::events::Subscription;
use crate::follows::events::{USER_CONNECTED, USER_DISCONNECTED};
use crate::people::events::{USER_REGISTERED, USER_UPDATED};
use crate::posts::events::POST_CREATED;
use crate::reactions::events::REACTION_CREATED;

/// The streams, and what processes their events once the read model has.
pub fn subscriptions() -> Vec<Subscription> {
    vec![
        Subscription::new(USER_REGISTERED, on::people_registered),
        Subscription::new(USER_UPDATED, on::people_updated),
        Subscription::new(USER_CONNECTED, on::connections_changed),
        Subscription::new(USER_DISCONNECTED, on::connections_changed),
        Subscription::new(POST_CREATED, on::contents_created),
        Subscription::new(COMMENT_CREATED, on::contents_created),
        Subscription::new(REACTION_CREATED, on::contents_created),
    ]
}
