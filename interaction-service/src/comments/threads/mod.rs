//! Threads of comments: a first comment and the replies to it.
//!
//! A thread has one level. A reply names any comment of its thread, and is saved as a reply to the first, so that a client shows two
//! levels and never a staircase. The thread belongs to its first comment: its deletion deletes the replies and reactions, since an
//! answer to what cannot be read any more is of no use, and a placeholder would keep a trace of who has left. While moderation has the
//! first comment hidden, the list of its replies is closed and nothing can be added; the replies remain readable by themselves.
//!
//! Replies and reactions are counted when they are read, for a page of comments at once: what is counted is what there is.
pub mod models;
pub mod schemas;
pub mod services;
pub mod signals;
pub mod views;

#[cfg(test)]
mod tests;
