//! What else a decision touches: the content, reports, claims, appeals and cases of its subject, and the policy that it names.
pub mod models;
