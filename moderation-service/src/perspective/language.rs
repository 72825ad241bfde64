//! The language of a comment as Perspective's API has it: by its ISO 639-1 code, and only where something is known of it.
use crate::signals::language::{SHORT, UNDETERMINED, detect_language};

/// The one language that the model has learned.
pub const SUPPORTED: &str = "en";

/// The codes of the detector, which are of ISO 639-3, and those of ISO 639-1.
#[rustfmt::skip]
const CODES: &[(&str, &str)] = &[
    ("afr", "af"), ("aka", "ak"), ("amh", "am"), ("ara", "ar"), ("aze", "az"), ("bel", "be"), ("ben", "bn"), ("bul", "bg"),
    ("cat", "ca"), ("ces", "cs"), ("cmn", "zh"), ("cym", "cy"), ("dan", "da"), ("deu", "de"), ("ell", "el"), ("eng", "en"),
    ("epo", "eo"), ("est", "et"), ("fin", "fi"), ("fra", "fr"), ("guj", "gu"), ("heb", "he"), ("hin", "hi"), ("hrv", "hr"),
    ("hun", "hu"), ("hye", "hy"), ("ind", "id"), ("ita", "it"), ("jav", "jv"), ("jpn", "ja"), ("kan", "kn"), ("kat", "ka"),
    ("khm", "km"), ("kor", "ko"), ("lat", "la"), ("lav", "lv"), ("lit", "lt"), ("mal", "ml"), ("mar", "mr"), ("mkd", "mk"),
    ("mya", "my"), ("nep", "ne"), ("nld", "nl"), ("nob", "nb"), ("ori", "or"), ("pan", "pa"), ("pes", "fa"), ("pol", "pl"),
    ("por", "pt"), ("ron", "ro"), ("rus", "ru"), ("sin", "si"), ("slk", "sk"), ("slv", "sl"), ("sna", "sn"), ("spa", "es"),
    ("srp", "sr"), ("swe", "sv"), ("tam", "ta"), ("tel", "te"), ("tgl", "tl"), ("tha", "th"), ("tuk", "tk"), ("tur", "tr"),
    ("ukr", "uk"), ("urd", "ur"), ("uzb", "uz"), ("vie", "vi"), ("yid", "yi"), ("zul", "zu"),
];

/// The language of a text, by its ISO 639-1 code; none when it has too few letters to say, or is unclear.
pub fn detect(text: &str) -> Option<&'static str> {
    let language = detect_language(text);
    let known = language != SHORT && language != UNDETERMINED;
    known.then(|| CODES.iter().find(|(long, _)| *long == language).map_or(language, |(_, code)| code))
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
