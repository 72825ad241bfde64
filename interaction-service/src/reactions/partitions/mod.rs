//! The partitions of reactions: while they are few there is one; the last one is cut when it is large, at the end of a month.
//!
//! A partition has the reactions to the posts of some months, since its key is the id of the post, which is a `UUIDv7`. The last one has no
//! end, so that no reaction is ever refused for want of a partition. When it has reached a size, a job gives it one: the beginning of the
//! month after next. The next partition is then there weeks before its first post. Months that are small share a partition, because
//! each one more costs every statement that is planned, whatever is in it.
pub mod models;
pub mod schedulers;

#[cfg(test)]
mod tests;

use clap::Args;

/// When reactions get another partition.
#[derive(Args, Clone, Copy, Debug)]
pub struct PartitionSize {
    /// GiB at which the last partition of reactions is cut, indexes counted; 0: never
    #[arg(long, env = "PARTITION_GIB", default_value_t = 64)]
    pub partition_gib: u32,
}

impl PartitionSize {
    /// The same in bytes; none: it is never cut.
    pub fn bytes(self) -> Option<i64> {
        (self.partition_gib > 0).then(|| i64::from(self.partition_gib) << 30)
    }
}
