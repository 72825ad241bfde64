//! Personal data: what the service exports of a user, and how it erases that.
#[cfg(test)]
mod tests;

use crate::core::doors::erasure::Erasure;
use crate::core::doors::personal_data::PersonalDataSource;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::appeals::models::Appeal;
use crate::decisions::models::Decision;
use crate::moderations::models::Moderation;
use crate::reports::models::{ReporterMute, UserReport};
use crate::strikes::models::Strike;
use crate::{ledger, subjects};

/// The stream that confirms that a deleted user's data is erased here.
pub const USER_ERASED: &str = "moderation_user_erased";

/// The personal data that the service exports.
pub const PERSONAL_DATA: &[PersonalDataSource] = &[
    PersonalDataSource {
        name: "moderations",
        list: |db, person, before, rows| Box::pin(Moderation::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "decisions",
        list: |db, person, before, rows| Box::pin(Decision::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "appeals",
        list: |db, person, before, rows| Box::pin(Appeal::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "strikes",
        list: |db, person, before, rows| Box::pin(Strike::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "reports",
        list: |db, person, before, rows| Box::pin(UserReport::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "reports_received",
        list: |db, person, before, rows| Box::pin(UserReport::list_personal_data_about(db, person, before, rows)),
    },
];

/// How the service erases a user's data.
pub const ERASURE: Erasure = Erasure {
    personal: &["title", "content", "text"],
    rows: |tx, person| Box::pin(erase(tx, person)),
    confirmed_on: Some(USER_ERASED),
};

/// Erases some of a person's rows, the ledger's first, because the rows of their subjects say which entries are about them; true
/// when there may be more.
async fn erase(tx: &mut PgTransaction<'static>, person: Uuid) -> sqlx::Result<bool> {
    // A note about why a reporter is muted is in a moderator's words, about them.
    ReporterMute::delete(tx, person).await?;
    Ok(UserReport::erase(tx, person).await?
        || ledger::models::erase(tx, person).await?
        || Decision::erase(tx, person).await?
        || subjects::models::erase(tx, person).await?
        || Moderation::erase(tx, person).await?)
}
