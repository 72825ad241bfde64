//! Candidates: the posts that a search finds, newest first, for which a bounded number of rows is read, however common its words and
//! however many posts pass its filters.
//!
//! 1. The newest [`GLANCE`] posts are read: of the author, or those with pictures, where these are asked for, and else of all. Where
//!    that is enough, or there are no more, it is done. With a tag this step is left out.
//! 2. Otherwise words that few of these have are looked up in the index, together with the tag and the category, which stand in the
//!    documents as words. Where at most [`MAX_READ`] posts have them all, these are read.
//! 3. Otherwise the newest [`MAX_READ`] of the posts of the first step are read. What lies behind them is left to the next page.
pub mod models;

/// How many posts are read at first, in the order of time.
pub const GLANCE: i64 = 500;
/// How many posts are read for one page at most, beside those of the glance; looking words up, the index counts no more, either.
pub const MAX_READ: i64 = 40_000;
/// Words are common that one in this number of the newest posts has: they are not looked up, since the index would list too many.
pub const COMMON: i64 = 5;
