//! The gateway: a real nginx before a real platform, and before small services of the test's own where it matters what
//! exactly arrives there.

// `cfg(test)` is always so here; it lets the lints know that a failed `unwrap` is a failed test.
#[cfg(test)]
mod callers;
#[path = "../../src/host/reservations.rs"]
mod claims;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod passing;
#[cfg(test)]
mod platform;
#[cfg(test)]
mod raw;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod upstream;
#[cfg(test)]
mod verdicts;
