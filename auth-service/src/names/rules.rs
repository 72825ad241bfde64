//! What is refused in names and other texts that people show: what hides a name, and what disorders the text around it.
//!
//! **Visible.** A name has a character that leaves ink. "   " and U+200B hide whose it is.
//!
//! **Direction.** An override (U+202D, U+202E) shows letters in an order in which they are not, and an embedding or isolate
//! that is not closed turns what a page writes behind the name. So there are no overrides, and what opens is closed (Unicode
//! Standard Annex 9; Technical Report 36, section 2.6).
//!
//! **Joiners.** U+200C and U+200D are invisible, and Persian, the scripts of India and emoji cannot be written without. They
//! stand where RFC 5892, appendices A.1 and A.2, has them, and in two places more: after an Arabic letter that joins to its
//! right only, where they change nothing but many write them, and before a virama, which is how Bengali writes ya-phalaa
//! (Unicode 17, section 12.2). Elsewhere they only make two equal names differ.
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{
    CanonicalCombiningClass, DefaultIgnorableCodePoint, EmojiModifier, ExtendedPictographic, GeneralCategory,
    GeneralCategoryGroup, JoiningType,
};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Characters that leave no ink though their category says so: a braille cell without dots, and a note without a head.
const BLANK: [char; 2] = ['\u{2800}', '\u{1d159}'];
const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';
/// Shows the character before it as a picture.
const EMOJI_PRESENTATION: char = '\u{fe0f}';

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFault {
    Invisible,
    Direction,
    Joiner,
}

impl TextFault {
    /// The sentence and the code for the caller.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Invisible => ("at least one visible character is needed", "value_error.any_str.invisible"),
            Self::Direction => {
                ("marks of writing direction must be closed, and must not override it", "value_error.any_str.direction")
            }
            Self::Joiner => (
                "invisible joiners are allowed only where a script or an emoji needs them",
                "value_error.any_str.joiner",
            ),
        }
    }
}

/// The form of a text that is stored: NFC.
pub fn compose(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

/// What is wrong with a name. None at all is no fault: an empty text is how the contract's clients leave one out.
pub fn name_fault(text: &str) -> Option<TextFault> {
    if !text.is_empty() && !text.chars().any(is_visible) {
        return Some(TextFault::Invisible);
    }
    text_fault(text).or_else(|| (!joiners_are_needed(text)).then_some(TextFault::Joiner))
}

/// What is wrong with any text that others see.
pub fn text_fault(text: &str) -> Option<TextFault> {
    (!directions_are_closed(text)).then_some(TextFault::Direction)
}

fn is_visible(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    let ink = [
        GeneralCategoryGroup::Letter,
        GeneralCategoryGroup::Number,
        GeneralCategoryGroup::Punctuation,
        GeneralCategoryGroup::Symbol,
    ];
    ink.iter().any(|group| group.contains(category))
        && !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        && !BLANK.contains(&c)
}

/// Whether embeddings and isolates are closed in the reverse order in which they were opened, and nothing is overridden.
fn directions_are_closed(text: &str) -> bool {
    let mut open = Vec::new();
    for c in text.chars() {
        match c {
            '\u{202d}' | '\u{202e}' => return false,
            '\u{202a}' | '\u{202b}' => open.push('\u{202c}'),
            '\u{2066}'..='\u{2068}' => open.push('\u{2069}'),
            '\u{202c}' | '\u{2069}' if open.pop() != Some(c) => return false,
            _ => {}
        }
    }
    open.is_empty()
}

fn joiners_are_needed(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let mut places = characters.iter().enumerate().filter(|(_, c)| [NON_JOINER, JOINER].contains(c));
    places.all(|(place, joiner)| is_needed(&characters[..place], *joiner, &characters[place + 1..]))
}

fn is_needed(before: &[char], joiner: char, after: &[char]) -> bool {
    let is_virama =
        |c: &char| CodePointMapData::<CanonicalCombiningClass>::new().get(*c) == CanonicalCombiningClass::Virama;
    if before.last().is_some_and(is_virama) {
        return true;
    }
    if joiner == JOINER {
        let is_letter =
            |c: &char| GeneralCategoryGroup::Letter.contains(CodePointMapData::<GeneralCategory>::new().get(*c));
        let joins_emoji = is_emoji(before.iter().rev()) && is_emoji(after.iter());
        return joins_emoji || before.last().is_some_and(is_letter) && after.first().is_some_and(is_virama);
    }
    let joins = |types: &[JoiningType], next: Option<JoiningType>| next.is_some_and(|next| types.contains(&next));
    joins(
        &[JoiningType::LeftJoining, JoiningType::DualJoining, JoiningType::RightJoining],
        joining(before.iter().rev()),
    ) && joins(&[JoiningType::RightJoining, JoiningType::DualJoining], joining(after.iter()))
}

/// How the next letter joins; marks on it do not count.
fn joining<'a>(characters: impl Iterator<Item = &'a char>) -> Option<JoiningType> {
    let types = CodePointMapData::<JoiningType>::new();
    characters.map(|c| types.get(*c)).find(|kind| *kind != JoiningType::Transparent)
}

