//! What follows from a change of an NFT, or of what it is of, in the same transaction.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::NftKind;
use super::events::producers;
use super::models::Mint;
use super::schemas::{MintedNft, PinnedNft};
use super::tokens::models::Minted;
use super::withdrawals::models::CommentVersion;

/// How a content was withdrawn, in the words of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// For good.
    Deleted,
    /// By its author, who may publish it again.
    Archived,
    /// By moderation, which may restore it.
    Hidden,
    /// It is not found any more. The event that says how it went comes.
    Missing,
}

impl Withdrawal {
    fn reason(self) -> &'static str {
        match self {
            Self::Deleted => "its content was deleted",
            Self::Archived => "its content was archived",
            Self::Hidden => "its content was hidden by moderation",
            Self::Missing => "its content is not there any more",
        }
    }
}

/// Contents were withdrawn: their minting is cancelled, and what was uploaded of those that are gone for good is removed.
pub async fn withdrawn(
    tx: &mut PgTransaction<'_>,
    kind: NftKind,
    subjects: &[Uuid],
    how: Withdrawal,
) -> sqlx::Result<()> {
    let cancelled = if how == Withdrawal::Deleted {
        Mint::cancel_for_good(tx, kind, subjects, how.reason()).await?
    } else {
        Mint::cancel(tx, kind, subjects, how.reason()).await?
    };
    metrics::counter!("nft_mints_total", "outcome" => "cancelled").increment(cancelled as u64);
    Ok(())
}

/// Comments were hidden or restored: who may see their NFTs follows.
pub async fn comments_changed(tx: &mut PgTransaction<'_>, versions: &[CommentVersion]) -> sqlx::Result<()> {
    if versions.is_empty() { Ok(()) } else { Mint::save_comment_versions(tx, versions).await }
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
