//! The contract by itself, as wallets and marketplaces call it.
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall, sol};
use serde_json::json;

use super::{PAYER, STRANGER, TestChain, WALLET, data, transact};
use crate::nfts::chain::contract::{TokenContract, mintCall};
use crate::nfts::chain::node::NodeFailure;
use crate::nfts::chain::signer::ChainSigner;

sol! {
    function supportsInterface(bytes4 interfaceId) external view returns (bool);
    function uri(uint256 id) external view returns (string memory);
    function balanceOf(address account, uint256 id) external view returns (uint256);
    function balanceOfBatch(address[] accounts, uint256[] ids) external view returns (uint256[] memory);
    function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes data) external;
    function safeBatchTransferFrom(address from, address to, uint256[] ids, uint256[] values, bytes data) external;
    function setApprovalForAll(address operator, bool approved) external;
    function setMinter(address minter, bool allowed) external;
    function transferOwnership(address to) external;
    function acceptOwnership() external;
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// What the contract answers to a call that changes nothing.
async fn view<C: SolCall>(chain: &TestChain, call: C) -> Result<C::Return, NodeFailure> {
    let params = json!([{ "to": chain.contract, "data": data(&call.abi_encode()) }, "latest"]);
    let answer: Bytes = chain.node.call("eth_call", params).await?;
    Ok(C::abi_decode_returns(&answer).unwrap())
}

async fn send<C: SolCall>(chain: &TestChain, from: &str, call: C) -> bool {
    transact(chain, from, &data(&call.abi_encode())).await
}

/// The interfaces that it claims, its metadata, and transfers: of the one token, by its holder or an approved account, to what
/// accepts tokens.
#[tokio::test]
async fn it_is_an_erc_1155_contract() {
    let Some(chain) = TestChain::start().await else { return };
    for (interface, expected) in
        [(0x01ff_c9a7, true), (0xd9b6_7a26, true), (0x0e89_341c, true), (0xffff_ffff_u32, false)]
    {
        let claimed =
            view(&chain, supportsInterfaceCall { interfaceId: interface.to_be_bytes().into() }).await.unwrap();
        assert_eq!(claimed, expected, "{interface:x}");
    }
    let id = U256::from(7);
    assert!(view(&chain, uriCall { id }).await.is_err(), "there is no such token yet");
    assert!(!send(&chain, STRANGER, mintCall { to: address(WALLET), id, uri_: "ipfs://a".into() }).await, "no minter");
    assert!(send(&chain, PAYER, mintCall { to: address(WALLET), id, uri_: "ipfs://a".into() }).await);
    assert!(
        !send(&chain, PAYER, mintCall { to: address(STRANGER), id, uri_: "ipfs://b".into() }).await,
        "a second time"
    );
    assert_eq!(view(&chain, uriCall { id }).await.unwrap(), "ipfs://a");
    let accounts = vec![address(WALLET), address(STRANGER)];
    let both = balanceOfBatchCall { accounts, ids: vec![id, id] };
    assert_eq!(view(&chain, both).await.unwrap(), [U256::ONE, U256::ZERO]);

    let transfer = |to: Address, value: u64| safeTransferFromCall {
        from: address(WALLET),
        to,
        id,
        value: U256::from(value),
        data: Bytes::new(),
    };
    assert!(!send(&chain, STRANGER, transfer(address(STRANGER), 1)).await, "not its holder");
    assert!(!send(&chain, WALLET, transfer(chain.contract, 1)).await, "a contract that accepts no tokens");
    assert!(!send(&chain, WALLET, transfer(address(STRANGER), 2)).await, "there is one");
    assert!(!send(&chain, WALLET, transfer(Address::ZERO, 1)).await, "tokens are not destroyed");
    assert!(send(&chain, WALLET, setApprovalForAllCall { operator: address(STRANGER), approved: true }).await);
    let batch = safeBatchTransferFromCall {
        from: address(WALLET),
        to: address(STRANGER),
        ids: vec![id],
        values: vec![U256::ONE],
        data: Bytes::new(),
    };
    assert!(send(&chain, STRANGER, batch).await);
    assert_eq!(view(&chain, balanceOfCall { account: address(STRANGER), id }).await.unwrap(), U256::ONE);
}

/// A voucher holds for what it says, until it ends, and only of a minter; the owner says which accounts those are.
#[tokio::test]
async fn a_voucher_that_was_changed_forged_or_has_ended_is_refused() {
    let Some(chain) = TestChain::start().await else { return };
    let contract = TokenContract { chain_id: 31337, address: chain.contract };
    let signer =
        ChainSigner::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/nft-metadata.key").as_ref()).unwrap();
    let far = u64::from(u32::MAX);
    let redemption = |contract: &TokenContract, id: u64, deadline: u64| {
        let id = U256::from(id);
        data(&contract.voucher(&signer, id, address(WALLET), "ipfs://a", deadline).unwrap().call)
    };
    assert!(!transact(&chain, STRANGER, &redemption(&contract, 1, 1)).await, "it has ended");
    let changed = redemption(&contract, 1, far).replace(&WALLET[2..].to_lowercase(), &STRANGER[2..].to_lowercase());
    assert!(!transact(&chain, STRANGER, &changed).await, "another recipient");
    for other in [
        TokenContract { chain_id: 1, ..contract.clone() },
        TokenContract { address: Address::repeat_byte(1), ..contract.clone() },
    ] {
        assert!(!transact(&chain, STRANGER, &redemption(&other, 1, far)).await, "of another contract or chain");
    }
    assert!(transact(&chain, STRANGER, &redemption(&contract, 1, far)).await);
    let mint = mintCall { to: address(STRANGER), id: U256::ONE, uri_: String::new() };
    assert!(!send(&chain, PAYER, mint).await, "the other way is closed");

    assert!(!send(&chain, STRANGER, setMinterCall { minter: address(STRANGER), allowed: true }).await);
    assert!(send(&chain, PAYER, setMinterCall { minter: address(PAYER), allowed: false }).await);
    assert!(
        !transact(&chain, STRANGER, &redemption(&contract, 2, far)).await,
        "of an account that is no minter any more"
    );
    assert!(send(&chain, PAYER, transferOwnershipCall { to: address(WALLET) }).await);
    assert!(!send(&chain, STRANGER, acceptOwnershipCall {}).await);
    assert!(send(&chain, WALLET, acceptOwnershipCall {}).await);
    assert!(!send(&chain, PAYER, setMinterCall { minter: address(PAYER), allowed: true }).await);
    assert!(send(&chain, WALLET, setMinterCall { minter: address(PAYER), allowed: true }).await);
    assert!(transact(&chain, STRANGER, &redemption(&contract, 2, far)).await);
}
