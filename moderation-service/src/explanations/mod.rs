//! Explanations: which words weigh most in the scores that a text was judged by, found after the decision.
//!
//! To explain a text is to read it some twenty times, once without each of its words; a decision waits for none of that. The
//! transaction that stores an analysis by whose scores a rule has acted, or with a label, lets it wait here, in a table that is
//! the queue (`waiting_explanation`): it is bounded by nothing but the analyses, and survives every restart. A worker takes one at
//! a time under a lease, the most severe first, so replicas share the work. It computes outside of any transaction, and on its
//! [turn](crate::text_model::turns) alone: while texts are read it waits. Then it stores the spans with the analysis, under the
//! lock of the content, unless that was deleted meanwhile. The work is bounded, in readings and in time; an explanation that has left something
//! of the text out says so.
//!
//! What waits is no part of the ledger, and nothing is decided by it. An analysis says whether its explanation is pending. One
//! whose text has become another one, or is gone, gets none; so does one of another model, after an hour in which a replica
//! with that model could have taken it, and one that three processes did not survive.
pub mod models;
pub mod schedulers;

#[cfg(test)]
mod tests;
