//! Fan-out: a post that becomes public is brought into the feeds of its author's followers, and one that does no longer stand there
//! is brought out of them.
//!
//! The transaction that applies a post's event compares what the post is now with what feeds have of it, and writes a job for the
//! difference. A worker takes the job, a page of followers at a time. The job is not locked meanwhile, since Redis is spoken to: it
//! is claimed for some seconds, so that after a crash another worker repeats a page, which changes nothing.
//!
//! An author with very many followers is not fanned out: before the pages, the worker notes in each of their connections that
//! the follower looks their posts up, and takes that back when most followers have gone. All of that is repeated until it holds,
//! and each connection is right at any time: a page goes to those who do not look up.
//! With its first page a post that readers look up, of such an author or with a tag that someone follows, is announced once to the
//! processes that have open streams.
pub mod models;
pub mod schedulers;
