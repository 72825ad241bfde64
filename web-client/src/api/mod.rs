//! The public REST API as its pages use it: one caller per request of a browser, and structs of the client's own that
//! read what they need and nothing else.
pub mod analyses;
mod caller;
pub mod cases;
pub mod comparisons;
pub mod domains;
pub mod evidence;
pub mod failures;
pub mod linked;
pub mod moderation;
pub mod nfts;
pub mod people;
pub mod policies;
pub mod posts;
pub mod recommendations;
pub mod reporters;
pub mod schedules;
pub mod stream;
pub mod uploads;

pub use caller::{Caller, Listed};
