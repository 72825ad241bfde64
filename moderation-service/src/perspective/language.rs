//! The language of a comment, as far as the model asks for it: it has learned English only.
//!
//! A detector guesses, and on few words it guesses badly: "lol ok" is no Vietnamese. So a text counts as foreign when most of its
//! letters are of another script, which is certain, or when it is long enough for the detector to be right.
use whichlang::{Lang, detect_language};

/// The one language that the model has learned.
pub const SUPPORTED: &str = "en";
/// The fewest letters of a text in Latin script from which its language is detected.
const MIN_LETTERS: usize = 40;

/// The language of a text, by its ISO 639-1 code; none when it has too few letters to say, or none at all.
pub fn detect(text: &str) -> Option<&'static str> {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let latin = text.chars().filter(|c| c.is_ascii_alphabetic() || ('À'..='ɏ').contains(c)).count();
    let is_foreign_script = letters > 0 && 2 * latin < letters;
    (is_foreign_script || letters >= MIN_LETTERS).then(|| code(detect_language(text)))
}

fn code(language: Lang) -> &'static str {
    match language {
        Lang::Ara => "ar",
        Lang::Cmn => "zh",
        Lang::Deu => "de",
        Lang::Eng => "en",
        Lang::Fra => "fr",
        Lang::Hin => "hi",
        Lang::Ita => "it",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Nld => "nl",
        Lang::Por => "pt",
        Lang::Rus => "ru",
        Lang::Spa => "es",
        Lang::Swe => "sv",
        Lang::Tur => "tr",
        Lang::Vie => "vi",
    }
}

/// Whether a code is one of English: `en`, `en-GB`, in any case.
pub fn is_supported(code: &str) -> bool {
    code.split(['-', '_']).next().is_some_and(|language| language.eq_ignore_ascii_case(SUPPORTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_told_from_enough_letters_or_from_its_script() {
        for (text, expected) in [
            ("", None),
            ("123 !!! 😀", None),
            ("lol ok", None),
            ("Guten Tag", None),
            ("こんにちは", Some("ja")),
            ("Привет", Some("ru")),
            ("안녕하세요", Some("ko")),
            ("The quick brown fox jumps over the lazy dog and is gone.", Some("en")),
            ("Das Wetter ist heute sehr schön, und wir gehen in den Garten.", Some("de")),
            ("Je ne sais pas pourquoi tu es toujours en colère contre moi.", Some("fr")),
        ] {
            assert_eq!(detect(text), expected, "{text:?}");
        }
        for (code, supported) in [("en", true), ("EN-gb", true), ("en_US", true), ("eng", false), ("de", false)] {
            assert_eq!(is_supported(code), supported, "{code}");
        }
    }
}
