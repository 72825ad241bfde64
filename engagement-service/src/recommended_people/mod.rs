//! Recommended people: who a person may want to be connected to, and why.
//!
//! They are computed here and not taken from the auth service, which knows the graph alone: what people write about, react to
//! and listen to is here, the connections are copied here anyway, and 100,000 people are computed a batch at a time, without
//! a call. The list of a person is stored (`recommended_people`); what is shown of it is decided when it is read, so that a
//! block, a mute, a new connection or a ban counts at once, and each reason is true at that moment.
//!
//! A list is computed anew by a run over everyone, a batch at a time with the cursor in the database, and before that for who
//! was just active: their events put them into a queue ([`schedulers`]). The formula is in [`services`]. Those whose account
//! changed are in a queue of their own: who is banned is withdrawn from notifications that recommend them.
mod candidates;
mod connecting;
pub mod events;
pub mod models;
mod queues;
pub mod schedulers;
mod schemas;
mod services;
pub mod signals;
mod views;

#[cfg(test)]
pub mod tests;

use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// People that are kept of a person's list; where more are asked for, the newest follow.
const MOST: usize = 40;

/// The person does not exist for the caller.
const PERSON_NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "User not found");

/// How often a user may read their recommended people.
pub const READ_RECOMMENDED_PEOPLE_LIMIT: Limit = Limit {
    name: "recommended_people",
    routes: &["GET /api/v1/me/recommendations/people"],
    rate: Rate::new(120, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a user may dismiss and accept recommended people.
pub const DECIDE_RECOMMENDED_PEOPLE_LIMIT: Limit = Limit {
    name: "recommended_people_decisions",
    routes: &[
        "DELETE /api/v1/me/recommendations/people/{user_id}",
        "POST /api/v1/me/recommendations/people/{user_id}/accept",
    ],
    rate: Rate::new(60, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of recommended people.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::list_recommended_people))
        .routes(routes!(views::dismiss_recommended_person))
        .routes(routes!(views::accept_recommended_person))
}
