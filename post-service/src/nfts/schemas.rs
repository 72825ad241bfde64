//! NFTs in the API and in events.
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::{Mint, Nft};
use super::tokens::models::Minted;
use super::{MintStatus, NftKind};
use crate::core::contract::timestamp::Timestamp;

/// An NFT of a post or comment.
#[derive(Serialize, ToSchema)]
pub struct NftOut {
    /// Of the NFT record
    pub id: Uuid,
    pub created_at: Timestamp,
    /// The author
    pub created_by: Uuid,
    pub updated_at: Timestamp,
    pub kind: NftKind,
    /// Of the post or comment
    pub subject_id: Uuid,
    pub status: MintStatus,
    /// Why it waits, failed or was cancelled, when it did
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The content identifier of its metadata, from the upload on
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
    /// Where its metadata can be read, once it is pinned
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_uri: Option<String>,
    /// The contract that its token is in or is to be in, by CAIP-10
    #[schema(required = false, example = "eip155:1:0x5FbDB2315678afecb367f032d93F642f64180aa3")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// The id of its token in the contract, in hexadecimal
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_id: Option<String>,
    /// The account that its token was minted to, or is to be; until then only its author sees it
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// The transaction that has minted its token, or is to
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_hash: Option<String>,
    /// When its token was found on the chain; it stays when its content is withdrawn
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minted_at: Option<Timestamp>,
    /// ERC-1155 metadata of the post as it would be minted now; not of a comment, not in lists, and not when the metadata that is
    /// pinned is of an older version
    #[schema(value_type = Object, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
}

impl From<Nft> for NftOut {
    fn from(nft: Nft) -> Self {
        Self {
            id: nft.id,
            created_at: nft.created_at,
            created_by: nft.created_by,
            updated_at: nft.updated_at,
            kind: nft.kind,
            subject_id: nft.subject_id,
            status: nft.status,
            reason: nft.reason,
            cid: nft.cid,
            token_uri: nft.token_uri,
            contract: nft.contract,
            token_id: nft.token_id,
            recipient: nft.recipient,
            transaction_hash: nft.transaction_hash,
            minted_at: nft.minted_at,
            metadata: None,
        }
    }
}

/// An NFT whose metadata can be read, as it is published.
#[derive(Serialize)]
pub struct PinnedNft<'a> {
    pub id: Uuid,
    pub kind: NftKind,
    pub subject_id: Uuid,
    pub created_by: Uuid,
    pub status: MintStatus,
    pub cid: &'a str,
    pub token_uri: &'a str,
}

impl<'a> PinnedNft<'a> {
    /// What a request has come to.
    pub fn new(mint: &Mint, cid: &'a str, token_uri: &'a str) -> Self {
        let (kind, status) = (mint.kind, MintStatus::Pinned);
        Self { id: mint.id, kind, subject_id: mint.subject_id, created_by: mint.created_by, status, cid, token_uri }
    }
}

/// An NFT whose token exists, as it is published.
#[derive(Serialize)]
pub struct MintedNft<'a> {
    pub id: Uuid,
    pub kind: NftKind,
    pub subject_id: Uuid,
    pub created_by: Uuid,
    pub status: MintStatus,
    pub token_uri: &'a str,
    pub contract: &'a str,
    pub token_id: &'a str,
    pub transaction_hash: &'a str,
}

impl<'a> From<&'a Minted> for MintedNft<'a> {
    fn from(minted: &'a Minted) -> Self {
        Self {
            id: minted.id,
            kind: minted.kind,
            subject_id: minted.subject_id,
            created_by: minted.created_by,
            status: MintStatus::Minted,
            token_uri: &minted.token_uri,
            contract: &minted.contract,
            token_id: &minted.token_id,
            transaction_hash: &minted.transaction_hash,
        }
    }
}
