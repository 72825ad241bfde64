//! Personal data: what the service exports of a user, and how it erases that.
#[cfg(test)]
mod tests;

use crate::core::doors::erasure::Erasure;
use crate::core::doors::personal_data::PersonalDataSource;
use crate::moderations::models::Moderation;
use crate::reports::models::Report;

/// The stream that confirms that a deleted user's data is erased here.
pub const USER_ERASED: &str = "moderation_user_erased";

/// The personal data that the service exports.
pub const PERSONAL_DATA: &[PersonalDataSource] = &[PersonalDataSource {
    name: "moderations",
    list: |db, person, before, rows| Box::pin(Moderation::list_personal_data(db, person, before, rows)),
}, PersonalDataSource {
    name: "reports",
    list: |db, person, before, rows| Box::pin(Report::list_personal_data(db, person, before, rows)),
}, PersonalDataSource {
    name: "reports_received",
    list: |db, person, before, rows| Box::pin(Report::list_personal_data_about(db, person, before, rows)),
}];

/// How the service erases a user's data.
pub const ERASURE: Erasure = Erasure {
    personal: &["title", "content"],
    rows: |tx, person| {
        Box::pin(async move { Ok(Moderation::erase(tx, person).await? || Report::erase(tx, person).await?) })
    },
    confirmed_on: Some(USER_ERASED),
};
