//! Publishes the events of NFTs.
use sqlx::PgTransaction;

use super::{NFT_MINTED, NFT_PINNED};
use crate::core::events::outbox::publish;
use crate::nfts::schemas::{MintedNft, PinnedNft};

/// Publishes `nft_pinned`.
pub async fn nft_pinned(tx: &mut PgTransaction<'_>, nft: &PinnedNft<'_>) -> sqlx::Result<()> {
    publish(tx, NFT_PINNED, nft).await
}

/// Publishes `nft_minted`.
pub async fn nft_minted(tx: &mut PgTransaction<'_>, nft: &MintedNft<'_>) -> sqlx::Result<()> {
    publish(tx, NFT_MINTED, nft).await
}
