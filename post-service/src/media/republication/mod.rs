//! Republication: when a picture changes, or is deleted, the posts that show it are published again.
//!
//! The transaction of the change writes a job for the picture, and no more: it locks no post. A worker takes the job, a page of posts at a
//! time, in the order of their ids. It is claimed for some seconds, so that after a crash another worker repeats a page, which publishes
//! the same posts once more and changes nothing else. A picture that changes meanwhile begins anew. Of a picture that is deleted the rows
//! by which posts had it go with their page.
pub mod models;
pub mod schedulers;
pub mod signals;
