//! The causes of notifications: the people whose reactions, comments and connections stand behind a group.
//!
//! A processor names the keys that an event touched: posts with actors, or pairs of people. Under the lock of the readers their
//! causes are read again from the read model and compared with the stored rows of the actors, and the difference is written. Since
//! nothing is added up from events, their order and their repetition make no difference.
pub mod models;
mod services;

pub use services::differences;
