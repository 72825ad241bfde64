//! What two people did to each other, where one does not see the other any more, or does again.
pub mod models;
