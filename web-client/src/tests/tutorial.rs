//! The tutorial: what it says of the pages is on the pages. `stack/tests/browser/tutorial.rs` plays it.
use crate::texts::EN;

/// Every word in bold is a text of the client.
#[test]
fn the_tutorial_names_what_is_on_the_pages() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/tutorial.md");
    let tutorial = std::fs::read_to_string(path).unwrap();
    let texts: Vec<_> = EN.all().into_iter().map(|(_, text)| text).collect();
    let bold: Vec<_> = tutorial.split("**").skip(1).step_by(2).map(|words| words.replace("\n   ", " ")).collect();
    let unknown: Vec<_> = bold.iter().filter(|words| **words != "bold" && !texts.contains(&words.as_str())).collect();
    assert_eq!(unknown, Vec::<&String>::new());
    assert!(bold.len() > 25, "{bold:?}");
}
