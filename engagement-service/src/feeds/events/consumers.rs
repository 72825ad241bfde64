//! Consumes the events after which feeds change.
use super::processors as on;
use crate::blocks::events::{USER_BLOCKED, USER_UNBLOCKED};
use crate::core::events::Subscription;
use crate::follows::events::{USER_CONNECTED, USER_DISCONNECTED};
use crate::posts::events::{POST_CREATED, POST_DELETED, POST_UPDATED};

/// The streams, and what processes their events.
#[rustfmt::skip]
pub fn subscriptions() -> Vec<Subscription> {
    vec![
        Subscription::new(USER_CONNECTED,    on::connections_changed),
        Subscription::new(USER_DISCONNECTED, on::connections_changed),
        Subscription::new(USER_BLOCKED,      on::blocks_changed),
        Subscription::new(USER_UNBLOCKED,    on::blocks_changed),
        Subscription::new(POST_CREATED,      on::posts_changed),
        Subscription::new(POST_UPDATED,      on::posts_changed),
        Subscription::new(POST_DELETED,      on::posts_changed),
    ]
}
