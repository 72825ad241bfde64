//! The form in which names are compared: what is stored for the search, and what is searched for.
//!
//! People write one name in many ways: İsa, isa and ısa, Zoë in one code point or two, Σ at the end of a word or within it,
//! Åsta as Asta. [`fold`] makes them equal: compatibility decomposition, diacritics off, full case folding (Unicode
//! Technical Standard 39 and `NFKC_Casefold` in Annex 31 are near to it; neither drops diacritics), and letters whose stroke
//! or ligature Unicode does not decompose as what people without them type. A mark is a diacritic only where a script can
//! be read without: Latin, Greek, Cyrillic, Hebrew, Arabic. A vowel sign of Hindi or the voicing of a kana is a letter.
//!
//! [`keys`] are a name's beginnings. A search compares the beginning of a key with what is asked for, so a name has a key
//! for each of its words, beginning there and going round: "wei zhang" finds Zhang Wei. Keys have no blanks, because Chinese
//! and Korean names are written with and without. Chinese, Japanese and Korean words have a key for each character, since
//! where the given name begins is not marked.
use std::collections::BTreeSet;

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup, Script};
use icu_properties::{CodePointMapData, CodePointSetData};

/// What folds and makes keys; a change of either is a new version, and rows of older ones are written again.
pub const VERSION: i16 = 1;
/// The longest key, in characters: twice what can be searched for, and far below what an entry of an index holds.
const KEY: usize = 100;
/// The most keys of a name: those of its first characters.
const KEYS: usize = 24;
/// The voicing of kana, which makes another syllable.
const VOICING: [char; 2] = ['\u{3099}', '\u{309a}'];

