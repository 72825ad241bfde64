//! Personal data: what the service exports of a user, and how it erases that.
//!
//! The core erases the rows, and marks what it leaves in the store. It does not confirm that here: files are deleted by a worker of their
//! own, and the store may be away for hours. The erasure is confirmed by this feature when both are done.
pub mod events;
mod models;
pub mod schedulers;
mod signals;

#[cfg(test)]
mod tests;

use sqlx::PgTransaction;
use uuid::Uuid;

use self::models::UnconfirmedErasure;
use crate::blocks;
use crate::core::doors::erasure::Erasure;
use crate::core::doors::personal_data::PersonalDataSource;
use crate::history::models::PostVersion;
use crate::items::models::Item;
use crate::media;
use crate::media::pictures::models::list_personal_pictures;
use crate::media::uploads::direct::models::DirectUpload;
use crate::nfts::models::Mint;
use crate::posts;
use crate::quotas::models::Usage;

/// The stream that confirms that a deleted user's data is erased here.
pub const USER_ERASED: &str = "post_user_erased";

/// Blocks and requests to mint deleted in one step of an erasure.
const BATCH: i64 = 1_000;

/// The personal data that the service exports.
pub const PERSONAL_DATA: &[PersonalDataSource] = &[
    PersonalDataSource {
        name: "posts",
        list: |db, person, before, rows| Box::pin(posts::models::Post::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "post_versions",
        list: |db, person, before, rows| Box::pin(PostVersion::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "items",
        list: |db, person, before, rows| Box::pin(Item::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "nft_records",
        list: |db, person, before, rows| Box::pin(posts::nfts::models::list_personal_nfts(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "media",
        list: |db, person, before, rows| Box::pin(media::models::Media::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "profile_pictures",
        list: |db, person, before, rows| Box::pin(list_personal_pictures(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "media_uploads",
        list: |db, person, before, rows| Box::pin(DirectUpload::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "mints",
        list: |db, person, before, rows| Box::pin(Mint::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "quotas",
        list: |db, person, before, rows| Box::pin(Usage::list_personal_data(db, person, before, rows)),
    },
];

/// How the service erases a user's data.
pub const ERASURE: Erasure = Erasure {
    personal: &["title", "content", "facets", "tags", "item", "alt"],
    rows: |tx, person| Box::pin(erase(tx, person)),
    // Not by the core, which knows of no files.
    confirmed_on: None,
};

/// Deletes a user's quotas, of which they have some days, and a batch of one kind of what they may have very much of; true when there may
/// be more.
async fn erase(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<bool> {
    UnconfirmedErasure::save(tx, person).await?;
    Usage::delete_by_user(tx, person).await?;
    // Posts before requests to mint them: whatever changes an NFT locks its post's record first. Blocks last: the users that they keep apart
    // do not see the posts that are still there.
    Ok(posts::signals::erase(tx, person).await?
        || media::signals::erase(tx, person).await?
        || Mint::delete_by_user(tx, person, BATCH).await?
        || blocks::models::delete_blocks(tx, person, BATCH).await?)
}
