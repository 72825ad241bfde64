//! Linked accounts: people sign in by an account that they have elsewhere, and link such accounts to theirs here.
//!
//! This service is a client of OAuth 2.0 and `OpenID` Connect: authorization code with PKCE. It sends the browser to the
//! provider with a random `state`, of which it stores the hash together with the hash of a cookie of that browser, and
//! takes the code back only with both, once, within ten minutes. A person is known by the provider's issuer and subject, whatever
//! name the settings have for it, and never by an address: an address opens no account here. What the provider says about its
//! address counts for one thing, the account of a new person, and there only when the provider has verified it.
//!
//! A sign-in by a provider is as fresh as the provider says. What needs one of a moment ago, as a link does, needs it there, or the
//! password.
//!
//! The provider's tokens are stored encrypted ([`encryption`]). No browser gets them: another service of the platform asks
//! for a fresh access token by an internal route ([`broker`]).
mod addresses;
mod arrival;
mod broker;
mod browser_cookie;
mod discovery;
mod encryption;
mod grants;
mod http;
mod id_tokens;
mod identities;
pub mod models;
mod pauses;
mod provider_tokens;
pub mod providers;
pub mod schedulers;
mod schemas;
mod set_aside;
mod signals;
mod token_changes;
mod usernames;
mod views;

#[cfg(test)]
pub mod tests;

use std::sync::Arc;

use axum::Extension;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;
use crate::linked_accounts::providers::Providers;

/// How often sign-ins by a provider may begin and end from one address; each calls the provider.
pub const PROVIDER_SIGN_IN_LIMIT: Limit = Limit {
    name: "provider_sign_in",
    routes: &["POST /api/v1/auth/providers/{provider}/sign-in", "POST /api/v1/auth/providers/callback"],
    rate: Rate::new(10, 60).burst(20),
    burst_in_development: None,
    strict: true,
};

/// How often a person may look at, begin and end links.
pub const LINK_LIMIT: Limit = Limit {
    name: "linked_accounts",
    routes: &[
        "POST /api/v1/auth/providers/{provider}/link",
        "GET /api/v1/auth/linked-accounts",
        "DELETE /api/v1/auth/linked-accounts/{id}",
    ],
    rate: Rate::new(60, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of linked accounts.
pub fn router(providers: Arc<Providers>) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::list_providers))
        .routes(routes!(views::begin_sign_in))
        .routes(routes!(views::begin_link))
        .routes(routes!(views::finish))
        .routes(routes!(views::list_linked_accounts))
        .routes(routes!(views::unlink))
        .layer(Extension(providers))
}

/// The route that a gateway does not route.
pub fn internal(providers: Arc<Providers>) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .route("/internal/linked-accounts/{user_id}/{provider}/token", get(views::get_token))
        .layer(Extension(providers))
}
