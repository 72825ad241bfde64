//! The names of tags: which texts are one, and which spellings are one tag.
//!
//! **Which.** A name is a hashtag identifier of Unicode Standard Annex 31 (UAX31-R8) in a profile: letters, marks, digits and
//! `_` (`XID_Continue`), and between them the joiners that Persian and the scripts of India need, and the geresh of Hebrew.
//! Emoji, `+` and `-` end a name, as they do on the other platforms that people write for. It begins with no mark, which would
//! belong to the sign before it, and has a letter: `#1` is a number.
//!
//! **One tag.** Spellings are compared as `NFKC_Casefold` has them: without invisible characters, in compatibility composition and
//! full case folding. `#Straße`, `#STRASSE` and `#ｓｔｒａｓｓｅ` are one tag; diacritics make two, since words differ by them.
use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup, XidContinue};
use icu_properties::{CodePointMapData, CodePointSetData};

/// The longest name, in characters, as it is written and as it is compared: longer ones are sentences without blanks.
pub const MAX_TAG_NAME: usize = 64;

/// What stands within a name and at none of its ends: the invisible joiners, geresh and gershayim.
const MEDIAL: [char; 4] = ['\u{200c}', '\u{200d}', '\u{5f3}', '\u{5f4}'];

/// Whether a character is part of a word, and so of a name.
pub fn is_word(c: char) -> bool {
    // The properties are tables that are found in many steps; most characters are ASCII.
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    CodePointSetData::new::<XidContinue>().contains(c) && !is_invisible(c)
}

/// Whether a character may stand within a name.
pub fn is_within(c: char) -> bool {
    is_word(c) || MEDIAL.contains(&c)
}

/// Whether a character leaves no ink: joiners, and what selects a variant of the character before.
fn is_invisible(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// What a name is compared by; none when the text is no name.
pub fn tag_identity(name: &str) -> Option<String> {
    let categories = CodePointMapData::<GeneralCategory>::new();
    let is_in = |group: GeneralCategoryGroup, c| group.contains(categories.get(c));
    let (first, last) = (name.chars().next()?, name.chars().next_back()?);
    let is_long = |text: &str| text.chars().nth(MAX_TAG_NAME).is_some();
    let has_form = !is_long(name)
        && name.chars().all(is_within)
        && is_word(first)
        && !is_in(GeneralCategoryGroup::Mark, first)
        && !MEDIAL.contains(&last)
        && name.chars().any(|c| is_in(GeneralCategoryGroup::Letter, c));
    let identity = has_form.then(|| fold(name))?;
    (!identity.is_empty() && !is_long(&identity)).then_some(identity)
}

/// The form of a text in which it is compared.
fn fold(text: &str) -> String {
    let decompose = DecomposingNormalizerBorrowed::new_nfkd();
    let visible: String = decompose.normalize(text).chars().filter(|c| !is_invisible(*c)).collect();
    let folded = CaseMapper::new().fold_string(&visible).into_owned();
    ComposingNormalizerBorrowed::new_nfkc().normalize(&folded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_tag_are_compared_as_one() {
        for (spellings, identity) in [
            (&["Rust", "rust", "RUST", "Ｒｕｓｔ"][..], "rust"),
            (&["Straße", "STRASSE", "strasse"], "strasse"),
            (&["Zo\u{eb}", "Zoe\u{308}", "ZOË"], "zoë"),
            (&["ΟΔΥΣΣΕΥΣ", "οδυσσευς", "οδυσσευσ"], "οδυσσευσ"),
            (&["می\u{200c}خواهم", "میخواهم"], "میخواهم"),
            (&["ガ", "ｶﾞ", "カ\u{3099}"], "ガ"),
            (&["snake_case", "SNAKE_CASE"], "snake_case"),
            (&["2026goals", "２０２６Goals"], "2026goals"),
        ] {
            for spelling in spellings {
                assert_eq!(tag_identity(spelling).as_deref(), Some(identity), "{spelling:?}");
            }
            assert_eq!(tag_identity(identity).as_deref(), Some(identity), "what is folded stays");
        }
        assert_ne!(tag_identity("zoe"), tag_identity("zoë"), "diacritics make two tags");
    }

    #[test]
    fn texts_that_are_no_name_have_no_identity() {
        let long = "a".repeat(MAX_TAG_NAME);
        assert_eq!(tag_identity(&long), Some(long.clone()));
        // Short as it is written, and 18 letters for each as it is compared.
        let grows = "\u{fdfa}".repeat(MAX_TAG_NAME);
        for text in [
            "",
            "1",
            "2026",
            "_",
            "a b",
            "a-b",
            "#a",
            "c++",
            "\u{301}a",
            "\u{200d}a",
            "a\u{200d}",
            "🎉",
            &(long + "a"),
            &grows,
        ] {
            assert_eq!(tag_identity(text), None, "{text:?}");
        }
    }
}
