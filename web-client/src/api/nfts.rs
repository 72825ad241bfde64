//! NFTs of posts and comments, as pages show them.
use axum::http::Method;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Caller;
use super::failures::Failure;

/// What an NFT is of.
#[derive(Clone, Copy, Debug)]
pub enum Minted {
    Post(Uuid),
    Comment(Uuid),
}

/// The record of an NFT.
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

/// With it any account has the token minted to its recipient.
#[derive(Clone, Debug, Deserialize)]
pub struct Voucher {
    pub chain_id: u64,
    pub contract: String,
    #[serde(rename = "voucher")]
    pub signed: VoucherFields,
    pub signature: String,
    /// The data of the transaction to the contract that redeems it.
    pub call_data: String,
    /// The last moment at which it holds.
    pub expires_at: DateTime<Utc>,
}

/// What is signed in a voucher.
#[derive(Clone, Debug, Deserialize)]
pub struct VoucherFields {
    pub id: String,
    pub recipient: String,
    pub uri: String,
}

impl Minted {
    pub fn id(self) -> Uuid {
        match self {
            Self::Post(id) | Self::Comment(id) => id,
        }
    }

    /// The page of the content.
    pub fn link(self) -> String {
        match self {
            Self::Post(id) => format!("/posts/{id}"),
            Self::Comment(id) => format!("/comments/{id}"),
        }
    }
}

impl Nft {
    /// Whether its minting was never asked for, or has to be asked for again.
    pub fn can_be_asked_for(&self) -> bool {
        matches!(self.status.as_str(), "READY_FOR_MINTING" | "FAILED" | "CANCELLED")
    }

    /// Whether its token can still be given a recipient, or another one: until a transaction is signed.
    pub fn takes_recipient(&self) -> bool {
        matches!(self.status.as_str(), "UPLOADING" | "RETRY" | "PINNED")
    }

    /// Where its metadata can be read; only an address of the web is a link.
    pub fn metadata_link(&self) -> Option<&str> {
        self.token_uri.as_deref().filter(|uri| uri.starts_with("https://") || uri.starts_with("http://"))
    }
}

impl Caller {
    /// The caller's record of a post or comment of theirs; none for a moment after a post was published, and until the NFT of a comment is
    /// asked for.
    pub async fn nft_of(&self, content: Minted) -> Result<Option<Nft>, Failure> {
        let id = content.id();
        let found: Vec<Nft> = self.get(&["me", "nfts"], &[("subject_id", &id.to_string())]).await?;
        Ok(found.into_iter().find(|nft| nft.subject_id == id))
    }

    /// Asks for an NFT. The answer is the same however often it is asked for.
    pub async fn ask_for_nft(&self, content: Minted) -> Result<(), Failure> {
        let id = content.id().to_string();
        match content {
            Minted::Post(_) => self.act(Method::POST, &["nfts", &id, "mint"], &[]).await,
            Minted::Comment(_) => self.act(Method::POST, &["nfts", "comments", &id, "mint"], &[]).await,
        }
    }

    /// Has the token minted to a recipient, at the expense of the platform.
    pub async fn mint_token(&self, nft: &Nft, recipient: &str) -> Result<(), Failure> {
        let path = ["nfts", &nft.id.to_string(), "token"];
        self.send::<Value>(Method::POST, &path, &json!({ "recipient": recipient })).await.map(drop)
    }

    /// The voucher for a recipient: the same one until it ends.
    pub async fn voucher(&self, nft: &Nft, recipient: &str) -> Result<Voucher, Failure> {
        let path = ["nfts", &nft.id.to_string(), "voucher"];
        self.send(Method::POST, &path, &json!({ "recipient": recipient })).await
    }
}
