//! What the service holds about people, and how it lets go of that.
#[cfg(test)]
mod tests;

use sqlx::PgTransaction;
use uuid::Uuid;

use crate::blocks;
use crate::core::doors::erasure::Erasure;
use crate::core::doors::personal_data::PersonalDataSource;
use crate::posts;

/// The stream on which it says that nothing about a person is left here.
pub const USER_ERASED: &str = "post_user_erased";

/// What is held about people.
pub const PERSONAL_DATA: &[PersonalDataSource] = &[
    PersonalDataSource {
        name: "posts",
        list: |db, person, before, rows| Box::pin(posts::models::Post::held(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "nft_records",
        list: |db, person, before, rows| Box::pin(posts::models::held_nfts(db, person, before, rows)),
    },
];

/// How the service lets go of that.
pub const ERASURE: Erasure = Erasure {
    personal: &["title", "content"],
    rows: |tx, person| Box::pin(erase(tx, person)),
    confirmed_on: Some(USER_ERASED),
};

/// Some of a person's posts are deleted, and their blocks forgotten; true when there may be more.
async fn erase(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<bool> {
    blocks::models::forget_blocks(tx, person).await?;
    posts::signals::erase(tx, person).await
}
