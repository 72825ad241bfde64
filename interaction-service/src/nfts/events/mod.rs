//! The events of NFTs that the interaction service consumes.
pub mod consumers;
mod processors;

pub const NFT_PINNED: &str = "nft_pinned";
pub const NFT_MINTED: &str = "nft_minted";
