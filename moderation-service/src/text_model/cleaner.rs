//! The form in which the model reads a text: what is displayed, without what only the eye or a browser needs.
//!
//! The model was trained on texts of this form and is only right about such. In this order: HTML entities are resolved, twice,
//! because old archives hold `&amp;lt;`; emoji become their names, since the base model has no token for most of them, but those that
//! are letters become letters, since words are written with them; compatibility forms become plain letters (NFKC: `ｆｕｌｌ`, `𝓼𝓬𝓻𝓲𝓹𝓽`); invisible and private characters go; links and mentions become
//! the words `url` and `user`, so that no name is learned; and four or more equal characters become three.
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// The most characters of one emoji: a family of four with joiners has seven, a flag of a region has seven.
const EMOJI_CHARS: usize = 10;
/// Emoji of a text that are named; those behind them are blanks. A name has several tokens, and a flood of them would fill all that is
/// read of a text.
const MAX_EMOJI: usize = 200;
/// The longest HTML entity, with `&` and `;`, in characters.
const ENTITY_CHARS: usize = 10;
/// How often a character may follow itself; more say no more.
const RUN: usize = 3;
/// Entities by name; others are left as they are.
const ENTITIES: [(&str, char); 9] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("hellip", '…'),
    ("rsquo", '\u{2019}'),
    ("lsquo", '\u{2018}'),
];
/// What a link begins with, in lower case.
const LINKS: [&str; 3] = ["http://", "https://", "www."];

/// The text as the model reads it; white space is single.
pub fn clean(text: &str) -> String {
    let text = unescape(&unescape(text));
    let text: String = name_emoji(&text).nfkc().filter(|c| !is_invisible(*c)).collect();
    shorten_runs(&name_links(&text))
}

/// The character of an entity that begins here, and how many characters it takes.
fn entity(text: &[char]) -> Option<(char, usize)> {
    let end = text.iter().take(ENTITY_CHARS).position(|c| *c == ';')?;
    let name: String = text.get(1..end)?.iter().collect();
    let found = match name.strip_prefix('#') {
        Some(number) => {
            let hexadecimal = number.strip_prefix(['x', 'X']).map(|digits| u32::from_str_radix(digits, 16));
            char::from_u32(hexadecimal.unwrap_or_else(|| number.parse()).ok()?)?
        }
        None => ENTITIES.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((found, end + 1))
}

fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    while let Some(c) = chars.get(at) {
        let (c, length) = Some(*c).filter(|c| *c == '&').and_then(|_| entity(&chars[at..])).unwrap_or((*c, 1));
        out.push(c);
        at += length;
    }
    out
}

/// Writes emoji as their CLDR names between blanks.
fn name_emoji(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let (mut out, mut at, mut named) = (String::with_capacity(text.len()), 0, 0);
    while at + 1 < starts.len() {
        let here = &text[starts[at]..starts[at + 1]];
        let longest = EMOJI_CHARS.min(starts.len() - 1 - at);
        // Letters are the bulk of a text, and none begins an emoji.
        let may_be = !here.is_ascii() && !here.chars().all(char::is_alphabetic);
        let lengths = (1..=longest).rev().filter(|_| may_be);
        let found = lengths.filter_map(|length| Some((emojis::get(&text[starts[at]..starts[at + length]])?, length)));
        let found = found.take(1).next();
        let is_letter =
            found.is_none_or(|(_, length)| text[starts[at + 1]..starts[at + length]].chars().all(is_invisible));
        if let Some(letter) = here.chars().next().filter(|_| is_letter).and_then(letter) {
            out.push(letter);
            at += found.map_or(1, |(_, length)| length);
        } else if let Some((emoji, length)) = found {
            out.push(' ');
            if named < MAX_EMOJI {
                out.push_str(emoji.name());
                out.push(' ');
            }
            (at, named) = (at + length, named + 1);
        } else {
            out.push_str(here);
            at += 1;
        }
    }
    out
}

/// The letter that an emoji is, as in 🅰 and in the half of a flag.
fn letter(emoji: char) -> Option<char> {
    let of = |first: char| char::from_u32(u32::from('A') + u32::from(emoji) - u32::from(first));
    match emoji {
        '\u{1f170}'..='\u{1f189}' => of('\u{1f170}'),
        '\u{1f1e6}'..='\u{1f1ff}' => of('\u{1f1e6}'),
        'Ⓜ' => Some('M'),
        'ℹ' => Some('i'),
        '💲' => Some('$'),
        _ => None,
    }
}

