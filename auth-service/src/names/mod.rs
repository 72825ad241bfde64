//! Names and other words by which people show themselves: which are accepted, and the folded form in which they are found.
//!
//! A name can be in any script, so the rules are those of Unicode: what is stored is NFC, what is compared is folded
//! ([`folding::fold`]), both by the tables of ICU4X.
//!
//! What a person is found by is written with the change of the name, in its transaction. The database marks the row of a name
//! that was written otherwise, and a worker folds what is marked ([`schedulers`]).
pub mod folding;
pub mod models;
mod rules;
pub mod schedulers;
pub mod schemas;

#[cfg(test)]
mod tests;
