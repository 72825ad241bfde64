//! Personal data: what the service exports of a user, and how it erases that.
#[cfg(test)]
mod tests;

use sqlx::PgTransaction;
use uuid::Uuid;

use crate::appeals::models::Appeal;
use crate::core::doors::erasure::Erasure;
use crate::core::doors::personal_data::PersonalDataSource;
use crate::decisions::models::Decision;
use crate::moderations::models::Moderation;
use crate::pictures::models::Picture;
use crate::queue::bulk;
use crate::reports::models::{ReporterMute, UserReport};
use crate::schedules::models::ScheduledDecision;
use crate::scopes::models::ModeratorScope;
use crate::strikes::models::Strike;
use crate::{analyses, contents, ledger, pictures, policies, schedules, signals, subjects};

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
        name: "scheduled_decisions",
        list: |db, person, before, rows| Box::pin(ScheduledDecision::list_personal_data(db, person, before, rows)),
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
    PersonalDataSource {
        name: "moderator_scopes",
        list: |db, person, before, rows| Box::pin(ModeratorScope::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "contents",
        list: |db, person, before, rows| Box::pin(contents::models::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "analyses",
        list: |db, person, before, rows| Box::pin(analyses::models::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "pictures",
        list: |db, person, before, rows| Box::pin(Picture::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "fingerprints",
        list: |db, person, before, rows| Box::pin(signals::models::list_personal_data(db, person, before, rows)),
    },
];

/// How the service erases a user's data.
pub const ERASURE: Erasure = Erasure {
    personal: &["title", "content", "text", "facets", "tags", "item", "bio"],
    rows: |tx, person| Box::pin(erase(tx, person)),
    confirmed_on: Some(USER_ERASED),
};

/// Erases some of a user's rows; true when there may be more. Contents come first: they are locked before what follows from them.
/// The ledger's come before those of subjects and decisions, which say which entries are about the user.
async fn erase(tx: &mut PgTransaction<'static>, person: Uuid) -> sqlx::Result<bool> {
    policies::models::erase(tx, person).await?;
    ModeratorScope::erase(tx, person).await?;
    // A note about why a reporter is muted is in a moderator's words, about them.
    ReporterMute::delete(tx, person).await?;
    bulk::models::erase(tx, person).await?;
    Ok(contents::models::erase(tx, person).await?
        || pictures::models::erase(tx, person).await?
        || signals::models::erase(tx, person).await?
        || analyses::models::erase(tx, person).await?
        || UserReport::erase(tx, person).await?
        || ledger::models::erase(tx, person).await?
        || schedules::signals::moderator_left(tx, person).await?
        || ScheduledDecision::erase(tx, person).await?
        || Decision::erase(tx, person).await?
        || subjects::models::erase(tx, person).await?
        || Moderation::erase(tx, person).await?)
}
