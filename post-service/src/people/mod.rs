//! People, as far as they can ask what is held about them, and can leave.
pub mod events;

#[cfg(test)]
mod tests;

use crate::core::erasure::Erasing;
use crate::core::people::Holding;
use crate::posts;

/// What is held about people.
pub const HOLDINGS: &[Holding] = &[
    Holding {
        name: "posts",
        list: |db, person, before, rows| Box::pin(posts::models::Post::held(db, person, before, rows)),
    },
    Holding {
        name: "nft_records",
        list: |db, person, before, rows| Box::pin(posts::models::held_nfts(db, person, before, rows)),
    },
];

/// How it is let go of.
pub const ERASING: Erasing = Erasing {
    personal: &["title", "content"],
    rows: |tx, person| Box::pin(posts::signals::erase(tx, person)),
    confirm: |tx, person| Box::pin(events::producers::user_erased(tx, person)),
};
