//! What the model has said lately, by the hash of the text.
//!
//! Of a flood of copies one is read; and a batch that is tried again, since one of its texts has failed or the database was away, is not
//! read again. Two generations: what is remembered goes into the younger one, and when that is full the older one is forgotten.
use std::collections::HashMap;
use std::mem::take;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::scoring::ReadScores;

/// Texts of a generation: half a megabyte.
const GENERATION: usize = 5_000;

type Generation = HashMap<[u8; 32], ReadScores>;

/// The scores of texts that were read lately by one model.
#[derive(Debug, Default)]
pub struct RecentScores(Mutex<[Generation; 2]>);

impl RecentScores {
    fn generations(&self) -> MutexGuard<'_, [Generation; 2]> {
        // A panic meanwhile leaves the scores as they are.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The scores of a text, where it is remembered.
    pub fn get(&self, hash: &[u8; 32]) -> Option<ReadScores> {
        self.generations().iter().find_map(|generation| generation.get(hash)).copied()
    }

    /// Remembers the scores of a text.
    pub fn insert(&self, hash: [u8; 32], scores: ReadScores) {
        let [younger, older] = &mut *self.generations();
        if younger.len() >= GENERATION {
            *older = take(younger);
        }
        younger.insert(hash, scores);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text_model::HEADS;

    /// The last texts are remembered, and no more than two generations.
    #[test]
    fn what_is_old_is_forgotten() {
        let recent = RecentScores::default();
        let hash = |number: usize| {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.to_be_bytes());
            hash
        };
        for number in 0..3 * GENERATION {
            recent.insert(hash(number), ReadScores { scores: [0.5; HEADS], is_partial: false });
        }
        let remembered = |number| recent.get(&hash(number)).is_some();
        assert!((GENERATION..3 * GENERATION).all(remembered));
        assert!(!(0..GENERATION).any(remembered));
    }
}
