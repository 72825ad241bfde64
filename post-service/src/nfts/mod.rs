//! NFTs of posts and comments: what their authors ask to be minted gets its metadata built, uploaded to a store, and pinned; where
//! a chain is set, its token is minted then (`chain`, `tokens`).
//!
//! ```text
//! READY_FOR_MINTING ─asked for─▶ UPLOADING ─▶ PINNED
//!                                  ▲  │ ├──▶ FAILED (reason)       asked for again: UPLOADING
//!                                  │  ▼ └──▶ CANCELLED (reason)    its content was withdrawn; where it is back, the same
//!                                 RETRY
//! ```
//!
//! A request is a row of `mint`, one per post or comment. The worker claims what is due by moving the time of the next try ahead,
//! so that a claim ends by itself when its worker dies; it makes its calls with no transaction open, and writes down what came of
//! them only if its claim is still the last one. The identifier of the document is stored before the upload begins. So whatever
//! is in the store is named by a row of `mint`, or by one of `unpin`, from which a second worker removes what was withdrawn.
//!
//! A comment's record is the interaction service's. It is fetched from there by the service token when it is asked for, and again
//! when it is uploaded; `nft_pinned` reports where its metadata is.
pub mod chain;
mod comments;
pub mod documents;
pub mod events;
pub mod hidden_comments;
mod lists;
pub mod models;
mod removals;
pub mod schedulers;
mod schemas;
pub mod signals;
pub mod state;
mod stores;
pub mod tokens;
mod views;
mod withdrawals;

#[cfg(test)]
pub mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// What an NFT is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum NftKind {
    Post,
    Comment,
}

/// How far the minting of an NFT is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MintStatus {
    /// It can be asked for
    ReadyForMinting,
    /// Its metadata is being uploaded
    Uploading,
    /// The last try failed, another one will come
    Retry,
    /// Its metadata is kept, and can be read at `token_uri`
    Pinned,
    /// The transaction that mints its token is signed
    TxSigned,
    /// A node of the chain has the transaction
    Submitted,
    /// The transaction is in a block
    Mined,
    /// The block is so deep that it stays
    Confirmed,
    /// It was given up; `reason` says why
    Failed,
    /// Its content was withdrawn; `reason` says how
    Cancelled,
    /// Its token exists
    Minted,
}

/// How often a user may read NFTs.
pub const READ_NFTS_LIMIT: Limit = Limit {
    name: "nft_reads",
    routes: &["GET /api/v1/nfts/{id}", "GET /api/v1/me/nfts"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// How often metadata may be read; without a token, as wallets do, per address.
pub const READ_METADATA_LIMIT: Limit = Limit {
    name: "nft_metadata",
    routes: &["GET /api/v1/nfts/metadata/{cid}"],
    rate: Rate::new(600, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a user may ask for minting. Each is an upload, and in IPFS for good.
pub const MINT_LIMIT: Limit = Limit {
    name: "mints",
    routes: &["POST /api/v1/nfts/{post_id}/mint", "POST /api/v1/nfts/comments/{comment_id}/mint"],
    rate: Rate::new(30, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of NFTs.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::list_my_nfts))
        .routes(routes!(views::read_nft))
        .routes(routes!(views::read_metadata))
        .routes(routes!(views::mint_post))
        .routes(routes!(views::mint_comment))
        .routes(routes!(tokens::views::give_voucher))
        .routes(routes!(tokens::views::mint_token))
}
