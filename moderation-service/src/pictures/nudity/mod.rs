//! Nudity in pictures: an image model looks at each, where `MODERATION_IMAGE_MODEL` names one. The service comes with none.
//!
//! A picture that is ready is judged at once by its hash, and waits for the model in its own row (`score_at`): the queue is that
//! table, so it is bounded by nothing but the pictures and survives every restart. A worker takes one picture at a time, under a
//! lease, so replicas share the work. It fetches the medium rendition from the post service ([`source`]), outside of a transaction and
//! bounded in size and time; makes of it what the model reads ([`preparation`]); and lets the model look at it ([`network`]), off the
//! async threads. The score is stored with the model's version and becomes the signal `nudity`, and the picture is judged again with it, on
//! the same path as after a change of the blocklist.
//!
//! While the post service is away pictures wait, and that does not count as tried. One that is gone there is forgotten when its
//! deletion is consumed. One that cannot be read, or that three processes did not survive, is stored as shown to this model and without a
//! score. When another model is loaded, all pictures are scored anew, the newest first.
pub mod models;
pub mod network;
mod preparation;
pub mod schedulers;
pub mod services;
mod signals;
mod source;

#[cfg(test)]
pub mod tests;
