//! Tokens of NFTs in the API.
use alloy_primitives::{Address, hex};
use serde::Serialize;
use utoipa::ToSchema;

use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;
use crate::nfts::chain::contract::{SignedVoucher, TokenContract, token_word};

/// The length of an address: 0x and 40 digits.
const ADDRESS: usize = 42;

/// The account that is to have a token.
#[derive(ToSchema)]
#[schema(examples(json!({ "recipient": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8" })))]
pub struct RecipientIn {
    /// Its address with its checksum (EIP-55), as wallets show it
    #[schema(value_type = String, min_length = 42, max_length = 42, pattern = "^0x[0-9a-fA-F]{40}$")]
    pub recipient: Address,
}

impl Input for RecipientIn {
    fn read(fields: &mut Fields) -> Self {
        let before = fields.errors.len();
        let text = fields.text("recipient", ADDRESS);
        let read = Address::parse_checksummed(&text, None).ok().filter(|address| *address != Address::ZERO);
        if read.is_none() && fields.errors.len() == before {
            fields.refuse(
                "recipient",
                "value is not an address with its checksum (EIP-55)",
                "value_error.address",
                None,
            );
        }
        Self { recipient: read.unwrap_or_default() }
    }
}

/// What the contract's `redeem` takes, in its order.
#[derive(Serialize, ToSchema)]
pub struct VoucherFields {
    /// Of the token, in hexadecimal
    #[schema(min_length = 66, max_length = 66)]
    pub id: String,
    /// The account that gets the token
    #[schema(min_length = 42, max_length = 42)]
    pub recipient: String,
    /// Where the token's metadata is
    pub uri: String,
    /// The last second at which it holds, as Unix time
    pub deadline: i64,
}

/// A voucher, with which any account has the token minted to its recipient.
#[derive(Serialize, ToSchema)]
pub struct VoucherOut {
    /// The chain, by EIP-155
    pub chain_id: u64,
    /// The address of the contract
    #[schema(min_length = 42, max_length = 42)]
    pub contract: String,
    pub voucher: VoucherFields,
    /// Of a minter of the contract, by EIP-712
    #[schema(min_length = 132, max_length = 132)]
    pub signature: String,
    /// The data of the transaction to `contract` that redeems it
    pub call_data: String,
    /// The last moment at which it holds
    pub expires_at: Timestamp,
}

impl VoucherOut {
    /// A voucher of a contract.
    pub fn new(contract: &TokenContract, signed: &SignedVoucher, expires_at: Timestamp) -> Self {
        Self {
            chain_id: contract.chain_id,
            contract: contract.address.to_string(),
            voucher: VoucherFields {
                id: token_word(signed.voucher.id),
                recipient: signed.voucher.recipient.to_string(),
                uri: signed.voucher.uri.clone(),
                deadline: expires_at.0.timestamp(),
            },
            signature: hex::encode_prefixed(signed.signature),
            call_data: hex::encode_prefixed(&signed.call),
            expires_at,
        }
    }
}
