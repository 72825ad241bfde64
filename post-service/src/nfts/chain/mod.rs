//! The chain on which the tokens of NFTs are: the contract, the key that signs, the node that is asked, and the ledger of nonces.
//!
//! ```text
//! PINNED ─recipient given─▶ TX_SIGNED ─▶ SUBMITTED ─▶ MINED ─▶ CONFIRMED ─▶ MINTED      the service pays
//!   │ ▲                        │   ▲ ▲      │   ▲        │          │
//!   │ └─RETRY (reason)         └─RETRY      └───┴────────┘          └──▶ FAILED (the contract has refused)
//!   │                                      reorganisation
//!   └─voucher given, redeemed by any account───────────────────────────────────▶ MINTED      another account pays
//! ```
//!
//! A transaction takes effect once, and in the order of the nonces of its account. So a nonce is given out under the lock of the
//! account's row, in the transaction that stores the signed bytes; only then they are sent, with no transaction open. What dies in
//! between sends the same bytes again, which a node takes for what they are: the same transaction. One that is not mined in time is
//! replaced at its nonce by one with a higher fee, one that no node takes by one with the gas and the fees of now, and one whose content
//! was withdrawn by one that does nothing, so that none of them stops those behind it.
//!
//! Whether a token exists, its contract alone decides. MINTED is written when its event is read, in a block that is so deep that it
//! stays, whichever transaction has brought it about. A record names its contract, and is minted and looked for there, whatever the
//! settings name by then. The contract refuses a second token of an id, and the id is made of the kind
//! and the id of the content, so there is one per content whatever else goes wrong.
pub mod commands;
pub mod contract;
pub mod fees;
pub mod ledger;
pub mod node;
mod replacing;
pub mod schedulers;
pub mod settings;
pub mod signer;
mod signing;
pub mod transactions;

#[cfg(test)]
pub mod tests;
