//! The ledger: everything that happened to a subject, as an append-only log whose entries are chained by their hashes.
//!
//! It is the one way to change a subject. [`signals::record`] locks the subject, folds the new entries into it, stores its row,
//! appends the entries, and publishes what follows from the difference, all in one transaction. So the row is the fold of the
//! entries at any time, and nothing has an effect without an entry.
//!
//! Each entry has the hash of the one before it and of itself, made by a trigger under the lock of the chain's head. A row that is
//! changed, added or deleted behind the trigger's back breaks the chain there, and `GET /moderation/log/verify` finds the
//! place. The hash is over the hashes of details and words, so that both can be erased.
pub mod appeal_tokens;
pub mod events;
pub mod models;
pub mod schemas;
pub mod services;
pub mod signals;
mod views;

#[cfg(test)]
mod tests;

use std::fmt::Write;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;
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

/// Bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// How often a moderator may verify the log, which reads all of it.
pub const VERIFY_LIMIT: Limit = Limit {
    name: "log_verification",
    routes: &["GET /api/v1/moderation/log/verify"],
    rate: Rate::new(30, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of the log.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::get_log)).routes(routes!(views::verify_log))
}
