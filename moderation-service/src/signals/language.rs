//! The language of a text: the text model reads English, and a person has to look at what it cannot read.
//!
//! Detectors by trigrams are unsure about short and casual English. So a text counts as English first when enough of its words
//! are function words that English alone has. Only then the detector is asked; what it is unsure of is `und`, as in BCP 47, and
//! what has too few letters to say anything is `short`, which the model reads as it is.
use whatlang::{Lang, Script, detect, detect_script};

/// Fewer letters say nothing about a language in Latin script.
const MIN_LETTERS: usize = 24;
/// The share of function words from which on a text is English; in running text about half of the words are.
const ENGLISH_SHARE: f64 = 0.2;
/// What is read of a text: a language shows in its first kilobytes.
const MAX_CHARS: usize = 4_000;

/// A text that is too short to say.
pub const SHORT: &str = "short";
/// A text whose language is unknown.
pub const UNDETERMINED: &str = "und";
/// English, as ISO 639-3 has it.
pub const ENGLISH: &str = "eng";

/// Whether the text model has learned texts of a language: of others its scores mean nothing.
pub fn is_read(language: &str) -> bool {
    [ENGLISH, SHORT].contains(&language)
}

/// Function words of English that are not words of another large language in Latin script.
#[rustfmt::skip]
const FUNCTION_WORDS: &[&str] = &[
    "about", "after", "again", "and", "any", "at", "be", "because", "been", "before", "being", "but", "can", "can't",
    "could", "did", "didn't", "does", "doesn't", "don't", "down", "every", "for", "from", "get", "got", "had", "have",
    "here", "his", "how", "i'm", "if", "in", "into", "is", "it", "it's", "its", "just", "know", "like", "more",
    "never", "not", "now", "of", "off", "only", "other", "our", "out", "over", "she", "should", "some", "than",
    "that", "that's", "the", "their", "them", "then", "there", "these", "they", "they're", "this", "those", "through",
    "to", "too", "up", "very", "we", "were", "what", "when", "where", "which", "who", "why", "with", "would", "you",
    "you're", "your",
];

/// The language of a text: ISO 639-3, or [`SHORT`] or [`UNDETERMINED`].
pub fn detect_language(text: &str) -> &'static str {
    let text: String = text.chars().take(MAX_CHARS).collect();
    let words = text.split_whitespace().filter(|word| !word.contains("://") && !word.starts_with(['@', '#']));
    let text = words.collect::<Vec<_>>().join(" ");
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let is_latin = detect_script(&text).is_none_or(|script| script == Script::Latin);
    if is_latin && letters < MIN_LETTERS {
        return SHORT;
    }
    if is_latin && is_english(&text) {
        return ENGLISH;
    }
    match detect(&text) {
        // A script of one language, or of few, says it whatever the detector makes of the words.
        Some(found) if !is_latin || found.is_reliable() || found.lang() == Lang::Eng => found.lang().code(),
        _ => UNDETERMINED,
    }
}

fn is_english(text: &str) -> bool {
    let lower = text.to_lowercase().replace('\u{2019}', "'");
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| word.chars().any(char::is_alphabetic))
        .collect();
    let known = words.iter().filter(|word| FUNCTION_WORDS.binary_search(word).is_ok()).count();
    #[expect(clippy::cast_precision_loss, reason = "a text has some hundred words")]
    let share = known as f64 / words.len().max(1) as f64;
    share >= ENGLISH_SHARE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_words_are_in_order() {
        assert!(FUNCTION_WORDS.is_sorted());
    }

    #[test]
    fn languages_are_told_apart_and_short_texts_left_alone() {
        let cases = [
            ("lol", SHORT),
            ("Nice one!!!", SHORT),
            ("", SHORT),
            ("😂😂😂", SHORT),
            ("Dams and dykes retard water in Niger.", ENGLISH),
            ("tbh idk what u r on about but its not that bad", ENGLISH),
            ("I hope that you will never come back to this place", ENGLISH),
            ("Der Hund läuft durch den Wald, und das Kind lacht laut über die Fahrt.", "deu"),
            ("El gato negro bebe leche todos los días en la casa de mi abuela y duerme.", "spa"),
            ("Il fait beau aujourd'hui et je vais à la plage avec mes amis.", "fra"),
            ("Сегодня хорошая погода, пойдём гулять.", "rus"),
            ("今天天气很好，我们去公园吧。", "cmn"),
            ("আজ আবহাওয়া ভালো।", "ben"),
        ];
        for (text, language) in cases {
            assert_eq!(detect_language(text), language, "{text}");
        }
    }
}
