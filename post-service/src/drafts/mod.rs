//! Drafts, and those that publish themselves.
//!
//! A draft with `publish_at` is published at that second, as if its author had sent `PUT` with `POSTED`: with the same check by
//! moderation, the same event and the same index. Each replica looks for what is due, checks it outside of any transaction, and
//! publishes it by an update of the version that was checked; of two replicas only one changes that version. Nothing is kept in
//! memory, so what was due while the service was down is published when it is back.
//!
//! What is not published stays a draft, without a time, and says why (`publish_refused`): moderation would hide it, or its author
//! is muted or banned at that moment, which the auth service's hash of them says. The drafts of a deleted account go with it.
mod models;
pub mod schedulers;
mod signals;
mod views;

#[cfg(test)]
mod tests;

use axum::middleware::from_fn;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;
use crate::posts::conditional::revalidate;

/// How often a user may list their drafts.
pub const LIST_DRAFTS_LIMIT: Limit = Limit {
    name: "draft_lists",
    routes: &["GET /api/v1/me/drafts"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// Why a draft is not published when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum Refusal {
    /// Moderation would hide it.
    Content,
    /// Its author is muted or banned.
    Author,
}

/// The route of drafts.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::list_drafts)).layer(from_fn(revalidate))
}
