//! The laws of events: whoever listens hears somebody, and one service only.
//!
//! A service names the streams that it deals with as constants in its features' `events/mod.rs`, lists those that it
//! writes (`TELLS` of a feature, or `tells` in `main.rs`), writes with `publish(tx, NAME, …)` or `publish_all`, and
//! listens by a table of `Subscription { stream: NAME, … }`.

use std::collections::{BTreeMap, BTreeSet};

use super::assert_kept;
use super::sources::{SERVICES, Source, read, root, sources};

/// What one service does with streams; each with the place where it says so.
#[derive(Debug, Default)]
struct Speech {
    /// Constant to stream.
    names: BTreeMap<String, String>,
    tells: BTreeMap<String, String>,
    published: BTreeMap<String, String>,
    hears: BTreeMap<String, String>,
}

impl Speech {
    fn of(service: &str) -> Speech {
        let files = sources(service);
        let mut speech = Speech::default();
        for file in files.iter().filter(|file| !file.path.contains("/src/core/")) {
            speech.names.extend(constants(file));
        }
        for file in files.iter().filter(|file| !file.path.contains("/src/core/")) {
            for (list, place) in ["TELLS:", "tells:"].iter().flat_map(|word| after(file, word)) {
                for name in items(&list) {
                    speech.note(name, &place, |speech| &mut speech.tells);
                }
            }
            for (call, place) in ["publish(", "publish_all("].iter().flat_map(|word| after(file, word)) {
                let second = call.split(',').nth(1).unwrap_or_default();
                speech.note(second, &place, |speech| &mut speech.published);
            }
            for (field, place) in after(file, "stream:") {
                speech.note(field.split(',').next().unwrap_or_default(), &place, |speech| &mut speech.hears);
            }
        }
        speech
    }

    fn note(&mut self, expression: &str, place: &str, list: fn(&mut Speech) -> &mut BTreeMap<String, String>) {
        let name = expression.trim().rsplit("::").next().unwrap_or_default();
        if let Some(stream) = self.names.get(name).cloned() {
            list(self).insert(stream, place.to_owned());
        }
    }
}

/// `const NAME: &str = "stream";` of a file of events, by name.
fn constants(file: &Source) -> Vec<(String, String)> {
    if !file.path.ends_with("/events/mod.rs") {
        return Vec::new();
    }
    let lines = file.text.lines().filter_map(|line| line.trim().trim_start_matches("pub ").strip_prefix("const "));
    let pairs = lines.filter_map(|line| line.split_once(": &str = \""));
    pairs.map(|(name, value)| (name.to_owned(), value.trim_end_matches("\";").to_owned())).collect()
}

/// The code from behind every `word` to the end of its statement, with the place of the word.
fn after(file: &Source, word: &str) -> Vec<(String, String)> {
    let statement = |at: usize| file.code[at + word.len()..].split(';').next().unwrap_or_default().to_owned();
    file.occurrences(word).into_iter().map(|at| (statement(at), file.place(at))).collect()
}

/// The items of the list `&[A, b::C]` that a statement begins with, or with which it ends as a constant's value.
fn items(statement: &str) -> Vec<&str> {
    let value = statement.split_once("] =").map_or(statement, |(_, value)| value).trim_start();
    let Some(list) = value.strip_prefix("&[") else { return Vec::new() };
    list.split(']').next().unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
}

fn speeches() -> Vec<(&'static str, Speech)> {
    SERVICES.iter().map(|service| (*service, Speech::of(service))).collect()
}

#[test]
fn every_stream_that_is_heard_is_told_by_exactly_one_service() {
    let speeches = speeches();
    let mut breaches = Vec::new();
    let mut heard = BTreeSet::new();
    for (listener, speech) in &speeches {
        for (stream, place) in &speech.hears {
            heard.insert(stream);
            let tellers: Vec<_> = speeches.iter().filter(|(_, other)| other.tells.contains_key(stream)).collect();
            if tellers.is_empty() {
                breaches.push(format!("{place}: {listener} listens to {stream}, which nobody tells"));
            }
        }
    }
    for stream in speeches.iter().flat_map(|(_, speech)| speech.tells.keys()).collect::<BTreeSet<_>>() {
        let tellers: Vec<_> =
            speeches.iter().filter_map(|(_, speech)| Some(speech.tells.get(stream)?.as_str())).collect();
        if tellers.len() > 1 {
            breaches.push(format!("{stream} is told by more than one service: {}", tellers.join(", ")));
        }
    }
    assert_kept("Every stream that someone hears is told by exactly one service:", &breaches);
    // That no breach was found must not be because nothing was understood.
    assert!(heard.len() >= 10, "only {} streams were found that somebody listens to: {heard:?}", heard.len());
}

#[test]
fn a_service_tells_what_it_says_that_it_tells() {
    let mut breaches = Vec::new();
    for (service, speech) in speeches() {
        for (stream, place) in &speech.published {
            if !speech.tells.contains_key(stream) {
                breaches.push(format!("{place}: {service} publishes {stream}, which is not in its TELLS"));
            }
        }
        for (stream, place) in &speech.tells {
            if !speech.published.contains_key(stream) {
                breaches.push(format!("{place}: {service} has {stream} in its TELLS, but never publishes it"));
            }
        }
    }
    assert_kept("TELLS is what a service publishes, no more and no less:", &breaches);
}

#[test]
fn names_tellings_and_subscriptions_are_understood() {
    let file = Source::new(
        "a-service/src/a/events/mod.rs",
        "pub const A: &str = \"a_made\";\npub const TELLS: &[&str] = &[A, b::B];\nSubscription { stream: names::A, apply: f }\n\
         publish(tx, A, &x).await",
    );
    assert_eq!(constants(&file), [("A".to_owned(), "a_made".to_owned())]);
    let place = "a-service/src/a/events/mod.rs:2".to_owned();
    assert_eq!(after(&file, "TELLS:"), [(" &[&str] = &[A, b::B]".to_owned(), place)]);
    assert_eq!(items(" &[&str] = &[A, b::B]"), ["A", "b::B"]);
    assert_eq!(items(" &[\n  a::A,\n  B,\n], listens: || [c()].concat()"), ["a::A", "B"]);
    assert_eq!(items(" a::events::TELLS, routes"), Vec::<&str>::new());
    assert_eq!(after(&file, "stream:")[0].0, " names::A, apply: f }\npublish(tx, A, &x).await");
    assert_eq!(after(&file, "publish(")[0].0, "tx, A, &x).await");
}

#[test]
fn every_case_of_the_promise_has_its_test() {
    let page = read(&root().join("docs/events.md"));
    let tests: Vec<Source> = sources("post-service").into_iter().filter(|file| file.path.contains("/core/")).collect();
    let proof = page.split("## The proof").nth(1).unwrap_or_default();
    let rows = proof.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | `"));
    let named: Vec<_> = rows.filter_map(|(case, test)| Some((case, test.split_once('`')?.0))).collect();
    assert!(named.len() >= 25, "the page names its tests: {named:?}");
    let is_there = |test: &str| tests.iter().any(|file| file.code.contains(&format!("fn {test}(")));
    let missing = named.iter().filter(|(_, test)| !is_there(test));
    let breaches: Vec<_> =
        missing.map(|(case, test)| format!("docs/events.md: {case}: there is no test {test}")).collect();
    assert_kept("Every case of the promise has a test:", &breaches);
}
