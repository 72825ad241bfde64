//! A table of texts with their facets, and what holds for every text.
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::services::{MAX_LINKS, MAX_MENTIONS, MAX_TAGS, read, read_shown, tag_identities};
use super::{Facet, FacetKind};

/// Texts, and what of them is a facet.
const TABLE: &[(&str, &[&str])] = &[
    // Tags.
    ("", &[]),
    ("no facets here", &[]),
    ("#rust", &["#rust"]),
    ("I like #Rust.", &["#Rust"]),
    ("(#rust), #go; #c!", &["#rust", "#go", "#c"]),
    ("#snake_case #_x", &["#snake_case", "#_x"]),
    ("#e-mail", &["#e"]),
    ("#c++ and C#", &["#c"]),
    ("#1 #2026 #٣", &[]),
    ("#2026goals #a1", &["#2026goals", "#a1"]),
    ("##x", &[]),
    ("#a#b", &["#a"]),
    ("a#b", &[]),
    ("#", &[]),
    ("# x", &[]),
    ("#@x", &[]),
    ("&#39; and &#x27;", &[]),
    ("\"#quoted\" '#single' «#guillemets»", &["#quoted", "#single", "#guillemets"]),
    ("#one\n#two\t#three", &["#one", "#two", "#three"]),
    ("#Zo\u{eb} #Zoe\u{308}", &["#Zo\u{eb}", "#Zoe\u{308}"]),
    ("#\u{301}a", &[]),
    ("#\u{fe0f}\u{20e3} is a key", &[]),
    ("🎉#party", &["#party"]),
    ("❤\u{fe0f}#love", &["#love"]),
    ("#party🎉", &["#party"]),
    ("#🎉", &[]),
    ("#naïveté, #Ærø", &["#naïveté", "#Ærø"]),
    ("#Привет, мир", &["#Привет"]),
    ("#γειά σου", &["#γειά"]),
    ("#שלום עולם", &["#שלום"]),
    ("#צה״ל #ג׳ז", &["#צה״ל", "#ג׳ז"]),
    ("مرحبا #سلام، صديقي", &["#سلام"]),
    ("#می\u{200c}خواهم", &["#می\u{200c}خواهم"]),
    ("#a\u{200d} b", &["#a"]),
    ("#हिन्दी", &["#हिन्दी"]),
    ("#ภาษาไทย", &["#ภาษาไทย"]),
    ("＃日本語", &["＃日本語"]),
    ("﹟small", &["﹟small"]),
    ("東京の#桜、きれい", &["#桜"]),
    ("#话题#", &["#话题"]),
    ("#한국어 태그", &["#한국어"]),
    ("#ガ", &["#ガ"]),
    ("#a·b", &["#a·b"]),
    // Mentions.
    ("@anna", &["@anna"]),
    ("Hello @Anna, and @bert!", &["@Anna", "@bert"]),
    ("(@anna) [@bert] .@carl", &["@anna", "@bert", "@carl"]),
    ("@anna's dog", &["@anna"]),
    ("@anna.", &["@anna"]),
    ("@anna... and so on", &["@anna"]),
    ("@a.b", &["@a.b"]),
    ("@anna.b_c9", &["@anna.b_c9"]),
    ("@an", &[]),
    ("@abcdefghijklmnopqrstuvwxyz1234", &["@abcdefghijklmnopqrstuvwxyz1234"]),
    ("@abcdefghijklmnopqrstuvwxyz12345", &[]),
    ("@12345", &[]),
    ("@_anna @anna_ @an__na", &[]),
    ("@.anna", &[]),
    ("anna@example.org", &[]),
    ("mail to a.b+c@mail.example.com, please", &[]),
    ("josé@exámple.org", &[]),
    ("@anna.com", &[]),
    ("@anna@mastodon.example", &[]),
    ("@@anna", &[]),
    ("@annaé", &[]),
    ("@аnna", &[]),
    ("你好@anna你好", &["@anna"]),
    ("＠anna ﹫bert", &["＠anna", "﹫bert"]),
    ("@anna#b", &["@anna"]),
    ("#tag@anna", &["#tag"]),
    ("\u{202b}@anna\u{202c}", &["@anna"]),
    // Links.
    ("https://x.example/#part", &["https://x.example/#part"]),
    ("x.example/#part", &[]),
    ("see HTTPS://X.example/a?b=c&d#e.", &["HTTPS://X.example/a?b=c&d#e"]),
    ("(https://x.example/a_(b))", &["https://x.example/a_(b)"]),
    ("[text](https://x.example)", &["https://x.example"]),
    ("https://x.example/@anna #tag", &["https://x.example/@anna", "#tag"]),
    ("<https://x.example>, \"https://y.example\"", &["https://x.example", "https://y.example"]),
    ("見て https://x.example/桜。#花", &["https://x.example/桜", "#花"]),
    ("https:// http:// https://. https", &[]),
    ("xhttps://x.example", &[]),
    ("javascript:alert(1) ftp://x.example", &[]),
    ("http://[2001:db8::1]:8080/a", &["http://[2001:db8::1]:8080/a"]),
    ("https://x.example!!!#a", &["https://x.example!!!#a"]),
];

