//! Unsubscribing from mails by a link in them, without a sign-in: the page behind the link, and one-click by RFC 8058.
//!
//! Programs that scan mails open every link, so opening this one changes nothing: its page has a button. The button, and the
//! mail program that has one of its own, send a POST to the same address, which ends the mails. The link carries its right with
//! it: the user and which mails, under a keyed hash, and no end, since a mail may be opened years later.
mod pages;
pub mod services;
mod signals;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;
use crate::notifications::Type;

/// How often one address may open or use such links. A mail provider sends the clicks of all of its users from a few.
pub const UNSUBSCRIBE_LIMIT: Limit = Limit {
    name: "unsubscribe",
    routes: &["GET /api/v1/notifications/unsubscribe", "POST /api/v1/notifications/unsubscribe"],
    rate: Rate::new(600, 60),
    burst_in_development: None,
    strict: false,
};

/// Which mails a link ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All that are about notifications.
    All,
    /// The digest.
    Digest,
    /// Those about people and posts that are recommended.
    Recommendations,
    /// Those about one type.
    Type(Type),
}

/// The routes of unsubscribing.
pub fn router() -> OpenApiRouter<services::LinkState> {
    OpenApiRouter::new().routes(routes!(views::retrieve_unsubscribe_page, views::unsubscribe))
}
