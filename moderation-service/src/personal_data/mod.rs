//! What the service holds about people, and how it lets go of that.
#[cfg(test)]
mod tests;

use crate::core::doors::erasure::Erasure;
use crate::core::doors::personal_data::PersonalDataSource;
use crate::moderations::models::Moderation;

/// The stream on which it says that nothing about a person is left here.
pub const USER_ERASED: &str = "moderation_user_erased";

/// What is held about people.
pub const PERSONAL_DATA: &[PersonalDataSource] = &[PersonalDataSource {
    name: "moderations",
    list: |db, person, before, rows| Box::pin(Moderation::held(db, person, before, rows)),
}];

/// How the service lets go of that.
pub const ERASURE: Erasure = Erasure {
    personal: &["title", "content"],
    rows: |tx, person| Box::pin(Moderation::erase(tx, person)),
    confirmed_on: Some(USER_ERASED),
};
