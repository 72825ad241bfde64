//! The whole platform, end to end: the launcher's own binary starts five services with their servers, and what people
//! do in one of them is seen in the others.

#[path = "../../src/host/reservations.rs"]
mod claims;
#[path = "../../src/client.rs"]
mod client;
// `cfg(test)` is always so here; it lets the lints know that a failed `unwrap` is a failed test.
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod events;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod launcher;
#[cfg(test)]
mod leaving;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod platform;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod start_order;
#[cfg(test)]
mod top;
#[cfg(test)]
mod watching;
