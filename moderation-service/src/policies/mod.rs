//! Policies: what follows from the scores and signals of a content, as rules that administrators change.
//!
//! A policy is a list of rules; a rule is a predicate over an analysis and an outcome. Rules are checked when they are written
//! ([`rules`]) and kept as JSON, each change as a version of its own, so that a decision can name the version that it follows from.
//! A policy in mode `SHADOW` is evaluated and counted, and leads to nothing: that is how a change is tried on live
//! traffic. `POST /policies/simulate` tries one on past contents, together with the others that are enforced.
pub mod evaluation;
pub mod models;
pub mod parsing;
pub mod rules;
pub mod schedulers;
mod schemas;
pub mod services;
mod signals;
mod views;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// Whether a policy has consequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum Mode {
    /// Its rules lead to decisions
    Enforce,
    /// Its rules are evaluated and counted, and lead to nothing
    Shadow,
    /// It is not read
    Off,
}

/// How often an administrator may read policies.
pub const READ_POLICIES_LIMIT: Limit = Limit {
    name: "read_policies",
    routes: &[
        "GET /api/v1/moderation/policies",
        "GET /api/v1/moderation/policies/{id}",
        "GET /api/v1/moderation/policies/{id}/hits",
    ],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// How often an administrator may change policies, or try them on past contents.
pub const WRITE_POLICIES_LIMIT: Limit = Limit {
    name: "write_policies",
    routes: &[
        "POST /api/v1/moderation/policies",
        "PUT /api/v1/moderation/policies/{id}",
        "POST /api/v1/moderation/policies/simulate",
    ],
    rate: Rate::new(30, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of policies.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::get_policies, views::create_policy))
        .routes(routes!(views::get_policy, views::update_policy))
        .routes(routes!(views::get_hits))
        .routes(routes!(views::simulate))
}
