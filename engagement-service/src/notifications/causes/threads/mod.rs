//! What concerns the authors of comments and not only those of posts: replies and reactions to comments.
pub mod models;
