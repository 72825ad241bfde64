//! People, as far as they can ask what is held about them, and can leave.
pub mod events;

#[cfg(test)]
mod tests;

use crate::core::erasure::Erasing;
use crate::core::people::Holding;
use crate::profiles::models::Profile;

/// What is held about people.
pub const HOLDINGS: &[Holding] =
    &[Holding { name: "profiles", list: |db, person, before, rows| Box::pin(Profile::held(db, person, before, rows)) }];

/// How it is let go of.
pub const ERASING: Erasing = Erasing {
    personal: &[],
    rows: |tx, person| Box::pin(Profile::erase(tx, person)),
    confirm: |tx, person| Box::pin(events::producers::user_erased(tx, person)),
};
