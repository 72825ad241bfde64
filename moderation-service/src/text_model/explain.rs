//! Which words weigh most in a score: what the model says when each is left out.
//!
//! Of a long text the passage with the highest score is explained. Its words are left out one after another, or several neighbours at
//! once where it has many, so that an explanation costs at most [`READINGS`] readings of a passage beside the search for it.
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use anyhow::Context;

use super::{Head, Scores, TextModel};

/// The readings of an explanation: the passage itself, and the passage without each of its parts.
const READINGS: usize = 24;
/// Words of a passage: about as many as the model reads in one piece.
const PASSAGE: usize = 80;
/// Passages among which the highest is looked for; of a longer text the beginning is explained.
const PASSAGES: usize = 24;
/// Words that two neighbouring passages share.
const OVERLAP: usize = 20;
/// Probabilities nearer to 0 or 1 say no more about a word.
const LEAST: f32 = 1e-6;

/// A part of a text and what it does to a score.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Span {
    /// The first character and the one behind the last, in Unicode scalar values.
    pub start: usize,
    pub end: usize,
    /// By how much the log-odds of the score fall without it.
    pub weight: f32,
}

/// A word by its characters, and by its bytes.
#[derive(Clone, Copy)]
struct Word {
    chars: (usize, usize),
    bytes: (usize, usize),
}

/// The spans that raise the score of a head, the heaviest first.
pub fn explain(model: &dyn TextModel, text: &str, head: Head) -> anyhow::Result<Vec<Span>> {
    Ok(explain_heads(model, text, &[head])?.pop().unwrap_or_default())
}

/// The spans that raise the scores of heads, in their order, for each the heaviest first. Heads that are highest in the same passage
/// share its readings, so that two cost what one does.
pub fn explain_heads(model: &dyn TextModel, text: &str, heads: &[Head]) -> anyhow::Result<Vec<Vec<Span>>> {
    let words = words(text);
    let passages: Vec<&[Word]> = passages(&words);
    let texts: Vec<&str> = passages.iter().map(|passage| slice(text, passage)).collect();
    let read = model.read(&texts)?;
    let (mut left_out, mut explained) = (HashMap::new(), Vec::new());
    for head in heads.iter().map(|head| *head as usize) {
        let highest = read.iter().enumerate().max_by(|a, b| a.1.scores[head].total_cmp(&b.1.scores[head]));
        let Some((place, scores)) = highest else {
            explained.push(Vec::new());
            continue;
        };
        let parts = match left_out.entry(place) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unread) => unread.insert(read_parts(model, text, passages[place])?),
        };
        let weight = |part: &Scores| log_odds(scores.scores[head]) - log_odds(part.scores[head]);
        let spans = parts.iter().map(|(start, end, part)| Span { start: *start, end: *end, weight: weight(part) });
        let mut spans: Vec<Span> = spans.filter(|span| span.weight > 0.0).collect();
        spans.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.start.cmp(&b.start)));
        explained.push(spans);
    }
    Ok(explained)
}

/// The parts of a passage, from character to character, with what the model says about the passage without each.
fn read_parts(model: &dyn TextModel, text: &str, passage: &[Word]) -> anyhow::Result<Vec<(usize, usize, Scores)>> {
    let parts: Vec<&[Word]> = passage.chunks(passage.len().div_ceil(READINGS - 1)).collect();
    let without: Vec<String> = parts.iter().map(|part| leave_out(text, passage, part)).collect();
    let without: Vec<&str> = without.iter().map(String::as_str).collect();
    let read = model.read(&without)?;
    let place = |part: &&[Word]| part.first().zip(part.last()).map(|(first, last)| (first.chars.0, last.chars.1));
    let places: Option<Vec<_>> = parts.iter().map(place).collect();
    let places = places.context("a part has words")?;
    Ok(places.into_iter().zip(read).map(|((start, end), scores)| (start, end, scores)).collect())
}

fn log_odds(probability: f32) -> f32 {
    let probability = probability.clamp(LEAST, 1.0 - LEAST);
    (probability / (1.0 - probability)).ln()
}

