//! Personal data: what the service exports of a user, and how it erases that.
#[cfg(test)]
mod tests;

use crate::core::doors::erasure::Erasure;
use crate::core::doors::personal_data::PersonalDataSource;
use crate::profiles::models::Profile;

/// The stream that confirms that a deleted user's data is erased here.
pub const USER_ERASED: &str = "engagement_user_erased";

/// The personal data that the service exports.
pub const PERSONAL_DATA: &[PersonalDataSource] = &[PersonalDataSource {
    name: "profiles",
    list: |db, person, before, rows| Box::pin(Profile::list_personal_data(db, person, before, rows)),
}];

/// How the service erases a user's data.
pub const ERASURE: Erasure =
    Erasure { personal: &[], rows: |tx, person| Box::pin(Profile::erase(tx, person)), confirmed_on: Some(USER_ERASED) };
