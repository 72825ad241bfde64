//! The ledger: everything that happened to a subject, as an append-only log whose entries are chained by their hashes.
//!
//! It is the one way to change a subject. [`signals::record`] locks the subject, folds the new entries into it, stores its row,
//! appends the entries, and publishes what follows from the difference, all in one transaction. So the row is the fold of the
//! entries at any time, and nothing has an effect without an entry.
//!
//! Each entry has the hash of the one before it and of itself, made by a trigger under the lock of the chain's head. Whoever
//! changes, adds or deletes a row behind the trigger's back breaks the chain there, and `GET /moderation/log/verify` finds the
//! place. The hash is over the hashes of details and words, so that both can be erased.
pub mod events;
pub mod models;
pub mod schemas;
pub mod signals;

use crate::subjects::changes::{Actor, Change};

/// What happened, and what made it happen.
#[derive(Clone, Debug)]
pub struct NewEntry {
    pub actor: Actor,
    pub change: Change,
}

impl NewEntry {
    pub fn new(actor: Actor, change: Change) -> Self {
        Self { actor, change }
    }
}
