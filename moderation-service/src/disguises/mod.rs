//! Disguises: how the writing of a text hides what it says, and what a reader understands.
//!
//! Two readers want to know, and each for its purpose. A person who judges a text, and a signal, want the text as it is meant and
//! the kinds of disguise by name ([`evasions`]): only what is certain is undone, so that the author is accused of nothing. The text model
//! wants the words of its vocabulary ([`meaning`]): it may guess, since it reads the text as it is written as well. The model undoes
//! disguises by itself ([`meant`]), so whoever asks it gives it the text as it was written, and it reads each text twice at most.
pub mod display;
pub mod evasions;
mod meaning;

use self::evasions::plain_letters;
use self::meaning::undisguise;

/// What a text means for the text model, where that is not what is written; `clean` brings a text into the form that the model
/// reads, `cleaned` is the text in that form, and `word` is the number of a word in its vocabulary.
pub fn meant(
    text: &str,
    cleaned: &str,
    clean: impl Fn(&str) -> String,
    word: impl Fn(&str) -> Option<u32>,
) -> Option<String> {
    let plain = plain_letters(text).map(|plain| clean(&plain)).filter(|plain| plain != cleaned);
    let undone = undisguise(plain.as_deref().unwrap_or(cleaned), word);
    undone.or(plain).filter(|meant| meant != cleaned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters of other alphabets become plain before words are looked for; a text that is what it seems has no second reading.
    #[test]
    fn a_text_is_meant_once_whatever_its_disguises() {
        let word = |word: &str| (word == "kill").then_some(2_001);
        let of = |text: &str| meant(text, text, str::to_owned, word);
        assert_eq!(of("k\u{456}ll them"), Some("kill them".to_owned()));
        assert_eq!(of("k \u{456} l l them"), Some("kill them".to_owned()));
        assert_eq!(of("\u{202e}llik\u{202c} them"), Some("kill them".to_owned()));
        assert_eq!(of("k1ll them"), Some("kill them".to_owned()));
        for text in ["kill them", "Сегодня хорошая погода", "naïve café", ""] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
