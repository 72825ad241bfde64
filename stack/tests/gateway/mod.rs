//! The gateway: a real nginx before a real platform, and before small services of the test's own where it matters what
//! exactly arrives there.

mod callers;
mod documents;
mod limits;
mod outages;
mod pages;
mod passing;
mod platform;
mod raw;
mod refusals;
mod routes;
mod slow;
mod upstream;
mod verdicts;
