//! Tokens of NFTs as their authors ask for them: to which account one goes, and the voucher with which it is minted.
//!
//! A voucher fixes the recipient until it ends. Then another one can be given, also for another recipient; the contract mints one
//! token of an id, so of two vouchers the one that is redeemed first counts.
pub mod models;
mod schemas;
pub mod views;

#[cfg(test)]
mod tests;

use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// How long a voucher holds, in seconds: long enough to fetch a wallet and to wait for lower fees; not longer, since it cannot be
/// taken back when its content is withdrawn.
pub const VOUCHER_SECONDS: f64 = 7.0 * 24.0 * 3600.0;

/// How often a user may name the recipient of a token.
pub const TOKEN_LIMIT: Limit = Limit {
    name: "nft_tokens",
    routes: &["POST /api/v1/nfts/{id}/voucher", "POST /api/v1/nfts/{id}/token"],
    rate: Rate::new(30, 60),
    burst_in_development: None,
    strict: false,
};
