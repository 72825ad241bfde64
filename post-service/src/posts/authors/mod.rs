//! Authors of posts, as far as the popularity of their posts depends on them.
pub mod models;
