//! People, as far as they can ask what is held about them, can leave, and do not see each other.
pub mod events;
mod models;

#[cfg(test)]
mod tests;

use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::erasure::Erasing;
use crate::core::people::Holding;
use crate::{comments, reactions};

/// What is held about people.
pub const HOLDINGS: &[Holding] = &[
    Holding {
        name: "comments",
        list: |db, person, before, rows| Box::pin(comments::models::Comment::held(db, person, before, rows)),
    },
    Holding {
        name: "nft_records",
        list: |db, person, before, rows| Box::pin(comments::models::held_nfts(db, person, before, rows)),
    },
    Holding {
        name: "reactions",
        list: |db, person, before, rows| Box::pin(reactions::models::Reaction::held(db, person, before, rows)),
    },
];

/// How it is let go of.
pub const ERASING: Erasing = Erasing {
    personal: &["title", "content"],
    rows: |tx, person| Box::pin(erase(tx, person)),
    confirm: |tx, person| Box::pin(events::producers::user_erased(tx, person)),
};

/// Some of a person's comments and reactions are deleted, and their blocks forgotten; true when there may be more.
async fn erase(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<bool> {
    models::forget_blocks(tx, person).await?;
    Ok(comments::signals::erase(tx, person).await? || reactions::signals::erase(tx, person).await?)
}
