//! Personal data: what the service exports of a user, and how it erases that.
#[cfg(test)]
mod tests;

use sqlx::PgTransaction;
use uuid::Uuid;

use crate::bookmarks::models::Bookmark;
use crate::connections::models::Connection;
use crate::core::doors::erasure::Erasure;
use crate::core::doors::personal_data::PersonalDataSource;
use crate::post_views::models::PostView;
use crate::quotas::models::Usage;
use crate::removals::PAGE;
use crate::{blocks, comment_reactions, comments, reactions};

/// The stream that confirms that a deleted user's data is erased here.
pub const USER_ERASED: &str = "interaction_user_erased";

/// The personal data that the service exports.
pub const PERSONAL_DATA: &[PersonalDataSource] = &[
    PersonalDataSource {
        name: "comments",
        list: |db, person, before, rows| {
            Box::pin(comments::models::Comment::list_personal_data(db, person, before, rows))
        },
    },
    PersonalDataSource {
        name: "nft_records",
        list: |db, person, before, rows| Box::pin(comments::models::list_personal_nfts(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "reactions",
        list: |db, person, before, rows| {
            Box::pin(reactions::models::Reaction::list_personal_data(db, person, before, rows))
        },
    },
    PersonalDataSource {
        name: "comment_reactions",
        list: |db, person, before, rows| {
            Box::pin(comment_reactions::models::CommentReaction::list_personal_data(db, person, before, rows))
        },
    },
    PersonalDataSource {
        name: "bookmarks",
        list: |db, person, before, rows| Box::pin(Bookmark::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "views",
        list: |db, person, before, rows| Box::pin(PostView::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "quotas",
        list: |db, person, before, rows| Box::pin(Usage::list_personal_data(db, person, before, rows)),
    },
];

/// How the service erases a user's data.
pub const ERASURE: Erasure = Erasure {
    personal: &["title", "content", "facets", "tags"],
    rows: |tx, person| Box::pin(erase(tx, person)),
    confirmed_on: Some(USER_ERASED),
};

/// Deletes a user's quotas, and a page of one kind of what they may have very much of; true when there may be more.
async fn erase(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<bool> {
    Usage::delete_by_user(tx, person).await?;
    // Blocks last: the users that they keep apart do not see what is still there.
    Ok(comments::signals::erase(tx, person).await?
        || reactions::signals::erase(tx, person).await?
        || comment_reactions::signals::erase(tx, person).await?
        || Bookmark::delete_by_user(tx, person, PAGE).await?
        || Connection::delete_by_user(tx, person, PAGE).await?
        || PostView::delete_by_viewer(tx, person, PAGE).await?
        || blocks::models::delete_blocks(tx, person, PAGE).await?)
}
