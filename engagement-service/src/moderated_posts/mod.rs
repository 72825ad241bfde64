//! What moderation has decided about posts: which are in no feed but their author's, and what readers of the others are warned of.
//!
//! A post that is limited can be read at its own address and among its author's posts. That a post is hidden or deleted is known
//! from the post service's events; a decision that says so is applied here as a limit, since it may be here first.
pub mod events;
pub mod models;
pub mod signals;
