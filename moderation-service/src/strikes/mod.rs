//! Strikes: what moderators' decisions add up to against an author, until they are old or taken back. The weight of a strike
//! is that of its reason, and the ladder says what follows from the sum.
pub mod models;
pub mod services;
