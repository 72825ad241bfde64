//! What the steps of the demo share.
use crate::host::console::show;

/// The categories of the posts of the demo.
pub const TYPES: [&str; 2] = ["TECHNOLOGY", "BOOKS"];

/// Shows what was done, and what came back.
pub fn step(what: &str, came_back: &str) {
    show(format_args!("{what:42} {came_back}"));
}
