//! NFTs of posts, as pages show them.
use serde::Deserialize;
use uuid::Uuid;

use super::Caller;
use super::failures::Failure;

/// The record of a post's NFT.
#[derive(Clone, Debug, Deserialize)]
pub struct Nft {
    pub id: Uuid,
    pub subject_id: Uuid,
    pub status: String,
    pub reason: Option<String>,
    pub token_uri: Option<String>,
    pub contract: Option<String>,
    pub token_id: Option<String>,
    pub recipient: Option<String>,
    pub transaction_hash: Option<String>,
}

impl Nft {
    /// Whether its minting was never asked for, or has to be asked for again.
    pub fn can_be_asked_for(&self) -> bool {
        matches!(self.status.as_str(), "READY_FOR_MINTING" | "FAILED" | "CANCELLED")
    }

    /// Whether its token can still be given a recipient.
    pub fn waits_for_recipient(&self) -> bool {
        !self.can_be_asked_for() && self.status != "MINTED" && self.recipient.is_none()
    }

    /// Where its metadata can be read; only an address of the web is a link.
    pub fn metadata_link(&self) -> Option<&str> {
        self.token_uri.as_deref().filter(|uri| uri.starts_with("https://") || uri.starts_with("http://"))
    }
}

impl Caller {
    /// The caller's record of a post of theirs; none for a moment after it was published.
    pub async fn nft_of(&self, post: Uuid) -> Result<Option<Nft>, Failure> {
        let found: Vec<Nft> = self.get(&["me", "nfts"], &[("subject_id", &post.to_string())]).await?;
        Ok(found.into_iter().find(|nft| nft.subject_id == post))
    }
}
