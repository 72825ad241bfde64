//! The size of the batches of a pass: what fails is tried again in halves, until the one row that fails is alone and can be skipped.
//!
//! A pass keeps its place with each batch that is done. With a fixed size a batch that fails would be the next one again, and the pass
//! would never end: a statement is ended after five seconds, however often it is tried.

/// How many rows the next batch of a pass has.
#[derive(Debug)]
pub struct BatchSize {
    rows: i64,
    most: i64,
}

impl BatchSize {
    /// A size that begins with the largest one.
    pub const fn new(most: i64) -> Self {
        Self { rows: most, most }
    }

    /// Rows of the next batch, 1 to the most.
    pub const fn rows(&self) -> i64 {
        self.rows
    }

    /// Doubles it, since a batch was done.
    pub fn grow(&mut self) {
        self.rows = self.rows.saturating_mul(2).min(self.most);
    }

    /// Halves it, since a batch of that many rows failed; true when it was one row, which is to be skipped.
    pub fn shrink(&mut self, failed: usize) -> bool {
        self.rows = i64::try_from(failed / 2).unwrap_or(self.most).clamp(1, self.most);
        failed == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_found_by_halves_and_the_size_comes_back() {
        let mut size = BatchSize::new(200);
        assert_eq!(size.rows(), 200);
        let mut sizes = Vec::new();
        let mut failed = 9;
        while !size.shrink(failed) {
            failed = usize::try_from(size.rows()).unwrap();
            sizes.push(failed);
        }
        assert_eq!((sizes, size.rows()), (vec![4, 2, 1], 1));
        for rows in [2, 4, 8, 16, 32, 64, 128, 200, 200] {
            size.grow();
            assert_eq!(size.rows(), rows);
        }
    }
}
