//! Undoes disguises: the text as a reader understands it, and how it was disguised.
//!
//! In this order: what is displayed from right to left is reversed; letters of other alphabets and styles that look like
//! Latin ones become these (NFKC, then the prototypes of Unicode's table of confusables, UTS 39); marks that are stacked on or
//! struck through Latin letters go; so do invisible characters between them; digits and symbols that stand for letters are read
//! as these (`k1ll`); and letters that are spelled with gaps are joined (`k i l l`).
//!
//! Each step keeps off what is not a disguise: a Russian word stays Russian, accents stay, `mp3` and `covid19` are no words
//! with a digit for a letter, the joiners of emoji and of Indic scripts stay. The remaining doubt is harmless, because the text
//! model reads both forms. One pass per step, so the time is in proportion to the length.
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;
use utoipa::ToSchema;

use super::display::{RIGHT_TO_LEFT_OVERRIDE, as_displayed, is_invisible};

/// Characters that are normalised: more than the longest post has with the descriptions of its pictures. NFKC makes up to 18 characters of
/// one. The word lists read as many; of a longer text, which only another service lets through, analyses say that it was read in part.
pub const MAX_CHARS: usize = 20_000;
/// Letters with gaps are one word from here on: shorter runs are abbreviations (`U.S.A`) and lists (`A B C`).
const MIN_SPELLED: usize = 4;
/// The most marks that a letter of any alphabet carries; more are decoration.
const MAX_MARKS: usize = 4;
/// The letters of a word that is hidden behind digits and symbols, at least.
const MIN_LETTERS: usize = 2;
const SOFT_HYPHEN: char = '\u{ad}';

/// A way to disguise a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Evasion {
    /// Displayed from right to left
    Bidi,
    /// Letters of another alphabet or style
    Confusables,
    /// Marks stacked on letters, or struck through them
    Marks,
    /// Invisible characters between letters
    Invisible,
    /// Digits and symbols for letters
    Leet,
    /// Gaps between letters
    Spaced,
}

/// A text without its disguises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normalised {
    pub text: String,
    /// The kinds that were undone, each once, in order.
    pub evasions: Vec<Evasion>,
}

/// Undoes the disguises of a text; of a very long one, those of its beginning.
pub fn normalise(text: &str) -> Normalised {
    let mut found = Vec::new();
    let end = text.char_indices().nth(MAX_CHARS).map_or(text.len(), |(at, _)| at);
    let (beginning, rest) = text.split_at(end);
    let plain = if beginning.is_ascii() { beginning.to_owned() } else { undo_unicode(beginning, &mut found) };
    let mut text = join_spelled(&undo_leet(&plain, &mut found), &mut found);
    text.push_str(rest);
    found.sort_unstable();
    found.dedup();
    Normalised { text, evasions: found }
}

/// A text without the disguises that need more than ASCII; none where it has none of them.
pub fn plain_letters(text: &str) -> Option<String> {
    let end = text.char_indices().nth(MAX_CHARS).map_or(text.len(), |(at, _)| at);
    let (beginning, rest) = text.split_at(end);
    let mut found = Vec::new();
    if beginning.is_ascii() {
        return None;
    }
    let plain = undo_unicode(beginning, &mut found);
    (!found.is_empty()).then(|| plain + rest)
}

/// Undoes the disguises that need more than ASCII.
fn undo_unicode(text: &str, found: &mut Vec<Evasion>) -> String {
    if text.contains(RIGHT_TO_LEFT_OVERRIDE) {
        found.push(Evasion::Bidi);
    }
    let text = drop_invisible(&as_displayed(text), found);
    let text = drop_marks(&unstyle(&text, found), found);
    replace_confusables(&text, found)
}