/// A text as it is compared: alike for all spellings that people take for one.
pub fn fold(text: &str) -> String {
    let decompose = DecomposingNormalizerBorrowed::new_nfkd();
    let bare: String = decompose.normalize(text).chars().filter(|c| !is_dropped(*c)).collect();
    let folded = CaseMapper::new().fold_string(&bare);
    let mut plain = String::with_capacity(folded.len());
    for c in decompose.normalize(&folded).chars().filter(|c| !is_dropped(*c)) {
        match c {
            '\u{131}' => plain.push('i'),
            'ø' => plain.push('o'),
            'ł' => plain.push('l'),
            'đ' | 'ð' => plain.push('d'),
            'ħ' => plain.push('h'),
            'ŧ' => plain.push('t'),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'þ' => plain.push_str("th"),
            // Apostrophes of all kinds: O'Neill is looked for as ONeill, too.
            '\'' | '\u{2018}' | '\u{2019}' | '\u{2bb}' | '\u{2bc}' | '`' => {}
            other => plain.push(other),
        }
    }
    let composed = ComposingNormalizerBorrowed::new_nfkc().normalize(&plain).into_owned();
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_dropped(c: char) -> bool {
    let is_mark = CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::NonspacingMark;
    let readable_without = [Script::Inherited, Script::Greek, Script::Cyrillic, Script::Hebrew, Script::Arabic];
    let is_diacritic =
        is_mark && readable_without.contains(&CodePointMapData::<Script>::new().get(c)) && !VOICING.contains(&c);
    is_diacritic || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// The words of a folded text: what stands between blanks, hyphens and other signs.
fn words(folded: &str) -> impl Iterator<Item = &str> {
    let categories = CodePointMapData::<GeneralCategory>::new();
    let is_between = move |c| {
        let category = categories.get(c);
        GeneralCategoryGroup::Separator.contains(category) || GeneralCategoryGroup::Punctuation.contains(category)
    };
    folded.split(is_between).filter(|word| !word.is_empty())
}

/// Whether a character is a word or a syllable: one is enough to search for.
pub fn is_ideographic(c: char) -> bool {
    let scripts = [Script::Han, Script::Hangul, Script::Hiragana, Script::Katakana, Script::Bopomofo, Script::Yi];
    scripts.contains(&CodePointMapData::<Script>::new().get(c))
}

/// What a folded text is compared with keys by: its words without what is between them.
pub fn key(folded: &str) -> String {
    cut(words(folded).flat_map(str::chars))
}

/// The keys of a name, each once, in the order of the alphabet.
pub fn keys(first_name: &str, last_name: &str) -> BTreeSet<String> {
    let (first, last) = (fold(first_name), fold(last_name));
    let (mut whole, mut starts) = (String::new(), Vec::new());
    for word in words(&first).chain(words(&last)) {
        let inner = word.char_indices().filter(|(at, c)| *at == 0 || is_ideographic(*c));
        starts.extend(inner.map(|(at, _)| whole.len() + at));
        whole.push_str(word);
    }
    let around = |at: usize| {
        let (before, after) = whole.split_at(at);
        cut(after.chars().chain(before.chars()))
    };
    starts.into_iter().take(KEYS).map(around).collect()
}

fn cut(characters: impl Iterator<Item = char>) -> String {
    characters.take(KEY).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_fold_to_one_text() {
        for (spellings, folded) in [
            (&["İsa", "isa", "ısa", "ISA", "i\u{307}sa", "I\u{307}SA", "ISA\u{301}"][..], "isa"),
            (&["Zo\u{eb}", "Zoe\u{308}", "ZOE", "ｚｏｅ"], "zoe"),
            (&["Ὀδυσσεύς", "ΟΔΥΣΣΕΥΣ", "οδυσσευς", "οδυσσευσ"], "οδυσσευσ"),
            (&["Groß", "GROSS", "gross", "GROẞ"], "gross"),
            (&["Østby", "OSTBY", "ostby"], "ostby"),
            (&["Łukasz Đorđević", "lukasz dordevic"], "lukasz dordevic"),
            (&["O'Neill", "O’Neill", "ONeill", "oʼneill"], "oneill"),
            (&["Ἀλέξανδρος", "αλεξανδροσ"], "αλεξανδροσ"),
            (&["Алёна", "АЛЕНА"], "алена"),
            (&["مُحَمَّد", "محمد"], "محمد"),
            (&["שָׁלוֹם", "שלום"], "שלום"),
            (&["می\u{200c}خواهم", "میخواهم"], "میخواهم"),
            (&["ガガ", "ｶﾞｶﾞ", "カ\u{3099}カ\u{3099}"], "ガガ"),
            (&["김민수", "\u{1100}\u{1175}\u{11b7}민수"], "김민수"),
            (&[" a \u{a0} b\t", "A\u{3000}B"], "a b"),
        ] {
            for spelling in spellings {
                assert_eq!(fold(spelling), folded, "{spelling:?}");
            }
            assert_eq!(fold(folded), folded, "what is folded stays");
        }
        assert_ne!(fold("कि"), fold("कु"), "a vowel sign is a letter");
        assert_ne!(fold("ガ"), fold("カ"), "so is the voicing of a kana");
        assert_eq!(fold("\u{200b}\u{2060}\u{301}"), "");
    }

    #[test]
    fn a_name_has_a_key_from_each_of_its_words_on() {
        let list = |first, last| keys(first, last).into_iter().collect::<Vec<_>>();
        assert_eq!(list("Wei", "Zhang"), ["weizhang", "zhangwei"]);
        assert_eq!(list("Wei Zhang", ""), ["weizhang", "zhangwei"]);
        assert_eq!(list("Jean-Luc", "Picard"), ["jeanlucpicard", "lucpicardjean", "picardjeanluc"]);
        assert_eq!(list("伟", "王"), ["伟王", "王伟"]);
        assert_eq!(list("", "王伟"), ["伟王", "王伟"]);
        assert_eq!(list("민수", "김"), ["김민수", "민수김", "수김민"]);
        assert_eq!(list("", ""), [""; 0]);
        assert_eq!(list("...", "-"), [""; 0]);
        assert_eq!(
            (key("wei zhang"), key("jean-luc"), key("--")),
            ("weizhang".into(), "jeanluc".into(), String::new())
        );
    }

    #[test]
    fn keys_are_short_and_few_whatever_the_name() {
        let ligature = "\u{fdfa}".repeat(100);
        let long = keys(&ligature, &"王".repeat(100));
        assert!(long.iter().all(|key| key.chars().count() <= KEY) && long.len() <= KEYS, "{long:?}");
        assert!(key(&fold(&ligature)).chars().count() <= KEY);
    }
}
