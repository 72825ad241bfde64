//! Consumes the events of NFTs.
use super::processors::{nft_minted, nft_pinned};
use super::{NFT_MINTED, NFT_PINNED};
use crate::core::events::Subscription;

/// The streams, and what processes their events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(NFT_PINNED, nft_pinned), Subscription::new(NFT_MINTED, nft_minted)]
}
