//! Which words weigh most in a score: what the model says when each is left out.
//!
//! Of a long text the passage with the highest score is explained. Its words are left out one after another, or several neighbours at
//! once where it has many, so that an explanation costs at most [`READINGS`] readings of a passage beside the search for it. Of a text with
//! more passages than are searched, those that lie evenly between its beginning and its end are. And it costs no more time than it is given:
//! when that is over, what was found until then is the explanation, which says that it is one of a part.
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::{Head, Scores, TextModel};

/// How long an explanation may take, of the slowest processor and beside whatever is read meanwhile: what is explained is decided already,
/// and others wait for theirs.
pub const BUDGET: Duration = Duration::from_mins(1);
/// The readings of an explanation: the passage itself, and the passage without each of its parts.
const READINGS: usize = 24;
/// Words of a passage: about as many as the model reads in one piece.
const PASSAGE: usize = 80;
/// Characters of a passage, at most: some twice as many as 80 words have.
const PASSAGE_CHARS: usize = 1_000;
/// The longest word, in characters; what is longer, as a text without blanks, is taken for several.
const LONGEST_WORD: usize = 100;
/// Passages among which the highest is looked for: as many as the longest post has with the descriptions of its pictures.
const PASSAGES: usize = 48;
/// Words that two neighbouring passages share; those of fewer words share as large a part.
const OVERLAP: usize = 20;
/// Passages that are read between two looks at the clock: as many as have a turn at the processor.
const AT_ONCE: usize = 4;
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

/// What weighs in the scores of heads.
#[derive(Clone, Debug, PartialEq)]
pub struct Occlusion {
    /// The spans of each head, in the order in which the heads were asked about, for each the heaviest first.
    pub heads: Vec<Vec<Span>>,
    /// Whether some of the text was left out: it is too long, or the time was over.
    pub is_partial: bool,
}

/// A word by its characters, and by its bytes.
#[derive(Clone, Copy)]
struct Word {
    chars: (usize, usize),
    bytes: (usize, usize),
}

/// What the model says about a passage without each of its parts, which are from character to character.
type Parts = Vec<(usize, usize, Scores)>;

/// The spans that raise the score of a head, the heaviest first.
pub fn explain(model: &dyn TextModel, text: &str, head: Head) -> anyhow::Result<Vec<Span>> {
    Ok(explain_heads(model, text, &[head], Instant::now() + BUDGET)?.heads.pop().unwrap_or_default())
}

/// The spans that raise the scores of heads, found until a point in time. Heads that are highest in the same passage share its readings, so
/// that two cost what one does.
pub fn explain_heads(model: &dyn TextModel, text: &str, heads: &[Head], until: Instant) -> anyhow::Result<Occlusion> {
    let words = words(text);
    let all = passages(&words);
    let passages = spread(&all);
    let texts: Vec<&str> = passages.iter().map(|passage| slice(text, passage)).collect();
    let read = read_until(model, &texts, until)?;
    let mut is_partial = read.len() < all.len();
    let (mut left_out, mut explained) = (HashMap::new(), Vec::new());
    for head in heads.iter().map(|head| *head as usize) {
        let highest = read.iter().enumerate().max_by(|a, b| a.1.scores[head].total_cmp(&b.1.scores[head]));
        let Some((place, scores)) = highest else {
            explained.push(Vec::new());
            continue;
        };
        let parts = match left_out.entry(place) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unread) => {
                let (parts, is_whole) = read_parts(model, text, passages[place], until)?;
                is_partial |= !is_whole;
                unread.insert(parts)
            }
        };
        let weight = |part: &Scores| log_odds(scores.scores[head]) - log_odds(part.scores[head]);
        let spans = parts.iter().map(|(start, end, part)| Span { start: *start, end: *end, weight: weight(part) });
        let mut spans: Vec<Span> = spans.filter(|span| span.weight > 0.0).collect();
        spans.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.start.cmp(&b.start)));
        explained.push(spans);
    }
    Ok(Occlusion { heads: explained, is_partial })
}