fn is_latin(c: char) -> bool {
    c.is_alphabetic() && matches!(c, '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
}

/// Removes invisible characters that stand between two Latin letters, or between one and a digit.
fn drop_invisible(text: &[char], found: &mut Vec<Evasion>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let length = text[at..].iter().take_while(|c| is_invisible(**c)).count();
        if length == 0 {
            out.push(text[at]);
            at += 1;
            continue;
        }
        let run = &text[at..at + length];
        at += length;
        let (before, after) = (out.chars().next_back(), text.get(at).copied());
        let is_latin = |c: Option<char>| c.is_some_and(|c| c.nfkc().any(|c| is_latin(look_alike(c))));
        // A digit may stand for a letter.
        let fits = |c: Option<char>| is_latin(c) || c.is_some_and(|c| c.is_ascii_digit());
        if fits(before) && fits(after) && (is_latin(before) || is_latin(after)) {
            // Soft hyphens are how long words are made to break.
            if run.iter().any(|c| *c != SOFT_HYPHEN) {
                found.push(Evasion::Invisible);
            }
        } else {
            out.extend(run);
        }
    }
    out
}

/// Writes letters of mathematical, circled, full-width and other styles as plain ones; ligatures, too, which are no disguise.
fn unstyle(text: &str, found: &mut Vec<Evasion>) -> String {
    let is_styled = |c: char| {
        // The ordinals of Spanish and Italian are no style.
        if c.is_ascii() || matches!(c, 'ª' | 'º') {
            return false;
        }
        let mut plain = c.nfkc();
        plain.next().is_some_and(|c| c.is_ascii_alphabetic()) && plain.next().is_none()
    };
    if text.chars().any(is_styled) {
        found.push(Evasion::Confusables);
    }
    text.nfkc().collect()
}

/// Removes marks that Latin letters are struck through or piled up with, and what is more than any alphabet needs.
fn drop_marks(text: &str, found: &mut Vec<Evasion>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(base) = characters.next() {
        out.push(base);
        let (mut marks, mut kept, mut is_struck) = (0, String::new(), false);
        while let Some(mark) = characters.next_if(|c| is_combining_mark(*c)) {
            marks += 1;
            is_struck |= matches!(mark, '\u{332}'..='\u{338}' | '\u{20d2}'..='\u{20e5}');
            if marks <= MAX_MARKS {
                kept.push(mark);
            }
        }
        let is_pile = is_latin(base) && (is_struck || marks > 1);
        if is_pile || marks > MAX_MARKS {
            found.push(Evasion::Marks);
        }
        if is_pile {
            // The first mark of a pile may have become one with its letter.
            out.pop();
            out.extend(base.nfd().next());
        } else {
            out.push_str(&kept);
        }
    }
    out
}

/// Replaces letters of other alphabets in words that read as Latin with them: those that mix alphabets, and, in a text that is
/// Latin otherwise, those that look Latin as a whole.
fn replace_confusables(text: &str, found: &mut Vec<Evasion>) -> String {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let is_latin_text = 2 * text.chars().filter(|c| is_latin(*c)).count() > letters;
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let foreign = piece.chars().filter(|c| c.is_alphabetic() && !is_latin(*c)).count();
        let is_mixed = piece.chars().any(is_latin);
        if foreign == 0 || !(is_mixed || is_latin_text) {
            out.push_str(piece);
            continue;
        }
        let replaced: String = piece.chars().map(look_alike).collect();
        if replaced.chars().filter(|c| c.is_alphabetic()).all(is_latin) {
            found.push(Evasion::Confusables);
            out.push_str(&replaced);
        } else {
            out.push_str(piece);
        }
    }
    out
}

/// The Latin letter that a letter looks like, or the letter itself. Of the alphabets that share forms with Latin only: the
/// table also has strokes of Arabic and Hebrew, which no reader takes for Latin in their words.
fn look_alike(c: char) -> char {
    let may_be = matches!(
        c,
        // Phonetic, Greek, Cyrillic, Armenian; Georgian, Cherokee, small capitals, Greek with accents; Coptic, Lisu and more.
        '\u{250}'..='\u{2af}' | '\u{370}'..='\u{58f}' | '\u{10a0}'..='\u{10ff}' | '\u{13a0}'..='\u{13ff}'
            | '\u{1d00}'..='\u{1dbf}' | '\u{1f00}'..='\u{1fff}' | '\u{2c60}'..='\u{2cff}' | '\u{a4d0}'..='\u{a4ff}'
            | '\u{a640}'..='\u{a7ff}' | '\u{ab30}'..='\u{abbf}'
    );
    if !may_be {
        return c;
    }
    let text = c.to_string();
    let mut prototype = skeleton(&text);
    match (prototype.next(), prototype.next()) {
        (Some(plain), None) if plain.is_ascii_alphabetic() => plain,
        _ => c,
    }
}

