//! Mail addresses in their one canonical form, in which they are stored, compared, limited and mailed.
//!
//! A mailbox has many spellings: with blanks around it, in full-width letters, with its domain in Unicode or in ASCII, in
//! any case. Blanks around it are cut off, the rest is normalised by NFKC, and the domain becomes A-labels (IDNA 2008 with
//! the mapping of UTS 46, not transitional), so mail servers without SMTPUTF8 take it. People see U-labels. What nobody
//! sees (control, format and other invisible characters, bidirectional marks) is refused and not removed: an address that
//! looks like another one is either an accident or an attack.
//!
//! The local part belongs to its mail server and is kept as it was written, but two that differ in case only are one
//! mailbox. Case is folded letter by letter and never from another alphabet into ASCII: İ (U+0130) is no i.
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use lettre::Address;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// The longest address and local part, in bytes (RFC 5321, section 4.5.3.1; a path has two brackets more).
const LENGTH: usize = 254;
const LOCAL_PART: usize = 64;
/// Characters without a glyph that are letters or marks by their category (`Default_Ignorable_Code_Point` of Unicode), as
/// first and last of a range.
const INVISIBLE: [(char, char); 9] = [
    ('\u{34f}', '\u{34f}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{e0000}', '\u{e0fff}'),
];
/// Characters that IDNA 2008 allows between letters (RFC 5892, appendix A), beside the joiners, which are invisible.
const IN_CONTEXT: [char; 6] = ['\u{b7}', '\u{375}', '\u{5f3}', '\u{5f4}', '\u{30fb}', '-'];

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressFault {
    /// It holds a character that is not seen.
    Invisible,
    /// It has not the form of an address.
    Malformed,
}

/// A mail address in canonical form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads an address as a person writes it.
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        let text = text.trim();
        if text.chars().any(is_invisible) {
            return Err(AddressFault::Invisible);
        }
        let text: String = text.nfkc().collect();
        let (local, domain) = text.rsplit_once('@').ok_or(AddressFault::Malformed)?;
        let ascii = Uts46::new()
            .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
            .map_err(|_| AddressFault::Malformed)?;
        let is_local = local.len() <= LOCAL_PART && !local.chars().any(char::is_whitespace);
        // Symbols have A-labels by UTS 46, and are no letters by IDNA 2008.
        let is_domain = unicode(&ascii).chars().all(|c| c == '.' || is_label_character(c));
        let address = format!("{local}@{ascii}");
        if !is_local || !is_domain || address.len() > LENGTH || Address::new(local, &*ascii).is_err() {
            return Err(AddressFault::Malformed);
        }
        Ok(Self(address))
    }

    /// An address as it is stored.
    pub fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The address to which mail goes: what is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What all spellings of the address have in common: by this they are compared and counted.
    pub fn key(&self) -> String {
        key(&self.0)
    }
}

/// What all spellings of a stored address have in common.
pub fn key(stored: &str) -> String {
    stored.chars().map(fold).collect()
}

/// Whether two stored addresses are one mailbox's.
pub fn same(one: &str, other: &str) -> bool {
    key(one) == key(other)
}

/// A stored address as people read it: the domain in its own script.
pub fn shown(stored: &str) -> String {
    match stored.rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", unicode(domain)),
        None => stored.to_owned(),
    }
}

fn unicode(domain: &str) -> String {
    // Labels that are none stay as they are.
    idna::domain_to_unicode(domain).0
}

fn is_invisible(c: char) -> bool {
    let category = c.general_category_group();
    let is_blank = matches!(c.general_category(), GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator);
    category == GeneralCategoryGroup::Other
        || is_blank
        || INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

fn is_label_character(c: char) -> bool {
    let is_letter = matches!(c.general_category_group(), GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark);
    is_letter || c.general_category() == GeneralCategory::DecimalNumber || IN_CONTEXT.contains(&c)
}

/// A letter without its case, where that is one letter of the same alphabet.
fn fold(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(folded), None) if c.is_ascii() || !folded.is_ascii() => folded,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(text: &str) -> String {
        EmailAddress::parse(text).unwrap_or_else(|fault| panic!("{text:?}: {fault:?}")).key()
    }

    #[test]
    fn all_spellings_of_a_mailbox_are_one() {
        for spelling in [
            "Anna@Example.org",
            " anna@example.org\u{a0}",
            "\u{3000}anna@EXAMPLE.ORG\n",
            "ａｎｎａ＠ｅｘａｍｐｌｅ．ｏｒｇ",
            "anna@example\u{3002}org",
        ] {
            assert_eq!(key_of(spelling), "anna@example.org", "{spelling:?}");
        }
        for spelling in ["anna@bücher.example", "anna@BU\u{308}CHER.example", "ANNA@xn--bcher-kva.Example"] {
            assert_eq!(key_of(spelling), "anna@xn--bcher-kva.example", "{spelling:?}");
        }
        assert_eq!(key_of("ÉLISE@example.org"), key_of("e\u{301}lise@example.org"));
        let address = EmailAddress::parse("Anna@bücher.example").unwrap();
        assert_eq!(
            (address.as_str(), shown(address.as_str()).as_str()),
            ("Anna@xn--bcher-kva.example", "Anna@bücher.example")
        );
    }

    /// U+0130 in lower case is an i with a dot above, which some foldings take for an i.
    #[test]
    fn a_look_alike_is_another_mailbox() {
        let real = key_of("admin@example.org");
        for other in ["adm\u{130}n@example.org", "adm\u{131}n@example.org", "аdmin@example.org", "admin@еxample.org"]
        {
            assert_ne!(key_of(other), real, "{other}");
        }
        assert_ne!(key_of("a@fi\u{130}rst.example"), key_of("a@fiirst.example"));
        assert_ne!(key_of("a@straße.example"), key_of("a@strasse.example"), "IDNA 2008 keeps them apart");
    }

    #[test]
    fn what_is_not_seen_or_not_an_address_is_refused() {
        for hidden in
            ["\u{200b}", "\u{ad}", "\u{feff}", "\u{202e}", "\u{2066}", "\u{200d}", "\u{0}", "\u{3164}", "\u{fe0f}"]
        {
            for text in [format!("an{hidden}na@example.org"), format!("anna@exam{hidden}ple.org")] {
                assert_eq!(EmailAddress::parse(&text), Err(AddressFault::Invisible), "{text:?}");
            }
        }
        let long = format!("{}@example.org", "x".repeat(65));
        for text in [
            "",
            "anna",
            "@example.org",
            "anna@",
            "anna news@example.org",
            "a@b@c",
            "anna@exa mple.org",
            "a@-x.org",
            "a@x..org",
            "a@💩.la",
            "a@xn--ls8h.la",
            "a@xn--a.org",
            "a@[127.0.0.1]",
            "x@y.zz trailing junk",
            &long,
        ] {
            assert_eq!(EmailAddress::parse(text), Err(AddressFault::Malformed), "{text:?}");
        }
    }

    /// What is stored is read again when an address is brought into today's form.
    #[test]
    fn the_canonical_form_is_its_own() {
        for text in ["Anna@bücher.example", "o'brien+news@example.org", "ÉLISE@example.org", "a@r3---sn-x.example.org"]
        {
            let address = EmailAddress::parse(text).unwrap();
            assert_eq!(EmailAddress::parse(address.as_str()), Ok(address.clone()));
            assert_eq!(key(&address.key()), address.key());
        }
    }
}
