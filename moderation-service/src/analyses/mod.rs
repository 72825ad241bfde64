//! Analyses: from the text of a post or comment to a verdict, and to what follows from it.
//!
//! New versions of contents arrive by events. Before the transaction that consumes them, each text is read ([`reading`]): by the text
//! model where one is loaded ([`scoring`]), by the word lists, and for every signal that it has by itself. In the transaction
//! comes what only the database knows: near-duplicates, the author's pace, the account's age, rules about domains. Policies
//! judge all of it; the analysis is stored with what it was judged by; and [`signals`] carries out the verdict by the
//! same write path that moderators' decisions take. What a person has decided about a version, no machine decides again.
pub mod commands;
pub mod events;
pub mod models;
pub mod outcomes;
pub mod reading;
mod recent;
pub mod schedulers;
mod schemas;
pub mod scoring;
pub mod settings;
pub mod signals;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// How often a moderator may read analyses.
pub const READ_ANALYSES_LIMIT: Limit = Limit {
    name: "analyses",
    routes: &["GET /api/v1/moderation/analyses/{id}"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of analyses.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::get_analysis))
}