/// The letter that a digit or symbol stands for within a word.
fn unleet(c: char) -> Option<char> {
    Some(match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        '8' => 'b',
        '|' => 'l',
        _ => return None,
    })
}

/// Reads digits and symbols within words as letters.
fn undo_leet(text: &str, found: &mut Vec<Evasion>) -> String {
    if !text.chars().any(|c| unleet(c).is_some()) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(char::is_whitespace) {
        match read_leet(piece) {
            Some(word) => {
                found.push(Evasion::Leet);
                out.push_str(&word);
            }
            None => out.push_str(piece),
        }
    }
    out
}

/// The word behind a piece of text without blanks; none when it is no such word. A character stands for a letter between two
/// letters, and a `$` also before them; digits at the end, as in `mp3`, are digits.
fn read_leet(piece: &str) -> Option<String> {
    let chars: Vec<char> = piece.chars().collect();
    let letters = chars.iter().filter(|c| c.is_alphabetic()).count();
    let is_address = piece.starts_with(['@', '#', '/']) || piece.contains("://") || piece.contains("www.");
    let is_mail = piece.split_once('@').is_some_and(|(_, host)| host.contains('.'));
    // A digit that stands for no letter: a code, a size, a hash.
    let is_code = chars.iter().any(|c| c.is_ascii_digit() && unleet(*c).is_none());
    if letters < MIN_LETTERS || is_address || is_mail || is_code {
        return None;
    }
    let (mut out, mut replaced, mut at) = (String::with_capacity(piece.len()), 0, 0);
    while at < chars.len() {
        let run = chars[at..].iter().take_while(|c| unleet(**c).is_some()).count();
        if run == 0 {
            out.push(chars[at]);
            at += 1;
            continue;
        }
        let here = &chars[at..at + run];
        let after = chars.get(at + run).is_some_and(|c| c.is_alphabetic());
        let before = at > 0 && chars[at - 1].is_alphabetic();
        at += run;
        if after && (before || here == ['$']) {
            replaced += run;
            out.extend(here.iter().filter_map(|c| unleet(*c)));
        } else {
            out.extend(here);
        }
    }
    (replaced > 0 && replaced <= letters).then_some(out)
}

