//! Reads facets out of a text.
use icu_properties::CodePointMapData;
use icu_properties::props::Script;

use super::{Facet, FacetKind};
use crate::tag_names::{is_within, is_word, tag_identity};

/// The most tags of a text; those behind them are words like any other.
pub const MAX_TAGS: usize = 30;
/// The most mentions of a text, since each of them notifies a person.
pub const MAX_MENTIONS: usize = 20;
/// The most links of a text.
pub const MAX_LINKS: usize = 50;
/// The longest address of a link, in bytes.
const MAX_LINK: usize = 2_048;
/// The shortest and the longest username, in characters.
const USERNAME: (usize, usize) = (3, 30);
/// What no username ends with, after its last dot: it would look like an e-mail address or a website.
const DOMAINS: [&str; 12] = ["app", "biz", "com", "dev", "edu", "gov", "info", "int", "io", "mil", "net", "org"];
/// What ends an address beside blanks: quotation marks and brackets of all kinds, and the punctuation of East Asia.
const AROUND_LINKS: &str = "<>\"`“”‘’„«»「」『』（）【】《》〈〉。，、！？；：｜";

/// The facets of a text that is shown; of one that is cut, without those that the cut may have hit.
pub fn read_shown(text: &str, is_cut: bool) -> Vec<Facet> {
    let mut facets = read(text);
    facets.retain(|facet| !is_cut || facet.byte_end < text.len());
    facets
}

/// The tags among facets as they are compared, each once, in their order.
pub fn tag_identities(facets: &[Facet]) -> Vec<String> {
    let mut tags = Vec::new();
    for facet in facets.iter().filter(|facet| facet.kind == FacetKind::Tag) {
        if let Some(tag) = tag_identity(&facet.value).filter(|tag| !tags.contains(tag)) {
            tags.push(tag);
        }
    }
    tags
}

/// The facets of a text, in their order.
pub fn read(text: &str) -> Vec<Facet> {
    let mut found = FacetList { text, facets: Vec::new(), counts: [0; 3], counted: (0, 0) };
    let (mut at, mut before) = (0, None);
    while let Some(sign) = text[at..].chars().next() {
        let rest = &text[at..];
        let run = match sign {
            '#' | '＃' | '﹟' if may_begin(before) => tag(rest, sign.len_utf8()),
            '@' | '＠' | '﹫' if may_begin(before) => mention(rest, sign.len_utf8()),
            'h' | 'H' if may_begin(before) => link(rest),
            _ => FacetScan::nothing(sign.len_utf8()),
        };
        if let Some((kind, value_start, end)) = run.facet {
            found.add(kind, at, (at + value_start, at + end));
        }
        at += run.length;
        before = text[..at].chars().next_back();
    }
    found.facets
}

/// What was read from a place on.
struct FacetScan {
    /// How many bytes are read, at least one character.
    length: usize,
    /// What it is, where its value begins, and where it ends.
    facet: Option<(FacetKind, usize, usize)>,
}

impl FacetScan {
    fn nothing(length: usize) -> Self {
        Self { length, facet: None }
    }
}

/// The facets that were found so far.
struct FacetList<'a> {
    text: &'a str,
    facets: Vec<Facet>,
    /// How many there are of each kind.
    counts: [usize; 3],
    /// A place up to which units of UTF-16 are counted: in bytes, and in units.
    counted: (usize, usize),
}

impl FacetList<'_> {
    fn add(&mut self, kind: FacetKind, byte_start: usize, value: (usize, usize)) {
        let (place, most) = match kind {
            FacetKind::Tag => (0, MAX_TAGS),
            FacetKind::Mention => (1, MAX_MENTIONS),
            FacetKind::Link => (2, MAX_LINKS),
        };
        if self.counts[place] == most {
            return;
        }
        self.counts[place] += 1;
        let (value_start, byte_end) = value;
        let (utf16_start, utf16_end) = (self.utf16(byte_start), self.utf16(byte_end));
        let value = self.text[value_start..byte_end].to_owned();
        self.facets.push(Facet { kind, value, byte_start, byte_end, utf16_start, utf16_end });
    }

    /// A place in units of UTF-16; places are asked for in their order.
    fn utf16(&mut self, to: usize) -> usize {
        let (from, units) = self.counted;
        self.counted = (to, units + self.text[from..to].chars().map(char::len_utf16).sum::<usize>());
        self.counted.1
    }
}