/// Whether a character has no form of its own: joiners, directions, variation selectors, frames of keys, private use.
fn is_invisible(c: char) -> bool {
    let category = c.general_category();
    let is_variation = ('\u{fe00}'..='\u{fe0f}').contains(&c);
    is_variation
        || c == '\u{20e3}'
        || matches!(category, GeneralCategory::Format | GeneralCategory::PrivateUse | GeneralCategory::Unassigned)
        || (category == GeneralCategory::Control && !c.is_whitespace())
}

/// Writes links as `url` and mentions as `user`, and white space as one blank.
fn name_links(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        let lower = word.to_lowercase();
        let link = LINKS.iter().filter_map(|link| lower.find(link)).min();
        // A case mapping that changes the length would cut elsewhere; such a word holds no link worth a name.
        let link = link.filter(|at| lower.len() == word.len() && word.is_char_boundary(*at));
        let before = &word[..link.unwrap_or(word.len())];
        name_mentions(before, &mut out);
        if link.is_some() {
            out.push_str(if before.is_empty() { "url" } else { " url" });
        }
    }
    out
}

fn name_mentions(word: &str, out: &mut String) {
    match word {
        "[USER]" => return out.push_str("user"),
        "[URL]" => return out.push_str("url"),
        _ => {}
    }
    let mut rest = word;
    while let Some(at) = rest.find('@') {
        let (before, name) = (&rest[..at], &rest[at + 1..]);
        let length = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
        let is_mention = length > 1 && !before.ends_with(|c: char| c.is_alphanumeric());
        out.push_str(before);
        out.push_str(if is_mention { "user" } else { "@" });
        rest = &name[if is_mention { length } else { 0 }..];
    }
    out.push_str(rest);
}

fn shorten_runs(text: &str) -> String {
    let (mut out, mut run, mut last) = (String::with_capacity(text.len()), 0, None);
    for c in text.chars() {
        run = if last == Some(c) { run + 1 } else { 1 };
        last = Some(c);
        if run <= RUN {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn a_text_is_read_as_it_is_displayed() {
        let cases = [
            ("plain words", "plain words"),
            ("a &amp;lt; b &#128514; &#x41; &unknown; & c", "a < b face with tears of joy A &unknown; & c"),
            ("I \u{2764}\u{fe0f} you", "I red heart you"),
            ("👨‍👩‍👧‍👦 here", "family: man, woman, girl, boy here"),
            ("w🅾️Ⓜ️🅰️n 1️⃣ 🇮🇳 🇮 💲", "wOMAn 1 flag: India I $"),
            ("ｆｕｌｌ \u{1d4fc}", "full s"),
            ("zero\u{200b}width and \u{e000}private", "zerowidth and private"),
            ("see https://example.com/a?b=c and (http://x.y)", "see url and ( url"),
            ("@ann_1: hi, mail a@b.org, 5 @ 3", "user: hi, mail a@b.org, 5 @ 3"),
            ("[USER] wrote [URL]", "user wrote url"),
            ("sooooooo!!!!!!", "sooo!!!"),
            ("  two\n\nlines ", "two lines"),
            ("", ""),
        ];
        for (text, cleaned) in cases {
            assert_eq!(clean(text), cleaned, "{text:?}");
        }
    }

    /// A megabyte of hostile input costs time in proportion to its length, and is no longer afterwards than names make it.
    #[test]
    fn hostile_texts_end() {
        let combining = clean(&"a\u{301}\u{302}".repeat(100_000));
        assert!(combining.len() <= 1_000_000, "{}", combining.len());
        assert_eq!(clean(&"\u{202e}".repeat(300_000)), "");
        assert_eq!(clean(&"&".repeat(100_000)), "&&&");
        // What stands between emoji is read all the same, and is not far behind the beginning.
        let flood = clean(&format!("{} in between {}", "😂".repeat(1_300), "😂".repeat(30)));
        assert_eq!(flood.matches("face with tears of joy").count(), 200);
        assert!(flood.ends_with("joy in between"), "{flood}");
    }
}
