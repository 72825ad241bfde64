//! The NFT records of comments, as the post service needs them, which mints: it fetches a comment by an internal route, and
//! publishes `nft_pinned` when the metadata of one can be read, and `nft_minted` when its token exists.
pub mod events;
mod models;
mod views;

#[cfg(test)]
mod tests;

use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

use crate::core::app::App;

/// The route, which needs the service token; a gateway does not route it.
pub fn internal() -> OpenApiRouter<App> {
    OpenApiRouter::new().route("/internal/nfts/{comment_id}", get(views::read_record))
}
