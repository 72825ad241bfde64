//! What a service refuses with a sentence, the web client says in the reader's language: each sentence has a text there, or no page meets it.

use std::collections::BTreeSet;
use std::ops::Range;

use super::assert_kept;
use super::production::production;
use super::sources::{Part, SERVICES, Source, parts, sources};

/// A refusal. Its sentence stands in it, or is bound to a name in the lines before it, or is an argument of what makes it.
const REFUSAL: &str = "Error::Refused(";
const LINES_BEFORE: usize = 8;
/// What makes refusals of the sentences that it is called with.
const MAKERS: [&str; 5] = ["ask(", "at_least(", "conflict(", "forbidden(", "refuse("];
/// Where the makers are.
const HANDED_ON: [&str; 5] = [
    "auth-service/src/roles/services.rs",
    "auth-service/src/users/rights.rs",
    "moderation-service/src/decisions/references.rs",
    "moderation-service/src/subjects/staff.rs",
    "post-service/src/nfts/views.rs",
];
/// Statuses whose sentences pages do not show: what is away is said in words of their own.
const AWAY: [&str; 2] = ["SERVICE_UNAVAILABLE", "BAD_GATEWAY"];
/// Sentences that no page meets, below the reasons why.
const NO_PAGES: &str = "
    # for operators and other services
    Dead letter not found
    No such erasure
    No such kind
    No such user or provider
    Not an operator
    The id was used for another message
    The provider does not accept the link any more; its user has to sign in by it
    The user has no account of this provider linked
    This service does not publish such a stream
    # a session that has ended leads to the sign-in, and the cookies are the client's own
    Invalid credential
    Invalid refresh token
    This request does not come from a page of ours
    This token belongs to no session
    # pages give no roles
    A muted or banned user has no role
    The last administrator keeps the role
    # pages upload with the form, and browsers load pictures
    Pictures are not uploaded to the store here; send the file to POST /media
    The file has another size than was announced; upload it again
    The file has not been uploaded yet
    The range lies behind the end
    Upload not found
    # pages are no devices, and a stream shows no words
    At most 5 streams at the same time
    Device not found
    Web Push is not configured
    # pages decide without naming a policy
    No such policy
    POST, COMMENT, MEDIA and USER are expected
    The policy has no such version
    The version of the policy has no such rule
    # there are no pages of blocked pictures, scopes, tastes and the public log
    No such entry of the blocklist
    No taste
    No top items
    Picture not found
    The log is not public
    The moderator works on all of the queue
    The picture is blocked
";

/// The literals of a text with the places where they begin. A line that is broken for its length is one.
fn literals(text: &str) -> Vec<(usize, String)> {
    let mut at = 0;
    let mut found = Vec::new();
    for (part, token) in parts(text) {
        if part == Part::Literal && token.starts_with('"') {
            let lines: Vec<_> = token.trim_matches('"').split("\\\n").map(str::trim_start).collect();
            found.push((at, lines.concat()));
        }
        at += token.len();
    }
    found
}

/// The arguments of a call whose parenthesis is open.
fn arguments(source: &Source, from: usize) -> Range<usize> {
    let mut depth = 1;
    let closes = |(_, sign): &(usize, char)| {
        depth += i32::from(*sign == '(') - i32::from(*sign == ')');
        depth == 0
    };
    let end = source.code[from..].char_indices().find(closes);
    from..end.map_or(source.code.len(), |(at, _)| from + at)
}

fn begins_one(words: &str) -> bool {
    words.starts_with(char::is_uppercase)
}

fn no_pages() -> impl Iterator<Item = &'static str> {
    NO_PAGES.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The sentences that a file refuses with, each where it is said; none for a refusal without one.
