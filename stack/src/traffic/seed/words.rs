//! The words of seeded people (`words.json`): names from many places, and texts about every category of the contract.

use std::sync::LazyLock;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Words {
    pub first_names: Vec<String>,
    pub last_names: Vec<String>,
    /// How a post begins; its subject follows.
    pub openings: Vec<String>,
    pub comments: Vec<String>,
    pub topics: Vec<Topic>,
}

/// A category, what posts in it are about, and what they say.
#[derive(Debug, Deserialize)]
pub struct Topic {
    pub category: String,
    pub subjects: Vec<String>,
    pub thoughts: Vec<String>,
}

pub static WORDS: LazyLock<Words> =
    LazyLock::new(|| serde_json::from_str(include_str!("words.json")).expect("words.json is valid"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_fits_into_a_title() {
        for topic in &WORDS.topics {
            assert!(topic.subjects.iter().all(|subject| subject.len() <= 100), "{}", topic.category);
        }
    }

    #[test]
    fn no_category_comes_twice() {
        let mut categories: Vec<_> = WORDS.topics.iter().map(|topic| &topic.category).collect();
        categories.sort_unstable();
        categories.dedup();
        assert_eq!(categories.len(), 22);
    }
}
