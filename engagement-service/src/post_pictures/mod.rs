//! The pictures of posts in feeds. The post service publishes them with each version of a post, with a key each; it serves a picture
//! for its key as long as the post is published and shows it, so an address that is made here needs no signature, and ends with the
//! post.
pub mod models;
pub mod schemas;

#[cfg(test)]
mod tests;
