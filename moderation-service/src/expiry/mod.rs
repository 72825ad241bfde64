//! Expiry: the timer that ends decisions when their time is over, and removes for good what has been hidden long enough.
//!
//! Both follow from rows alone, so that a restart forgets nothing: a decision has the time at which it is due, and a subject the
//! time since when it is hidden. A step takes one of them, and looks again under the subject's lock, so that two replicas that take
//! the same do it once.
pub mod models;
pub mod schedulers;

#[cfg(test)]
mod tests;

use clap::Args;

/// When hidden content is removed for good.
#[derive(Args, Clone, Copy, Debug)]
pub struct Removal {
    /// After how many days a hidden post or comment is removed for good, unless an appeal is open
    #[arg(long, env = "REMOVE_HIDDEN_AFTER_DAYS", default_value_t = 30, value_parser = clap::value_parser!(i32).range(1..))]
    pub remove_hidden_after_days: i32,
}
