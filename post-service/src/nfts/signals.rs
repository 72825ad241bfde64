//! What follows from a change of an NFT, or of what it is of, in the same transaction.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::NftKind;
use super::events::producers;
use super::models::Mint;
use super::schemas::{MintedNft, PinnedNft};
use super::tokens::models::Minted;

/// How a content was withdrawn, in the words of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    Deleted,
    /// By its author, who may publish it again.
    Archived,
    /// By moderation.
    Hidden,
}

impl Withdrawal {
    fn reason(self) -> &'static str {
        match self {
            Self::Deleted => "its content was deleted",
            Self::Archived => "its content was archived",
            Self::Hidden => "its content was hidden by moderation",
        }
    }
}

/// Contents were withdrawn: their minting is cancelled, and what was uploaded of it is removed.
pub async fn withdrawn(
    tx: &mut PgTransaction<'_>,
    kind: NftKind,
    subjects: &[Uuid],
    how: Withdrawal,
) -> sqlx::Result<()> {
    let cancelled = Mint::cancel(tx, kind, subjects, how.reason()).await?;
    metrics::counter!("nft_mints_total", "outcome" => "cancelled").increment(cancelled as u64);
    Ok(())
}

/// The metadata of an NFT can be read.
pub async fn pinned(tx: &mut PgTransaction<'_>, nft: &PinnedNft<'_>) -> sqlx::Result<()> {
    producers::nft_pinned(tx, nft).await
}

/// The token of an NFT exists.
pub async fn minted(tx: &mut PgTransaction<'_>, nft: &Minted) -> sqlx::Result<()> {
    metrics::counter!("nft_mints_total", "outcome" => "minted").increment(1);
    producers::nft_minted(tx, &MintedNft::from(nft)).await
}
