//! Links of the release before whose providers were not configured when links got their identities. Who is configured under such a name
//! later may be another provider, so they are set aside until the operators say that it is the same one.
pub mod models;
