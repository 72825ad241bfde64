//! The merge of the posts of all of a reader's connections, when their feed is built, and below what Redis keeps of it.
//!
//! Many connections must not make it slow. The newest posts are found in two passes over an index that has an author's posts in
//! order: a few of each author give a key above which at least as many posts lie as are asked for, and then each author's are
//! read down to that key only.
pub mod models;
