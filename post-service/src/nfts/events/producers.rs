//! Publishes the events of NFTs.
use sqlx::PgTransaction;

use super::NFT_PINNED;
use crate::core::events::outbox::publish;
use crate::nfts::schemas::PinnedNft;

/// Publishes `nft_pinned`.
pub async fn nft_pinned(tx: &mut PgTransaction<'_>, nft: &PinnedNft<'_>) -> sqlx::Result<()> {
    publish(tx, NFT_PINNED, nft).await
}