fn slices<'a>(text: &'a str, facets: &[Facet]) -> Vec<&'a str> {
    facets.iter().map(|facet| &text[facet.byte_start..facet.byte_end]).collect()
}

#[test]
fn facets_are_read_by_the_rules_of_unicode() {
    assert!(TABLE.len() >= 60);
    for (text, expected) in TABLE {
        assert_eq!(&slices(text, &read(text)), expected, "{text:?}");
    }
}

#[test]
fn a_facet_says_where_it_stands_in_bytes_and_in_units_of_utf16() {
    let text = "😀 é #Straße, @Anna";
    let tag = Facet {
        kind: FacetKind::Tag,
        value: "Straße".into(),
        byte_start: 8,
        byte_end: 16,
        utf16_start: 5,
        utf16_end: 12,
    };
    let mention = Facet {
        kind: FacetKind::Mention,
        value: "Anna".into(),
        byte_start: 18,
        byte_end: 23,
        utf16_start: 14,
        utf16_end: 19,
    };
    assert_eq!(read(text), [tag, mention]);
    let units: Vec<u16> = text.encode_utf16().collect();
    assert_eq!(String::from_utf16(&units[5..12]).unwrap(), "#Straße");
}

#[test]
fn a_tag_that_is_written_in_several_ways_is_one() {
    assert_eq!(tag_identities(&read("#Rust #go #RUST #rust")), ["rust", "go"]);
    assert_eq!(tag_identities(&read("nothing @anna https://x.example")), [""; 0]);
}

/// The cut may have made another word of the last one.
#[test]
fn of_a_cut_text_the_facet_at_its_end_is_left_out() {
    let text = "#one and #two";
    assert_eq!(slices(text, &read_shown(text, false)), ["#one", "#two"]);
    assert_eq!(slices(text, &read_shown(text, true)), ["#one"]);
}

#[test]
fn a_text_has_so_many_facets_and_no_more() {
    let count = |text: &str, kind| read(text).iter().filter(|facet| facet.kind == kind).count();
    let text = "#tag @anna https://x.example ".repeat(100);
    assert_eq!(count(&text, FacetKind::Tag), MAX_TAGS);
    assert_eq!(count(&text, FacetKind::Mention), MAX_MENTIONS);
    assert_eq!(count(&text, FacetKind::Link), MAX_LINKS);
    assert_eq!(
        read(&format!("#{} #b", "a".repeat(65))).len(),
        1,
        "a name that is too long is none, and not its beginning"
    );
    assert_eq!(
        read(&format!("https://x.example/{}#a", "a".repeat(2_048))),
        [],
        "nor is there a tag in an address that is too long"
    );
}

/// Whatever the text, facets do not overlap, lie between characters, and have the values that stand there.
#[test]
fn facets_of_random_texts_lie_between_characters_and_never_overlap() {
    let parts = [
        "#",
        "＃",
        "﹟",
        "@",
        "＠",
        "a",
        "Z",
        "9",
        "_",
        ".",
        "-",
        " ",
        "\n",
        "é",
        "e\u{301}",
        "\u{200d}",
        "😀",
        "日",
        "ש",
        "https://",
        "http",
        "(",
        ")",
        "/",
        "&",
        "\u{fe0f}",
        "anna",
        "x.example",
        "。",
        "\u{5f4}",
    ];
    let mut dice = StdRng::seed_from_u64(7);
    for _ in 0..20_000 {
        let length = dice.random_range(0..40);
        let text: String = (0..length).filter_map(|_| parts.choose(&mut dice)).copied().collect();
        let (mut end, mut units) = (0, 0);
        for facet in read(&text) {
            assert!(facet.byte_start >= end && facet.byte_end > facet.byte_start, "{text:?}: {facet:?}");
            units += text[end..facet.byte_start].encode_utf16().count();
            assert_eq!(facet.utf16_start, units, "{text:?}: {facet:?}");
            let slice = &text[facet.byte_start..facet.byte_end];
            let sign = slice.chars().next().map_or(0, char::len_utf8);
            let value = if facet.kind == FacetKind::Link { slice } else { &slice[sign..] };
            assert_eq!(facet.value, value, "{text:?}");
            (end, units) = (facet.byte_end, units + slice.encode_utf16().count());
            assert_eq!(facet.utf16_end, units, "{text:?}: {facet:?}");
        }
    }
}

/// No text takes longer than its length asks for. A quadratic reader would need hours for these.
#[test]
fn a_megabyte_of_anything_is_read_in_linear_time() {
    for part in [
        "#",
        "@",
        "#a",
        "@a",
        "a",
        "#a@a.",
        "https://",
        "https://a)",
        "https://a(",
        "h",
        "日",
        "#日",
        "é",
        "...",
        "@a..",
        "\u{200d}",
    ] {
        let text = part.repeat(1_000_000 / part.len());
        let begun = Instant::now();
        let facets = read(&text);
        assert!(facets.len() <= MAX_TAGS + MAX_MENTIONS + MAX_LINKS, "{part:?}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{part:?} took {:?}", begun.elapsed());
    }
}
