//! What the service holds about people, and how it lets go of that.
#[cfg(test)]
mod tests;

use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::doors::erasure::Erasure;
use crate::core::doors::personal_data::PersonalDataSource;
use crate::{blocks, comments, reactions};

/// The stream on which it says that nothing about a person is left here.
pub const USER_ERASED: &str = "interaction_user_erased";

/// What is held about people.
pub const PERSONAL_DATA: &[PersonalDataSource] = &[
    PersonalDataSource {
        name: "comments",
        list: |db, person, before, rows| Box::pin(comments::models::Comment::held(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "nft_records",
        list: |db, person, before, rows| Box::pin(comments::models::held_nfts(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "reactions",
        list: |db, person, before, rows| Box::pin(reactions::models::Reaction::held(db, person, before, rows)),
    },
];

/// How the service lets go of that.
pub const ERASURE: Erasure = Erasure {
    personal: &["title", "content"],
    rows: |tx, person| Box::pin(erase(tx, person)),
    confirmed_on: Some(USER_ERASED),
};

/// Some of a person's comments and reactions are deleted, and their blocks forgotten; true when there may be more.
async fn erase(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<bool> {
    blocks::models::forget_blocks(tx, person).await?;
    Ok(comments::signals::erase(tx, person).await? || reactions::signals::erase(tx, person).await?)
}
