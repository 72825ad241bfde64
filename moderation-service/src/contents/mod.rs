//! Contents: the posts, comments and profiles that were consumed, each in its newest version.
//!
//! Events of different streams overtake each other, so the version decides what is stored: an older one changes nothing, and
//! what was deleted does not come back. What is stored is what can be moderated: who wrote it, the text as other users read it, and
//! how many have seen it. A draft is stored without its text, because no other user can read it.
pub mod models;
