//! The tests of the workspace as a whole, in one binary: the laws of the house, the platform and its launcher end to end, the
//! gateway before it, its pages in a browser, and the promise under faults.

// `cfg(test)` is always set here; it lets the lints know that a failed `unwrap` is a failed test.
#[cfg(test)]
mod browser;
#[path = "../src/host/browser.rs"]
mod browser_host;
#[cfg(test)]
mod chaos;
#[path = "../src/client.rs"]
mod client;
#[cfg(test)]
mod gateway;
#[cfg(test)]
mod journey;
#[path = "../src/traffic/pictures.rs"]
mod pictures;
#[cfg(test)]
mod platform;
#[path = "../src/host/reservations.rs"]
mod reservations;
#[cfg(test)]
mod shape;
