//! Names and other words by which people show themselves: which are accepted, and the folded form in which they are found.
//!
//! A name can be in any script, so the rules are those of Unicode: what is stored is NFC, what is compared is folded
//! ([`folding::fold`]), both by the tables of ICU4X.
pub mod folding;
mod rules;
pub mod schemas;