/// What the model says about the first of these texts: as many as it reads until a point in time.
fn read_until(model: &dyn TextModel, texts: &[&str], until: Instant) -> anyhow::Result<Vec<Scores>> {
    let mut read = Vec::with_capacity(texts.len());
    for some in texts.chunks(AT_ONCE) {
        if Instant::now() >= until {
            break;
        }
        read.extend(model.read(some)?);
    }
    Ok(read)
}

/// The parts of a passage as far as they were read until a point in time, and whether these are all.
fn read_parts(model: &dyn TextModel, text: &str, passage: &[Word], until: Instant) -> anyhow::Result<(Parts, bool)> {
    let parts: Vec<&[Word]> = passage.chunks(passage.len().div_ceil(READINGS - 1)).collect();
    let without: Vec<String> = parts.iter().map(|part| leave_out(text, passage, part)).collect();
    let without: Vec<&str> = without.iter().map(String::as_str).collect();
    let read = read_until(model, &without, until)?;
    let is_whole = read.len() == parts.len();
    let place = |part: &&[Word]| part.first().zip(part.last()).map(|(first, last)| (first.chars.0, last.chars.1));
    let places: Option<Vec<_>> = parts.iter().map(place).collect();
    let places = places.context("a part has words")?;
    Ok((places.into_iter().zip(read).map(|((start, end), scores)| (start, end, scores)).collect(), is_whole))
}

fn log_odds(probability: f32) -> f32 {
    let probability = probability.clamp(LEAST, 1.0 - LEAST);
    (probability / (1.0 - probability)).ln()
}

/// The words of a text, by white space.
fn words(text: &str) -> Vec<Word> {
    let (mut words, mut count) = (Vec::new(), 0);
    let mut open: Option<(usize, usize)> = None;
    for (at, c) in text.char_indices() {
        if let Some((char, byte)) = open
            && (c.is_whitespace() || count - char >= LONGEST_WORD)
        {
            words.push(Word { chars: (char, count), bytes: (byte, at) });
            open = None;
        }
        if open.is_none() && !c.is_whitespace() {
            open = Some((count, at));
        }
        count += 1;
    }
    words.extend(open.map(|(char, byte)| Word { chars: (char, count), bytes: (byte, text.len()) }));
    words
}

/// All passages of a text, each with a part of the one before it.
fn passages(words: &[Word]) -> Vec<&[Word]> {
    let (mut passages, mut start) = (Vec::new(), 0);
    while let Some(first) = words.get(start) {
        let fits = words[start..].iter().take(PASSAGE).take_while(|word| word.chars.1 - first.chars.0 <= PASSAGE_CHARS);
        let count = fits.count().max(1);
        passages.push(&words[start..start + count]);
        if start + count == words.len() {
            break;
        }
        start += count - count * OVERLAP / PASSAGE;
    }
    passages
}