fn refusals(source: &Source) -> Vec<(usize, Option<String>)> {
    let literals = literals(&source.text);
    let within = |range: Range<usize>, is_sentence: fn(&str) -> bool| -> Vec<String> {
        let inside = literals.iter().filter(|(at, words)| range.contains(at) && words.contains(' '));
        inside.map(|(_, words)| words.clone()).filter(|words| is_sentence(words)).collect()
    };
    let mut found = Vec::new();
    for call in [REFUSAL].into_iter().chain(MAKERS) {
        for at in source.occurrences(call) {
            let inside = arguments(source, at + call.len());
            let code = source.code[inside.clone()].trim_end();
            let is_pattern = code.ends_with("..") || code.ends_with('_');
            if is_pattern || AWAY.iter().any(|status| code.contains(status)) {
                continue;
            }
            let is_sentence: fn(&str) -> bool = if call == REFUSAL { |_| true } else { begins_one };
            let mut said = within(inside, is_sentence);
            if call == REFUSAL && said.is_empty() && !HANDED_ON.contains(&source.path.as_str()) {
                let lines: usize = source.code[..at].split_inclusive('\n').rev().take(LINES_BEFORE).map(str::len).sum();
                said = within(at - lines..at, begins_one);
                found.extend(said.is_empty().then_some((at, None)));
            }
            found.extend(said.into_iter().map(|words| (at, Some(words))));
        }
    }
    found
}

/// What is wrong with the refusals of a file; what it says is noted.
fn breaches(source: &Source, known: &BTreeSet<String>, said: &mut BTreeSet<String>) -> Vec<String> {
    let mut breaches = Vec::new();
    for (at, words) in refusals(source) {
        let Some(words) = words else {
            breaches.push(format!("{}: its sentence is not found; see HANDED_ON and MAKERS", source.place(at)));
            continue;
        };
        if !known.contains(&words) && !no_pages().any(|met| met == words) {
            breaches.push(format!("{}: {words:?} has no text in web-client/src/texts/refusals.rs", source.place(at)));
        }
        said.insert(words);
    }
    breaches
}

#[test]
fn a_refusal_that_a_page_can_meet_is_said_in_every_language() {
    let texts = production(&sources("web-client"));
    let texts = texts.iter().find(|file| file.path.ends_with("/texts/refusals.rs")).expect("the texts of refusals");
    let known: BTreeSet<_> = literals(&texts.text).into_iter().map(|(_, words)| words).collect();
    let mut said = BTreeSet::new();
    let files = SERVICES.iter().flat_map(|service| production(&sources(service)));
    let mut found: Vec<_> = files.flat_map(|file| breaches(&file, &known, &mut said)).collect();
    assert!(said.len() > 100, "refusals are understood: {said:?}");
    let stale = no_pages().filter(|words| known.contains(*words) || !said.contains(*words));
    found.extend(stale.map(|words| format!("{words:?} is no exception any more")));
    assert_kept("Each refusal has a text in every language, or is in NO_PAGES:", &found);
}

#[test]
fn a_sentence_without_a_text_is_found_wherever_it_stands() {
    let text = r#"
fn check() { let words = if new { "The moon is new" } else { "known" }; Err(Error::Refused(StatusCode::GONE, words)) }
const AWAY: Error = Error::Refused(StatusCode::SERVICE_UNAVAILABLE, "The moon is away");
const FULL: Error = Error::Refused(StatusCode::CONFLICT, "The moon (of \
    tonight) is full");
fn hidden() { Err(forbidden("The moon is hidden")) } // Error::Refused("A comment is none")
fn kept() { matches!(error, Error::Refused(..) | Error::Refused(GONE, _)) || Error::Refused(GONE, "Post not found") }
"#;
    let (known, mut said) = (BTreeSet::from(["Post not found".to_owned()]), BTreeSet::new());
    let found = breaches(&Source::new("a-service/src/b.rs", text), &known, &mut said);
    assert_eq!(found.len(), 3, "all but the known one: {found:?}");
    let expected = ["Post not found", "The moon (of tonight) is full", "The moon is hidden", "The moon is new"];
    assert!(said.iter().eq(&expected), "{said:?}");
    let handed = Source::new("a-service/src/c.rs", "fn make(words: &'static str) { Error::Refused(GONE, words) }");
    assert!(breaches(&handed, &known, &mut said)[0].starts_with("a-service/src/c.rs:1: its sentence is not found"));
}