/// Whether the next character is a picture; what modifies one does not count.
fn is_emoji<'a>(mut characters: impl Iterator<Item = &'a char>) -> bool {
    let modifiers = CodePointSetData::new::<EmojiModifier>();
    let next = characters.find(|c| **c != EMOJI_PRESENTATION && !modifiers.contains(**c));
    next.is_some_and(|c| CodePointSetData::new::<ExtendedPictographic>().contains(*c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leaves_ink() {
        let blank = [
            "   ",
            "\u{200b}",
            "\u{2060}\u{2060}",
            "\u{3164}",
            "\u{115f}\u{1160}",
            "\u{2800}",
            "\u{180e}",
            "\u{ad}",
            "\u{feff}",
            "\u{e0061}",
            "\u{200d}",
            "\u{301}",
            "\u{3000}",
            "\u{2028}",
            "\u{202a}\u{202c}",
            "\u{1d159}",
        ];
        for blank in blank {
            assert_eq!(name_fault(blank), Some(TextFault::Invisible), "{blank:?}");
        }
        for name in
            ["", "X Æ A-12", "O'Neill-Ång", "Ngũgĩ wa Thiong'o", "伟", "김", "أحمد", "שָׁלוֹם", "ஜெயலலிதா", "🦊", "!"]
        {
            assert_eq!(name_fault(name), None, "{name:?}");
        }
    }

    #[test]
    fn what_turns_the_direction_is_closed() {
        let open = [
            "\u{202e}anna",
            "\u{202d}anna\u{202c}",
            "anna\u{2066}\u{202e}",
            "anna\u{2067}",
            "anna\u{2069}",
            "anna\u{202b}",
            "\u{2066}\u{202a}anna\u{2069}\u{202c}",
        ];
        for open in open {
            assert_eq!(text_fault(open), Some(TextFault::Direction), "{open:?}");
            assert_eq!(name_fault(open), Some(TextFault::Direction), "{open:?}");
        }
        for closed in
            ["\u{2068}דנה\u{2069} Levi", "\u{2067}\u{202a}a\u{202c}\u{2069}", "דנה\u{200f}!", "\u{61c}أ", "\u{200e}a"]
        {
            assert_eq!(name_fault(closed), None, "{closed:?}");
        }
    }

    #[test]
    fn joiners_stand_where_a_script_needs_them() {
        let honest = [
            ("Persian, between letters that would join", "می\u{200c}خواهم"),
            ("Persian, with a mark on the letter", "بِ\u{200c}ب"),
            ("Persian, after a letter that does not join, as many write it", "زهرا\u{200c}سادات"),
            ("Sinhala, after a virama", "ශ්\u{200d}රී"),
            ("Hindi, after a virama", "क्\u{200c}ष"),
            ("Bengali, before a virama", "র\u{200d}্যাচেল"),
            ("a flag", "🏳️\u{200d}⚧️ Robin"),
            ("a profession in a tone of skin", "👩🏽\u{200d}🚀"),
        ];
        for (what, name) in honest {
            assert_eq!(name_fault(name), None, "{what}");
        }
        for idle in [
            "an\u{200c}na",
            "an\u{200d}na",
            "anna\u{200d}",
            "\u{200c}anna",
            "ب\u{200c}",
            "ب\u{200d}ب",
            "🦊\u{200d}a",
            "王\u{200d}伟",
        ] {
            assert_eq!(name_fault(idle), Some(TextFault::Joiner), "{idle:?}");
            assert_eq!(text_fault(idle), None, "{idle:?}");
        }
    }

    #[test]
    fn what_is_stored_is_composed() {
        assert_eq!(compose("Zoe\u{308}"), "Zo\u{eb}");
        assert_eq!(compose("\u{212b}sa \u{ac00}\u{11a8}"), "\u{c5}sa \u{ac01}");
        assert_eq!(compose("ﬁ"), "ﬁ", "compatibility forms stay as they were written");
    }
}