/// The passages that are searched: all, or as many from the first to the last one.
fn spread<'a>(all: &[&'a [Word]]) -> Vec<&'a [Word]> {
    if all.len() <= PASSAGES {
        return all.to_vec();
    }
    (0..PASSAGES).map(|place| all[place * (all.len() - 1) / (PASSAGES - 1)]).collect()
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
    let before: Vec<&Word> = passage.iter().filter(|word| word.bytes.1 <= from).collect();
    let after: Vec<&Word> = passage.iter().filter(|word| word.bytes.0 >= to).collect();
    let piece = |words: &[&Word]| words.first().zip(words.last()).map(|(a, b)| &text[a.bytes.0..b.bytes.1]);
    let left: Vec<&str> = [before, after].iter().filter_map(|words| piece(words)).collect();
    left.join(" ")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::Calibration;
    use super::super::{Class, HEADS};
    use super::*;

    /// Finds hate in the word "bad", and notes how many characters each text has that it reads.
    struct Bad(Mutex<Vec<usize>>);

    /// How many texts a model has read since this was asked last.
    fn take(model: &Bad) -> usize {
        std::mem::take(&mut *model.0.lock().unwrap()).len()
    }

    impl TextModel for Bad {
        fn version(&self) -> &'static str {
            "bad"
        }

        fn calibrations(&self) -> &[Calibration; HEADS] {
            &[Calibration { slope: 1.0, bias: 0.0, label: 0.5, hide: None }; HEADS]
        }

        fn read(&self, texts: &[&str]) -> anyhow::Result<Vec<Scores>> {
            self.0.lock().unwrap().extend(texts.iter().map(|text| text.chars().count()));
            let score = |text: &&str| {
                let mut scores = [0.1; HEADS];
                scores[Head::Hate as usize] +=
                    0.4 * f32::from(u8::try_from(text.matches("bad").count().min(2)).unwrap());
                Scores {
                    scores,
                    labels: [false; HEADS],
                    hides: [false; HEADS],
                    class: Class::Neither,
                    is_partial: false,
                }
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
        let text = format!("{} bad {}", "good ".repeat(700), "good ".repeat(1_200));
        let spans = explain(&model, &text, Head::Hate).unwrap();
        assert_eq!(spans.len(), 1);
        assert!((spans[0].start..spans[0].end).contains(&3_502), "{spans:?}");
        let read = take(&model);
        assert!(read < PASSAGES + READINGS, "{read} readings");
        // The other head has its highest score elsewhere; the same head is read no second time.
        let heads = [Head::Hate, Head::Threat, Head::Hate];
        let found = explain_heads(&model, &text, &heads, Instant::now() + BUDGET).unwrap();
        assert_eq!(found, Occlusion { heads: vec![spans.clone(), Vec::new(), spans], is_partial: false });
        let read = take(&model);
        assert!(read <= PASSAGES + 2 * (READINGS - 1), "{read} readings: the passages, and the parts of two of them");
    }

    /// A megabyte costs as many readings as a long text, and none of them is longer, whatever fills it; the explanation says that it is one of
    /// a part.
    #[test]
    fn a_megabyte_is_explained_in_part() {
        let fillings = ["good ".repeat(200_000), "x".repeat(1_000_000), "word\n\n\n".repeat(140_000)];
        for filling in fillings {
            let model = Bad(Mutex::default());
            let text = format!("{filling} they are bad");
            let found = explain_heads(&model, &text, &[Head::Hate, Head::Spam], Instant::now() + BUDGET).unwrap();
            assert!(found.is_partial, "{text:.20}");
            let [hate, _] = &found.heads[..] else { panic!("two heads") };
            let end = text.chars().count();
            assert!(hate.first().is_some_and(|span| span.end == end), "the end is searched: {hate:?}");
            let longest = model.0.lock().unwrap().iter().copied().max().unwrap();
            assert!(longest <= PASSAGE_CHARS, "{longest} characters at once of {text:.20}");
            let read = take(&model);
            assert!(read <= PASSAGES + 2 * (READINGS - 1), "{read} readings of {text:.20}");
        }
    }

    /// When the time is over, nothing more is read, and the explanation says so.
    #[test]
    fn an_explanation_ends_with_its_time() {
        let model = Bad(Mutex::default());
        let found = explain_heads(&model, "they are bad", &[Head::Hate, Head::Spam], Instant::now()).unwrap();
        assert_eq!(found, Occlusion { heads: vec![Vec::new(), Vec::new()], is_partial: true });
        assert_eq!(take(&model), 0);
        // What is left of the time when the passage was read is left for its parts.
        let (parts, is_whole) = read_parts(&model, "they are bad", &words("they are bad"), Instant::now()).unwrap();
        assert!(parts.is_empty() && !is_whole);
        let nothing = explain_heads(&model, "", &[Head::Hate], Instant::now()).unwrap();
        assert!(!nothing.is_partial, "of no text nothing is left out");
    }
}
