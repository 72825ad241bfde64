//! Words: how a text is cut into what can be found, the same way when it is indexed, searched for, and shown with marks.
//!
//! Postgres cuts texts by the locale of its database, knows no emoji, and takes a Chinese sentence for one word. So the text
//! that it gets is cut here, and is a list of words with blanks between them, which every locale cuts alike:
//!
//! - A word is a run of letters and digits with their marks. It is kept as written, in lower case, since stemmers read accents;
//!   and folded, without accents: `Çelik` is found by `celik`.
//! - Where a script has no blanks between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese), and in Korean, whose particles
//!   stand behind words without one, each two neighbours are a word: 東京都 is 東京 and 京都. A query is cut likewise, and
//!   its pairs are a phrase, so what is found contains the whole run. Single characters are found by [`singles`].
//! - An emoji is a word of its number: 😀 is `u1f600`.
use std::ops::{Range, RangeInclusive};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The longest word, in characters; of a longer one the beginning counts. It keeps a word below the 2,046 bytes that Postgres
/// indexes.
const MAX_WORD: usize = 100;

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Where it is in the text, in bytes.
    pub range: Range<usize>,
    /// As it is written, in lower case.
    pub written: String,
    /// Without accents.
    pub folded: String,
    /// Whether it is one of the pairs, or the one character, of a run without blanks.
    pub is_unspaced: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Unspaced,
    Emoji,
    Other,
}

/// The scripts without blanks between words, and Korean.
const UNSPACED: [RangeInclusive<char>; 15] = [
    // Thai and Lao, Burmese, Khmer.
    '\u{e01}'..='\u{edf}',
    '\u{1000}'..='\u{109f}',
    '\u{1780}'..='\u{17d3}',
    // Kana, with the marks of length and repetition.
    '\u{3041}'..='\u{3096}',
    '\u{309d}'..='\u{309f}',
    '\u{30a1}'..='\u{30fa}',
    '\u{30fc}'..='\u{30ff}',
    '\u{31f0}'..='\u{31ff}',
    '\u{ff66}'..='\u{ff9f}',
    // Han.
    '\u{3005}'..='\u{3007}',
    '\u{3400}'..='\u{4dbf}',
    '\u{4e00}'..='\u{9fff}',
    '\u{f900}'..='\u{faff}',
    '\u{20000}'..='\u{3ffff}',
    // Hangul.
    '\u{ac00}'..='\u{d7a3}',
];

fn class(c: char) -> Class {
    match c {
        c if UNSPACED.iter().any(|script| script.contains(&c)) => Class::Unspaced,
        '\u{2600}'..='\u{27bf}' | '\u{1f000}'..='\u{1faff}' => Class::Emoji,
        c if c.is_alphanumeric() || is_combining_mark(c) => Class::Letter,
        _ => Class::Other,
    }
}

/// The words of a text, in its order.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((start, first)) = rest.next() {
        let class_of_run = class(first);
        let mut places = vec![start];
        let mut end = start + first.len_utf8();
        // Each emoji is a word of its own.
        while let Some((at, c)) = rest.next_if(|(_, c)| class_of_run != Class::Emoji && class(*c) == class_of_run) {
            places.push(at);
            end = at + c.len_utf8();
        }
        match class_of_run {
            Class::Other => {}
            // The sign for a variant of what stands before it is a mark, and no word.
            Class::Letter if text[start..end].chars().all(is_combining_mark) => {}
            Class::Letter => words.extend(word(text, start..end, false)),
            Class::Emoji => {
                let name = format!("u{:x}", u32::from(first));
                words.push(Word { range: start..end, written: name.clone(), folded: name, is_unspaced: false });
            }
            Class::Unspaced => {
                places.push(end);
                let pairs = if places.len() > 2 { 2 } else { 1 };
                words.extend(places.windows(pairs + 1).filter_map(|run| word(text, run[0]..run[pairs], true)));
            }
        }
    }
    words
}

