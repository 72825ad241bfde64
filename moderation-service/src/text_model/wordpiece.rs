//! `WordPiece`: cuts a text into the tokens of the base model's vocabulary, as Hugging Face's `BertTokenizer` (uncased) does.
//!
//! A text is lowered, freed of accents and cut at white space, punctuation and Chinese characters; each word is then cut into the
//! longest pieces that the vocabulary knows, pieces inside a word beginning with `##`. The fixtures in `wordpiece/` are
//! what the library `tokenizers` makes of the same texts.
use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// A word of more characters is unknown as a whole, as in the original.
const WORD_CHARS: usize = 100;

/// A vocabulary, and how it is applied.
#[derive(Debug)]
pub struct Tokenizer {
    /// Pieces that begin a word.
    first: HashMap<Box<str>, u32>,
    /// Pieces inside a word, without their `##`.
    inner: HashMap<Box<str>, u32>,
    longest: usize,
    unknown: u32,
    /// The token before every text.
    pub start: u32,
    /// The token behind every text.
    pub end: u32,
    /// The number of tokens.
    pub size: usize,
}

impl Tokenizer {
    /// The tokenizer of a vocabulary with a piece per line, whose numbers are their tokens.
    pub fn new(vocabulary: &str) -> anyhow::Result<Self> {
        let (mut first, mut inner, mut longest, mut size) = (HashMap::new(), HashMap::new(), 0, 0);
        for (token, piece) in (0u32..).zip(vocabulary.lines()) {
            let (map, piece) = match piece.strip_prefix("##") {
                Some(rest) if !rest.is_empty() => (&mut inner, rest),
                _ => (&mut first, piece),
            };
            map.insert(piece.into(), token);
            longest = longest.max(piece.chars().count());
            size += 1;
        }
        let special =
            |name: &str| first.get(name).copied().ok_or_else(|| anyhow::anyhow!("the vocabulary has no token {name}"));
        let (unknown, start, end) = (special("[UNK]")?, special("[CLS]")?, special("[SEP]")?);
        Ok(Self { first, inner, longest, unknown, start, end, size })
    }

    /// The number of a word in lower case that is one token; frequent words have low numbers.
    pub fn word(&self, word: &str) -> Option<u32> {
        self.first.get(word).copied()
    }

    /// The tokens of a text, without those at its start and end.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut tokens = Vec::new();
        let mut word: Vec<char> = Vec::new();
        for c in normalise(text) {
            if is_cut(c) || is_punctuation(c) {
                self.cut(&word, &mut tokens);
                word.clear();
                if !c.is_whitespace() {
                    self.cut(&[c], &mut tokens);
                }
            } else {
                word.push(c);
            }
        }
        self.cut(&word, &mut tokens);
        tokens
    }

    /// Appends the pieces of a word, the longest first; a word with a part that no piece covers is unknown as a whole.
    fn cut(&self, word: &[char], tokens: &mut Vec<u32>) {
        if word.is_empty() {
            return;
        }
        if word.len() > WORD_CHARS {
            return tokens.push(self.unknown);
        }
        let (before, mut at) = (tokens.len(), 0);
        while at < word.len() {
            let pieces = if at == 0 { &self.first } else { &self.inner };
            let ends = (at + 1..=word.len().min(at + self.longest)).rev();
            let mut found =
                ends.filter_map(|end| Some((*pieces.get(word[at..end].iter().collect::<String>().as_str())?, end)));
            let Some((token, end)) = found.next() else {
                tokens.truncate(before);
                return tokens.push(self.unknown);
            };
            tokens.push(token);
            at = end;
        }
    }
}

/// Lower case without accents and control characters, white space as blanks.
fn normalise(text: &str) -> impl Iterator<Item = char> + '_ {
    let cleaned = text.chars().filter_map(|c| match c {
        '\t' | '\n' | '\r' => Some(' '),
        '\0' | '\u{fffd}' => None,
        c if c.is_whitespace() => Some(' '),
        c if is_other(c) => None,
        c => Some(c),
    });
    cleaned.nfd().filter(|c| c.general_category() != GeneralCategory::NonspacingMark).flat_map(char::to_lowercase)
}

fn is_other(c: char) -> bool {
    matches!(c.general_category(), GeneralCategory::Control | GeneralCategory::Format | GeneralCategory::PrivateUse)
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || c.general_category_group() == GeneralCategoryGroup::Punctuation
}

/// Whether a character ends the word before it: white space, and each character of Chinese, which is a word of its own.
fn is_cut(c: char) -> bool {
    c.is_whitespace()
        || matches!(u32::from(c),
            0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0x2_0000..=0x2_A6DF | 0x2_A700..=0x2_B73F | 0x2_B740..=0x2_B81F
            | 0x2_B920..=0x2_CEAF | 0xF900..=0xFAFF | 0x2_F800..=0x2_FA1F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Fixtures {
        /// The part of the base model's vocabulary that can match anything in the texts, in its order.
        vocabulary: Vec<String>,
        /// A text and its pieces, as Hugging Face's `tokenizers` 0.23.3 cuts it.
        cases: Vec<(String, Vec<String>)>,
    }

    /// Scripts, accents, case, control characters, punctuation, Chinese, long words: all as the original cuts them.
    #[test]
    fn texts_are_cut_as_by_the_original() {
        let fixtures: Fixtures = serde_json::from_str(include_str!("wordpiece/fixtures.json")).unwrap();
        assert!(fixtures.cases.len() > 100);
        let tokenizer = Tokenizer::new(&fixtures.vocabulary.join("\n")).unwrap();
        let wrong = fixtures.cases.iter().filter_map(|(text, expected)| {
            let pieces: Vec<&str> =
                tokenizer.encode(text).iter().map(|token| fixtures.vocabulary[*token as usize].as_str()).collect();
            (pieces != *expected).then(|| format!("{text:?}: {pieces:?} instead of {expected:?}"))
        });
        assert_eq!(wrong.collect::<Vec<_>>(), Vec::<String>::new());
    }

    #[test]
    fn a_vocabulary_without_its_special_tokens_is_refused() {
        let error = Tokenizer::new("[UNK]\n[CLS]\nword").unwrap_err().to_string();
        assert_eq!(error, "the vocabulary has no token [SEP]");
    }

    /// A megabyte of one word, and of marks that vanish, end at once.
    #[test]
    fn hostile_texts_cost_no_more_than_their_length() {
        let tokenizer = Tokenizer::new("[UNK]\n[CLS]\n[SEP]\na\n##a").unwrap();
        assert_eq!(tokenizer.encode(&"a".repeat(1_000_000)), [0]);
        assert_eq!(tokenizer.encode(&format!("a{}", "\u{301}".repeat(300_000))), [3]);
        assert_eq!(tokenizer.encode(&"a".repeat(100)).len(), 100);
    }
}
