//! What stands between a browser and a page: who asks, what every answer has, and what is shown in the place of an error.
pub mod checks;
pub mod errors;
pub mod layers;
pub mod visitors;