fn word(text: &str, range: Range<usize>, is_unspaced: bool) -> Option<Word> {
    let written: String = text[range.clone()].nfkc().flat_map(lower).take(MAX_WORD).collect();
    // A compatibility form may become two words (½ is 1⁄2); a blank or a sign in it would be one more word for Postgres.
    let written: String =
        written.chars().filter(|c| class(*c) != Class::Other).skip_while(|c| is_combining_mark(*c)).collect();
    let folded = fold(&written);
    (!folded.is_empty()).then_some(Word { range, written, folded, is_unspaced })
}

/// Lower case; İ is one letter, also where the standard has two.
fn lower(c: char) -> impl Iterator<Item = char> {
    let c = if c == 'İ' { 'i' } else { c };
    c.to_lowercase()
}

/// A text without case and accents. What has no decomposition, as ø, gets the letters that are written where it is missing.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    // An accent is dropped behind a Latin or Greek letter only: elsewhere it makes another letter, as й of и.
    let mut drops = false;
    for c in text.nfkd().flat_map(lower) {
        match c {
            '\u{300}'..='\u{36f}' if drops => continue,
            'ı' => folded.push('i'),
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'þ' => folded.push_str("th"),
            'ς' => folded.push('σ'),
            other => folded.push(other),
        }
        drops = matches!(c, 'a'..='z' | '\u{df}'..='\u{24f}' | '\u{370}'..='\u{3ff}');
    }
    folded.nfc().map(|c| if c == 'ё' { 'е' } else { c }).collect()
}

/// Each character of the runs without blanks, once: by these a query of one character is found.
pub fn singles(words: &[Word]) -> Vec<String> {
    let mut singles: Vec<String> =
        words.iter().filter(|word| word.is_unspaced).flat_map(|word| word.folded.chars().map(String::from)).collect();
    singles.sort_unstable();
    singles.dedup();
    singles
}

/// The words with blanks between them, as Postgres gets them: folded, or as they are written.
pub fn join(words: &[Word], part: fn(&Word) -> &str) -> String {
    words.iter().map(part).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.folded).collect()
    }

    /// Words are cut and folded alike, whatever the script.
    #[test]
    fn words_of_all_scripts_are_cut() {
        let cases: [(&str, &[&str]); 14] = [
            ("The quick, brown fox!", &["the", "quick", "brown", "fox"]),
            ("Café ÉLAN naïve", &["cafe", "elan", "naive"]),
            ("İstanbul ISTANBUL ısı", &["istanbul", "istanbul", "isi"]),
            ("Straße Øresund Łódź Æon", &["strasse", "oresund", "lodz", "aeon"]),
            ("Чёрный йод", &["черный", "йод"]),
            ("東京都", &["東京", "京都"]),
            ("猫", &["猫"]),
            ("ラーメン屋で", &["ラー", "ーメ", "メン", "ン屋", "屋で"]),
            ("서울에서 만나", &["서울", "울에", "에서", "만나"]),
            ("Rust言語2", &["rust", "言語", "2"]),
            ("party 🎉🎉!", &["party", "u1f389", "u1f389"]),
            ("don't e-mail a_b", &["don", "t", "e", "mail", "a", "b"]),
            ("हिन्दी भाषा", &["हिन्दी", "भाषा"]),
            ("… — \u{fe0f}", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(folded(text), expected, "{text}");
        }
    }

    /// A word knows its place, so that it can be marked in the text as it was written.
    #[test]
    fn a_word_knows_where_it_is() {
        let text = "Ein Größenwahn, 東京";
        let places: Vec<&str> = words(text).into_iter().map(|word| &text[word.range]).collect();
        assert_eq!(places, ["Ein", "Größenwahn", "東京"]);
        assert_eq!(words("x".repeat(5_000).as_str())[0].folded.len(), MAX_WORD);
    }
}
