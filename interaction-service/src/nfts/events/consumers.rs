//! Consumes the events of NFTs.
use super::NFT_PINNED;
use super::processors::nft_pinned;
use crate::core::events::Subscription;

/// The streams, and what processes their events.
pub fn subscriptions() -> Vec<Subscription> {
    vec![Subscription::new(NFT_PINNED, nft_pinned)]
}