/// The words of a text, by white space.
fn words(text: &str) -> Vec<Word> {
    let (mut words, mut open, mut count) = (Vec::new(), None, 0);
    for (at, c) in text.char_indices() {
        match (c.is_whitespace(), open) {
            (true, Some((char, byte))) => {
                words.push(Word { chars: (char, count), bytes: (byte, at) });
                open = None;
            }
            (false, None) => open = Some((count, at)),
            _ => {}
        }
        count += 1;
    }
    words.extend(open.map(|(char, byte)| Word { chars: (char, count), bytes: (byte, text.len()) }));
    words
}

fn passages(words: &[Word]) -> Vec<&[Word]> {
    let starts = (0..words.len()).step_by(PASSAGE - OVERLAP).take(PASSAGES);
    // A last passage that lies within the one before it says nothing new.
    let starts = starts.filter(|start| *start == 0 || start + OVERLAP < words.len());
    starts.map(|start| &words[start..words.len().min(start + PASSAGE)]).collect()
}

fn slice<'a>(text: &'a str, words: &[Word]) -> &'a str {
    match (words.first(), words.last()) {
        (Some(first), Some(last)) => &text[first.bytes.0..last.bytes.1],
        _ => "",
    }
}

/// The passage without a part of it.
fn leave_out(text: &str, passage: &[Word], part: &[Word]) -> String {
    let (from, to) = (part[0].bytes.0, part[part.len() - 1].bytes.1);
    let left = passage.iter().filter(|word| word.bytes.1 <= from || word.bytes.0 >= to);
    let left: Vec<&str> = left.map(|word| &text[word.bytes.0..word.bytes.1]).collect();
    left.join(" ")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::Calibration;
    use super::super::{Class, HEADS};
    use super::*;

    /// Finds hate in the word "bad", and counts what it reads.
    struct Bad(Mutex<Vec<usize>>);

    impl TextModel for Bad {
        fn version(&self) -> &'static str {
            "bad"
        }

        fn calibrations(&self) -> &[Calibration; HEADS] {
            &[Calibration { slope: 1.0, bias: 0.0, label: 0.5, hide: None }; HEADS]
        }

        fn read(&self, texts: &[&str]) -> anyhow::Result<Vec<Scores>> {
            self.0.lock().unwrap().push(texts.len());
            let score = |text: &&str| {
                let mut scores = [0.1; HEADS];
                scores[Head::Hate as usize] +=
                    0.4 * f32::from(u8::try_from(text.matches("bad").count().min(2)).unwrap());
                Scores { scores, labels: [false; HEADS], hides: [false; HEADS], class: Class::Neither }
            };
            Ok(texts.iter().map(score).collect())
        }
    }

    #[test]
    fn the_words_that_weigh_most_are_found_by_their_characters() {
        let model = Bad(Mutex::default());
        let text = "ünd  they are bad\npeople";
        let spans = explain(&model, text, Head::Hate).unwrap();
        assert_eq!(spans.len(), 1);
        let found: String = text.chars().skip(spans[0].start).take(spans[0].end - spans[0].start).collect();
        assert_eq!(found, "bad");
        assert!((spans[0].weight - 2.197).abs() < 1e-2, "{spans:?}");
        assert_eq!(explain(&model, text, Head::Spam).unwrap(), []);
        assert_eq!(explain(&model, " \n", Head::Hate).unwrap(), []);
    }

    /// A long text costs a search and one explanation, and is explained where it is worst.
    #[test]
    fn an_explanation_costs_a_bounded_number_of_readings() {
        let model = Bad(Mutex::default());
        let text = format!("{} bad {}", "good ".repeat(700), "good ".repeat(90_000));
        let spans = explain(&model, &text, Head::Hate).unwrap();
        assert_eq!(spans.len(), 1);
        assert!((spans[0].start..spans[0].end).contains(&3_502), "{spans:?}");
        let read = model.0.lock().unwrap().clone();
        assert!(read.len() == 2 && read[0] <= PASSAGES && read[1] < READINGS, "{read:?}");
        // The other head has its highest score elsewhere; the same head is read no second time.
        model.0.lock().unwrap().clear();
        let [hate, threat, again] = &explain_heads(&model, &text, &[Head::Hate, Head::Threat, Head::Hate]).unwrap()[..]
        else {
            panic!("three heads")
        };
        assert_eq!((hate, threat.len(), again), (&spans, 0, &spans));
        let read = model.0.lock().unwrap().len();
        assert_eq!(read, 3, "the passages, and the parts of two of them");
    }
}
