//! The contract of tokens, as it is called: `post-service/contracts/RecordTokens.sol`.
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::{Eip712Domain, SolCall, SolError, SolEvent, SolStruct, SolValue, eip712_domain, sol};
use anyhow::Context;
use serde::Deserialize;
use uuid::Uuid;

use super::node::EventLog;
use super::signer::ChainSigner;
use crate::nfts::NftKind;

/// What the compiler has made of the contract.
const ARTEFACT: &str = include_str!("../../../contracts/RecordTokens.json");

sol! {
    /// What the recipient of a token shows to the contract.
    #[derive(Debug, PartialEq, Eq)]
    struct Voucher {
        uint256 id;
        address recipient;
        string uri;
        uint256 deadline;
    }

    function mint(address to, uint256 id, string uri_) external;
    function redeem(Voucher voucher, bytes signature) external;

    event TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value);

    error NotMinter(address account);
    error AlreadyMinted(uint256 id);
    error UnsafeRecipient(address to);
}

/// The part of the artefact that is deployed.
#[derive(Deserialize)]
struct Artefact {
    bytecode: Bytes,
}

/// A contract on a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenContract {
    pub chain_id: u64,
    pub address: Address,
}

/// A call of a contract, as a transaction carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractCall {
    pub contract: Address,
    pub data: Vec<u8>,
}

/// A token that the contract has reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintedToken {
    pub id: U256,
    pub recipient: Address,
    pub transaction: B256,
}

/// A voucher and what it takes to redeem it.
#[derive(Clone, Debug)]
pub struct SignedVoucher {
    pub voucher: Voucher,
    pub signature: [u8; 65],
    /// The data of the transaction that redeems it.
    pub call: Vec<u8>,
}

/// An account on a chain, as CAIP-10 writes it.
pub fn account_name(chain_id: u64, address: Address) -> String {
    format!("eip155:{chain_id}:{address}")
}

/// The id of the token of a post or comment.
pub fn token_id(kind: NftKind, subject: Uuid) -> U256 {
    let kind = match kind {
        NftKind::Post => "POST",
        NftKind::Comment => "COMMENT",
    };
    keccak256(format!("{kind}:{subject}")).into()
}

/// What the names of all accounts of a chain begin with.
pub fn chain_prefix(chain_id: u64) -> String {
    format!("eip155:{chain_id}:")
}

/// A token id as it is written in the database and in the API.
pub fn token_word(id: U256) -> String {
    B256::from(id).to_string()
}

/// What a transaction carries that deploys the contract with this minter.
pub fn deployment(minter: Address) -> anyhow::Result<Vec<u8>> {
    let artefact: Artefact = serde_json::from_str(ARTEFACT)?;
    Ok([artefact.bytecode.to_vec(), minter.abi_encode()].concat())
}

impl TokenContract {
    /// Its name in the database and in the API.
    pub fn name(&self) -> String {
        account_name(self.chain_id, self.address)
    }

    /// The contract of that name; none where it is no name of one.
    pub fn parse(name: &str) -> Option<Self> {
        let (chain_id, address) = name.strip_prefix("eip155:")?.split_once(':')?;
        Some(Self { chain_id: chain_id.parse().ok()?, address: Address::parse_checksummed(address, None).ok()? })
    }

    /// The call that mints a token.
    pub fn mint_call(&self, recipient: Address, id: U256, uri: &str) -> ContractCall {
        let data = mintCall { to: recipient, id, uri_: uri.to_owned() }.abi_encode();
        ContractCall { contract: self.address, data }
    }

    /// The call that mints a token, from what is stored of it.
    pub fn stored_call(contract: &str, recipient: &str, token: &str, uri: &str) -> anyhow::Result<ContractCall> {
        let contract = Self::parse(contract).with_context(|| format!("{contract} is no name of a contract"))?;
        Ok(contract.mint_call(recipient.parse()?, token.parse()?, uri))
    }

    fn domain(&self) -> Eip712Domain {
        eip712_domain! {
            name: "RecordTokens",
            version: "1",
            chain_id: self.chain_id,
            verifying_contract: self.address,
        }
    }

    /// Signs a voucher. The same voucher has the same signature, so none has to be stored.
    pub fn voucher(
        &self,
        signer: &ChainSigner,
        id: U256,
        recipient: Address,
        uri: &str,
        deadline: u64,
    ) -> anyhow::Result<SignedVoucher> {
        let voucher = Voucher { id, recipient, uri: uri.to_owned(), deadline: U256::from(deadline) };
        let signature = signer.sign_hash(voucher.eip712_signing_hash(&self.domain()))?.as_bytes();
        let call = redeemCall { voucher: voucher.clone(), signature: signature.to_vec().into() }.abi_encode();
        Ok(SignedVoucher { voucher, signature, call })
    }

