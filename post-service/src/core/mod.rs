//! The core of every service: the same text in all five. It names nothing of its service; what differs between services
//! is passed in as [`serve::Service`].
//!
//! Six floors, each of which uses only those below it, and a wing:
//!
//! | floor | what is there |
//! |---|---|
//! | `serve` | the service as a whole: start and stop, the layers around a request, health, the API's description, operations |
//! | `doors` | what a request passes on its way in: who calls, limits, idempotency; the audit; a person's data, export and erasure |
//! | `events` | the delivery of events: outbox, numbering, relay, consumer, inbox, retention |
//! | `app` | what handlers, processors and jobs work with: stores, settings, the commit; who may call; limits |
//! | `api` | how answers and errors look; pages. Beside it the wing `contract`: what only the original's clients demand |
//! | `ground` | settings, Postgres, background work, leases, jobs, telemetry |
pub mod api;
pub mod app;
pub mod contract;
pub mod doors;
pub mod events;
pub mod ground;
pub mod serve;

#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;

/// Requests allocate often and briefly, on all threads: the system's allocator took a sixth of their time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
