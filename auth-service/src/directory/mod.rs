//! What other services may know of a person without asking: a hash in Redis per person, as the original writes it.
//!
//! A change and the note that its person's hash is out of date are one transaction (`mark`); a worker then reads the state
//! of now and writes it. So no change is lost when Redis is away, and a request never waits for Redis. Each hash carries
//! the version that it was written from, and a script refuses to put an older one over a newer one, so that any number
//! of workers may write. A deleted person's hash is deleted, and for a day a mark stands in its place against a writer
//! that was held up. When Redis was restarted or emptied, which shows in a key that names the process whose memory was
//! last found complete, all hashes are written again, and those of people who left deleted again.
pub mod models;
pub mod schedulers;

#[cfg(test)]
mod tests;
