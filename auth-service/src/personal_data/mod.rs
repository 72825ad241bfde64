//! Personal data of the whole platform: exported on request, erased when the account is deleted.
//!
//! `user_deleted` reaches all services, each of which erases what it holds and confirms it with an event. The confirmations
//! are stored here, so that an operator can see that an erasure is complete, or what it waits for.
pub mod events;
mod models;
pub mod schedulers;
mod services;
mod views;

#[cfg(test)]
mod tests;

use std::future::ready;

use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::core::app::limits::Limit;
use crate::core::doors::erasure::Erasure;
use crate::core::doors::personal_data::PersonalDataSource;
use crate::core::ground::settings::Rate;

/// How often a user may export their data.
pub const EXPORT_LIMIT: Limit = Limit {
    name: "exports",
    routes: &["GET /api/v1/users/me/export"],
    rate: Rate::new(3, 3600),
    burst_in_development: None,
    strict: false,
};

/// What is held about people.
pub const PERSONAL_DATA: &[PersonalDataSource] = &[
    PersonalDataSource {
        name: "accounts",
        list: |db, person, before, rows| Box::pin(models::accounts(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "account_changes",
        list: |db, person, before, rows| Box::pin(models::account_changes(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "connections",
        list: |db, person, before, rows| Box::pin(models::connections(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "followers",
        list: |db, person, before, rows| Box::pin(models::followers(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "blocks",
        list: |db, person, before, rows| Box::pin(models::blocks(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "dismissed_suggestions",
        list: |db, person, before, rows| Box::pin(models::dismissed_suggestions(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "sessions",
        list: |db, person, before, rows| Box::pin(models::sessions(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "places",
        list: |db, person, before, rows| Box::pin(models::places(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "linked_accounts",
        list: |db, person, before, rows| Box::pin(models::linked_accounts(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "mails",
        list: |db, person, before, rows| Box::pin(models::mails(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "decisions",
        list: |db, person, before, rows| Box::pin(models::decisions(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "standings",
        list: |db, person, before, rows| Box::pin(models::standings(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "audit",
        list: |db, person, before, rows| Box::pin(models::audit(db, person, before, rows)),
    },
];

/// How it is let go of: the rows went with the account, and what others confirm is what counts.
pub const ERASURE: Erasure = Erasure {
    personal: &[
        "email",
        "first_name",
        "last_name",
        "username",
        "bio",
        "location",
        "birth_date",
        "age",
        "avatar_url",
        "banner_url",
        "interests",
    ],
    rows: |_, _| Box::pin(ready(Ok(false))),
    confirmed_on: None,
};

/// The routes of people's data.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::export_user))
}

/// The routes that a gateway does not route.
pub fn internal() -> OpenApiRouter<App> {
    OpenApiRouter::new().route("/internal/erasures/{person}", get(views::get_erasure))
}