/// Whether a facet may begin behind a character: not within a word, and not behind a sign that makes it something else.
fn may_begin(before: Option<char>) -> bool {
    before.is_none_or(|c| !"#＃﹟@＠﹫&/".contains(c) && !joins_a_word(c))
}

/// Whether a character makes one word with its neighbours; in East Asia words stand beside each other.
fn joins_a_word(c: char) -> bool {
    is_word(c) && !is_east_asian(c)
}

fn is_east_asian(c: char) -> bool {
    let scripts = [Script::Han, Script::Hiragana, Script::Katakana, Script::Hangul, Script::Bopomofo];
    !c.is_ascii() && scripts.contains(&CodePointMapData::<Script>::new().get(c))
}

fn tag(rest: &str, sign: usize) -> FacetScan {
    let end = rest[sign..].find(|c| !is_within(c)).map_or(rest.len(), |length| sign + length);
    // Joiners and the like belong to a name where more of it follows.
    let name = rest[sign..end].trim_end_matches(|c| !is_word(c));
    let facet = tag_identity(name).map(|_| (FacetKind::Tag, sign, sign + name.len()));
    FacetScan { length: end, facet }
}

fn mention(rest: &str, sign: usize) -> FacetScan {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let end = rest[sign..].find(|c| !is_part(c)).map_or(rest.len(), |length| sign + length);
    // The dots of a sentence are not the name's.
    let written = rest[sign..end].split("..").next().unwrap_or_default();
    let name = written.trim_end_matches('.');
    let is_whole = !rest[end..].starts_with(|c| joins_a_word(c) || "@＠﹫".contains(c));
    let facet = (is_whole && is_username(name)).then_some((FacetKind::Mention, sign, sign + name.len()));
    FacetScan { length: end, facet }
}

/// Whether a text can be a username, as the auth service has it. A reserved one is not of any user.
fn is_username(name: &str) -> bool {
    let is_sign = |c: char| c == '_' || c == '.';
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    (USERNAME.0..=USERNAME.1).contains(&name.len())
        && !name.starts_with(is_sign)
        && !name.ends_with(is_sign)
        && !name.as_bytes().windows(2).any(|pair| pair.iter().all(|c| is_sign(char::from(*c))))
        && name.contains(|c: char| c.is_ascii_alphabetic())
        && ending.is_none_or(|ending| !DOMAINS.contains(&ending.as_str()))
}

fn link(rest: &str) -> FacetScan {
    let scheme = ["https://", "http://"]
        .into_iter()
        .find(|scheme| rest.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let Some(scheme) = scheme else { return FacetScan::nothing(1) };
    let ends = |c: char| c.is_whitespace() || c.is_control() || AROUND_LINKS.contains(c);
    let end = rest.find(ends).unwrap_or(rest.len());
    let address = without_sentence(&rest[..end]);
    let has_host =
        address.get(scheme.len()..).is_some_and(|host| host.starts_with(|c: char| c.is_alphanumeric() || c == '['));
    if !has_host || address.len() > MAX_LINK {
        return FacetScan::nothing(end);
    }
    FacetScan { length: address.len(), facet: Some((FacetKind::Link, 0, address.len())) }
}

/// An address without the punctuation behind it that belongs to the sentence: a bracket, when it was not opened in the address.
fn without_sentence(text: &str) -> &str {
    let count = |c: char| text.chars().filter(|other| *other == c).count();
    let mut surplus =
        [('(', ')'), ('[', ']'), ('{', '}')].map(|(open, close)| (close, count(close).saturating_sub(count(open))));
    let mut address = text;
    while let Some(last) = address.chars().next_back() {
        let is_surplus = surplus.iter_mut().find(|(close, number)| *close == last && *number > 0);
        if let Some((_, number)) = is_surplus {
            *number -= 1;
        } else if !".,;:!?'*_~…".contains(last) {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address
}
