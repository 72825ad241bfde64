//! Follows the ledger: what it says became of a subject closes the reports about it, and says how long it had waited.
//!
//! Reports are closed here and not where decisions are made, because a subject may have thousands of reporters, each of whom gets
//! a notice, and a decision holds the lock of the ledger. The ledger is dense and in the order of commits, so the number of an
//! entry is all that has to be kept.
mod models;
pub mod schedulers;
mod signals;
