//! What moderation has decided about accounts, and what follows from that together with what people decide here.
//!
//! An account has the strictest of two restrictions: the last that a person set here, and the last that moderation set, unless a
//! person has decided since. It is calculated anew when moderation's changes and when one is over, so that neither lifts nor
//! shortens what the other has set, and events may come in any order. Staff are out of moderation's reach.
pub mod events;
pub mod models;
mod services;
pub mod signals;

#[cfg(test)]
mod tests;
