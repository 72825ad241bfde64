//! The events that NFTs publish and consume.
pub mod consumers;
mod processors;
pub mod producers;

pub const NFT_PINNED: &str = "nft_pinned";
pub const NFT_MINTED: &str = "nft_minted";

pub const COMMENT_CREATED: &str = "post_comment_created";
pub const COMMENT_DELETED: &str = "post_comment_deleted";
pub const HIDDEN_COMMENT_DELETED: &str = "hidden_comment_deleted";
