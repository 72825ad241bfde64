//! The shape of a text: shouting, repetition, mentions.
use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Fewer letters are no shouting: abbreviations, "OK", "LOL".
const MIN_CASED: usize = 10;
/// Fewer words repeat themselves by chance.
const MIN_WORDS: usize = 8;
/// A shorter run of one character is emphasis.
const MIN_RUN: usize = 10;
/// Words that are compared; the rest of a longer text says no more.
const MAX_WORDS: usize = 5_000;

/// What the form of a text shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Shape {
    /// The share of capitals among letters that have a case, 0 to 1; 0 for fewer than ten.
    pub uppercase: f64,
    /// The share of words that occurred before, or of the longest run of one character, 0 to 1.
    pub repetition: f64,
    /// Users that are named with `@`.
    pub mentions: u32,
}

/// The shape of a text.
pub fn measure(text: &str) -> Shape {
    Shape { uppercase: uppercase(text), repetition: repetition(text), mentions: mentions(text) }
}

#[expect(clippy::cast_precision_loss, reason = "a text has some thousand characters")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn uppercase(text: &str) -> f64 {
    let cased = text.chars().filter(|c| c.is_lowercase() || c.is_uppercase()).count();
    let capitals = text.chars().filter(|c| c.is_uppercase()).count();
    if cased < MIN_CASED { 0.0 } else { share(capitals, cased) }
}

fn repetition(text: &str) -> f64 {
    let words: Vec<String> = text.split_whitespace().take(MAX_WORDS).map(str::to_lowercase).collect();
    let distinct = words.iter().collect::<HashSet<_>>().len();
    let of_words = if words.len() < MIN_WORDS { 0.0 } else { 1.0 - share(distinct, words.len()) };
    let characters: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let longest = characters.chunk_by(|left, right| left == right).map(<[char]>::len).max().unwrap_or_default();
    let of_run = if longest < MIN_RUN { 0.0 } else { share(longest, characters.len()) };
    of_words.max(of_run)
}

fn mentions(text: &str) -> u32 {
    let is_mention = |piece: &str| {
        let name = piece.trim_start_matches(['(', '"', '\'', '.']).strip_prefix('@').unwrap_or_default();
        name.chars().next().is_some_and(|c| c.is_alphanumeric() || c == '_')
    };
    let count = text.split_whitespace().filter(|piece| is_mention(piece)).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_measured_in_shares() {
        let cases = [
            ("", (0.0, 0.0, 0)),
            ("OK LOL", (0.0, 0.0, 0)),
            ("BUY NOW AND HERE", (1.0, 0.0, 0)),
            ("Half OF THESE are so", (0.5, 0.0, 0)),
            ("buy now buy now buy now buy now", (0.0, 0.75, 0)),
            ("aaaaaaaaaaaaaaaaaaaa", (0.0, 1.0, 0)),
            ("nooooo!!! haha", (0.0, 0.0, 0)),
            ("@anna and (@bert_1) at a@b.org, @ 5", (0.0, 0.0, 2)),
        ];
        for (text, (uppercase, repetition, mentions)) in cases {
            let shape = measure(text);
            assert!((shape.uppercase - uppercase).abs() < 0.07, "{text}: {shape:?}");
            assert!((shape.repetition - repetition).abs() < 1e-9, "{text}: {shape:?}");
            assert_eq!(shape.mentions, mentions, "{text}");
        }
    }
}
