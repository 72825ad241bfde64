//! The review of notifications, the last part of a rebuild: the people behind them are compared with the read model, page by page, after
//! the sources are copied. Whatever ends a source orders it anew, so that it always follows the last change that was no event.
pub mod models;
