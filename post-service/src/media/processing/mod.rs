//! Processing: uploads are decoded within limits, turned, cut, and encoded anew, so that what is served was written by this
//! service and holds nothing but the picture.
//!
//! The queue is the pictures that are UPLOADED. A worker that has a thread for it takes one for a few minutes, decodes it there, writes the
//! files, and makes it READY in one transaction with the event. Of a worker that dies the lease ends, and another begins anew:
//! files that the first has written have no row, and the sweep deletes them.
//!
//! A picture is refused for what it does itself. Its time is that of its thread ([`clock`]), whatever else the machine does; while the store
//! or the machine is at fault, it waits and is begun again. A picture whose worker died may have been beside the one that was the cause,
//! so it is begun again alone, and refused only when it has ended a few workers alone.
mod clock;
mod gif;
mod hashes;
pub mod models;
pub mod schedulers;
pub mod services;
pub mod signals;
