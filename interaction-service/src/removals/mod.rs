//! Removals: what is beneath a post or a comment that is gone is deleted in pages, and the deletion of each row is published with it.
//!
//! A popular post has more comments and reactions than one transaction should delete: its locks, its events and the memory that they
//! need would grow with it, and all events behind it would wait. So the transaction in which a post or comment goes writes a row of
//! `removal` for each kind of rows beneath it, and a worker deletes a page, moves the row's place on, and commits, as often as it takes.
//! Killed in between it goes on from the last page; two replicas take different rows.
//!
//! What waits is not seen: all reads ask whether the post, or the first comment of the thread, is there (`visible`, `readable` and
//! `removed` in the database). Nothing can be added to it either: what adds something locks what it belongs to. A row is stored as long
//! as its deletion is not published, so counts by events and copies of the rows agree at every moment; the export of personal data
//! shows what is still stored.
pub mod models;
pub mod schedulers;

#[cfg(test)]
mod tests;

/// Rows that are deleted in one transaction: their deletion and its events take some tens of milliseconds.
pub const PAGE: i64 = 1_000;

/// Whether a page of that many rows is a full one, so that there may be more.
pub fn is_full(rows: usize) -> bool {
    i64::try_from(rows).is_ok_and(|rows| rows >= PAGE)
}

/// What is deleted beneath a post or a comment that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Remainder {
    /// The comments on a post
    Comments,
    /// The reactions to a post
    Reactions,
    /// The bookmarks of a post
    Bookmarks,
    /// The replies to a comment
    Replies,
    /// The reactions to a comment
    CommentReactions,
}
