//! Processing: uploads are decoded within limits, turned, cut, and encoded anew, so that what is served was written by this
//! service and holds nothing but the picture.
//!
//! The queue is the pictures that are UPLOADED. A worker takes one for a few minutes, decodes it on a thread of its own, writes the
//! files, and makes it READY in one transaction with the event. Of a worker that dies the lease ends, and another begins anew:
//! files that the first has written have no row, and the sweep deletes them. A picture that ended several workers is refused.
mod gif;
mod hashes;
pub mod models;
pub mod schedulers;
pub mod services;
pub mod signals;
