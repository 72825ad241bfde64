//! What stands between a browser and a page: who asks, what every answer has, and what is shown in the place of an error.
pub mod checks;
pub mod errors;
pub mod layers;
pub mod refusals;
pub mod sign_in;
pub mod tags;
pub mod typed;
pub mod visitors;