    /// The topics of the events in which a token comes into being.
    pub fn minting_topics() -> [Option<B256>; 3] {
        [Some(TransferSingle::SIGNATURE_HASH), None, Some(B256::ZERO)]
    }

    /// The token that such an event reports.
    pub fn read_minted(log: &EventLog) -> anyhow::Result<MintedToken> {
        let event = TransferSingle::decode_raw_log(log.topics.iter().copied(), &log.data)?;
        Ok(MintedToken { id: event.id, recipient: event.to, transaction: log.transaction_hash })
    }
}

/// Why the contract refuses a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContractRefusal {
    AlreadyMinted,
    UnsafeRecipient,
    NotMinter,
    Other,
}

impl ContractRefusal {
    /// What the data of a failed call mean.
    pub fn read(data: &[u8]) -> Self {
        match data.get(..4) {
            Some(selector) if selector == AlreadyMinted::SELECTOR => Self::AlreadyMinted,
            Some(selector) if selector == UnsafeRecipient::SELECTOR => Self::UnsafeRecipient,
            Some(selector) if selector == NotMinter::SELECTOR => Self::NotMinter,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use sha2::{Digest, Sha256};

    use super::*;

    const SOURCE: &[u8] = include_bytes!("../../../contracts/RecordTokens.sol");
    const README: &str = include_str!("../../../contracts/README.md");

    fn sha256(bytes: &[u8]) -> String {
        alloy_primitives::hex::encode(Sha256::digest(bytes))
    }

    /// What is deployed is what the source, the page and the artefact say that it is.
    #[test]
    fn the_bytecode_is_the_one_that_the_page_names() {
        let artefact: Value = serde_json::from_str(ARTEFACT).unwrap();
        let bytecode: Bytes = serde_json::from_value(artefact["bytecode"].clone()).unwrap();
        let hash = artefact["bytecode_sha256"].as_str().unwrap();
        assert_eq!(sha256(&bytecode), hash);
        assert_eq!(artefact["source_sha256"], sha256(SOURCE));
        for named in [hash, artefact["compiler"].as_str().unwrap()] {
            assert!(README.contains(named), "README.md does not name {named}");
        }
        assert!(deployment(Address::repeat_byte(7)).unwrap().ends_with(&[7; 20]));
    }

    /// What is called here is what the artefact's ABI has, with the names of its errors and events.
    #[test]
    fn the_calls_are_those_of_the_abi() {
        let artefact: Value = serde_json::from_str(ARTEFACT).unwrap();
        let types = |inputs: &Value| -> Vec<String> {
            let one = |input: &Value| match input["type"].as_str().unwrap() {
                "tuple" => "(uint256,address,string,uint256)".to_owned(),
                other => other.to_owned(),
            };
            inputs.as_array().unwrap().iter().map(one).collect()
        };
        let items = artefact["abi"].as_array().unwrap().iter().filter(|item| item["name"].is_string());
        let known: Vec<_> = items
            .map(|item| format!("{}({})", item["name"].as_str().unwrap(), types(&item["inputs"]).join(",")))
            .collect();
        let used = [
            mintCall::SIGNATURE,
            redeemCall::SIGNATURE,
            TransferSingle::SIGNATURE,
            AlreadyMinted::SIGNATURE,
            UnsafeRecipient::SIGNATURE,
            NotMinter::SIGNATURE,
        ];
        for signature in used {
            assert!(known.iter().any(|one| one == signature), "{signature} is not in the ABI");
        }
    }

    /// A record has the contract by its name, and is minted there whatever the settings name by then.
    #[test]
    fn a_contract_is_read_from_its_name() {
        let contract = TokenContract { chain_id: 31337, address: Address::repeat_byte(0xab) };
        assert_eq!(TokenContract::parse(&contract.name()), Some(contract.clone()));
        assert!(contract.name().starts_with(&chain_prefix(31337)));
        let address = contract.address.to_string();
        for wrong in
            ["", "eip155:1", &address, &format!("eip155:x:{address}"), &format!("eip155:1:{}", address.to_lowercase())]
        {
            assert_eq!(TokenContract::parse(wrong), None, "{wrong}");
        }
    }

    /// A post and a comment with one id are two tokens, and each is always the same one.
    #[test]
    fn a_token_id_is_that_of_kind_and_id() {
        let id = Uuid::from_u128(1);
        let expected = keccak256("POST:00000000-0000-0000-0000-000000000001");
        assert_eq!(token_word(token_id(NftKind::Post, id)), expected.to_string());
        assert_ne!(token_id(NftKind::Post, id), token_id(NftKind::Comment, id));
    }
}