/// Joins letters that are spelled with gaps.
fn join_spelled(text: &str, found: &mut Vec<Evasion>) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let begins = at == 0 || !chars[at - 1].is_alphanumeric();
        let word = if begins { spelled(&chars[at..]) } else { None };
        if let Some((word, length)) = word {
            found.push(Evasion::Spaced);
            out.push_str(&word);
            at += length;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// The word that begins here and is spelled with the same gap after each letter, and how many characters it takes.
fn spelled(chars: &[char]) -> Option<(String, usize)> {
    let gap = *chars.get(1).filter(|c| matches!(c, ' ' | '.' | '-' | '_' | '*' | '~' | '·'))?;
    let mut word = String::new();
    let mut at = 0;
    while chars.get(at).is_some_and(|c| c.is_alphabetic())
        && chars.get(at + 1).is_none_or(|next| !next.is_alphanumeric())
    {
        word.push(chars[at]);
        at += 1;
        if chars.get(at) != Some(&gap) {
            break;
        }
        at += 1;
    }
    // The gap behind the last letter belongs to what follows.
    let length = if at > 0 && chars.get(at - 1) == Some(&gap) { at - 1 } else { at };
    (word.chars().count() >= MIN_SPELLED).then_some((word, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each disguise is undone, and named.
    #[test]
    fn disguises_are_undone_and_named() {
        use Evasion::{Bidi, Confusables, Invisible, Leet, Marks, Spaced};
        let cases: [(&str, &str, &[Evasion]); 19] = [
            ("k1ll y0urself", "kill yourself", &[Leet]),
            ("you f@ggot", "you faggot", &[Leet]),
            ("N1GG3R", "NiGGeR", &[Leet]),
            ("holy sh!t, $hit", "holy shit, shit", &[Leet]),
            ("k i l l yourself", "kill yourself", &[Spaced]),
            ("f.u.c.k you", "fuck you", &[Spaced]),
            ("f-a-g-g-o-t", "faggot", &[Spaced]),
            ("kill\u{200b}ing", "killing", &[Invisible]),
            ("ki\u{2060}\u{200d}ll", "kill", &[Invisible]),
            ("k\u{456}ll you", "kill you", &[Confusables]),
            ("\u{430}ss in the h\u{43e}le", "ass in the hole", &[Confusables]),
            ("\u{ff4b}\u{ff49}\u{ff4c}\u{ff4c}", "kill", &[Confusables]),
            ("\u{1d424}\u{1d422}\u{1d425}\u{1d425}", "kill", &[Confusables]),
            ("\u{24da}\u{24d8}\u{24db}\u{24db}", "kill", &[Confusables]),
            ("k\u{336}i\u{336}l\u{336}l\u{336}", "kill", &[Marks]),
            ("k\u{301}\u{302}\u{303}ill", "kill", &[Marks]),
            ("\u{202e}llik\u{202c} you", "kill you", &[Bidi]),
            ("\u{202e}ll1k\u{202c}", "kill", &[Bidi, Leet]),
            ("k\u{200b}\u{456}\u{200b}l\u{200b}1ng", "kiling", &[Confusables, Invisible, Leet]),
        ];
        for (text, plain, evasions) in cases {
            let normalised = normalise(text);
            assert_eq!((normalised.text.as_str(), &normalised.evasions[..]), (plain, evasions), "{text:?}");
        }
    }

    /// What only looks like a disguise stays as it is, and is not held against its author.
    #[test]
    fn false_friends_stay_as_they_are() {
        let texts = [
            "An mp3 about covid19 on x86, 4th of July, 10am, h2o, b2b, 3D, 100%",
            "Mail anna@example.com or @anna_1 at https://example.com/a1b?c=d3e, #sh1t",
            "sha256 ff88a9f2a2283fa29b2006 and the U.S.A. with its A B C",
            "C++ and C# are 2 languages! Really? I+II, yes!",
            "naïve café, Zoë, Łódź, Ångström, ¿Qué?, Việt Nam, 1º y 2ª",
            "Сегодня хорошая погода, а сор и нос",
            "Москва is the capital of Россия",
            "সুন্দর আবহাওয়া, क्‍ष, نمی‌خواهم, שָׁלוֹם",
            "👨‍👩‍👧‍👦 ❤️ 🏳️‍🌈",
            "Donau\u{ad}dampf\u{ad}schiff",
            "I am a U.S. citizen, e.g. one of a kind",
            "今天天气很好。 한국어 日本語",
        ];
        for text in texts {
            let normalised = normalise(text);
            assert_eq!(normalised.evasions, [], "{text}: {}", normalised.text);
        }
        assert_eq!(normalise("Donau\u{ad}dampf").text, "Donaudampf");
        assert_eq!(normalise("ﬁne oﬃce").text, "fine office");
    }

    /// A megabyte of anything costs bounded time, and becomes no longer than NFKC makes its beginning.
    #[test]
    fn hostile_texts_end() {
        let floods = ["a\u{301}\u{302}\u{303}", "\u{202e}a", "😂", "a ", "1a", "k\u{200b}", "\u{fdfa}", "\u{430}", "@"];
        for flood in floods {
            let text = flood.repeat(1_000_000 / flood.len());
            let started = std::time::Instant::now();
            let normalised = normalise(&text);
            assert!(started.elapsed().as_secs() < 10, "{flood:?} took {:?}", started.elapsed());
            assert!(normalised.text.len() <= text.len() + 12 * 4 * MAX_CHARS, "{flood:?}");
        }
    }
}
