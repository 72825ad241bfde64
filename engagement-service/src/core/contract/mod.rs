//! Compatibility with the original API: how it reads a body and reports what is wrong with it, its timestamps, its answers
//! where no route matches.
pub mod extract;
pub mod fields;
pub mod routing;
pub mod timestamp;
