//! The laws of events: every stream that is consumed is published, and by one service only.
//!
//! A service names the streams that it deals with as constants of its features, lists those that it writes (`publishes` in
//! `main.rs`), writes with `publish(tx, NAME, …)` or `publish_all`, and consumes by a table of
//! `Subscription::new(NAME, …)`. Where it confirms erasures (`confirmed_on: Some(NAME)`), its core does both for it.

use std::collections::{BTreeMap, BTreeSet};

use super::assert_kept;
use super::sources::{SERVICES, Source, read, root, sources};

/// The stream that the core of a service consumes which confirms erasures.
const USER_DELETED: &str = "user_deleted";

/// What one service does with streams; each with the place where it says so.
#[derive(Debug, Default)]
pub struct EventCatalogue {
    /// Constant to stream.
    names: BTreeMap<String, String>,
    /// The streams of its list.
    pub listed: BTreeMap<String, String>,
    published: BTreeMap<String, String>,
    pub consumed: BTreeMap<String, String>,
}

impl EventCatalogue {
    pub fn of(service: &str) -> EventCatalogue {
        let files: Vec<_> = sources(service).into_iter().filter(|file| !file.path.contains("/src/core/")).collect();
        let mut catalogue = EventCatalogue::default();
        for file in &files {
            catalogue.names.extend(constants(file));
        }
        for file in &files {
            for (list, place) in after(file, "publishes:") {
                for name in items(&list) {
                    catalogue.note(name, &place, |catalogue| &mut catalogue.listed);
                }
            }
            for (call, place) in ["publish(", "publish_all("].iter().flat_map(|word| after(file, word)) {
                let second = call.split(',').nth(1).unwrap_or_default();
                catalogue.note(second, &place, |catalogue| &mut catalogue.published);
            }
            for (call, place) in after(file, "Subscription::new(") {
                catalogue.note(call.split(',').next().unwrap_or_default(), &place, |catalogue| &mut catalogue.consumed);
            }
            for (name, place) in after(file, "confirmed_on: Some(") {
                catalogue
                    .note(name.split(')').next().unwrap_or_default(), &place, |catalogue| &mut catalogue.published);
                catalogue.consumed.insert(USER_DELETED.to_owned(), place);
            }
        }
        catalogue
    }

    fn note(&mut self, expression: &str, place: &str, list: fn(&mut EventCatalogue) -> &mut BTreeMap<String, String>) {
        let name = expression.trim().rsplit("::").next().unwrap_or_default();
        if let Some(stream) = self.names.get(name).cloned() {
            list(self).insert(stream, place.to_owned());
        }
    }
}

/// `const NAME: &str = "stream";` of a file, by name.
fn constants(file: &Source) -> Vec<(String, String)> {
    let lines = file.text.lines().filter_map(|line| line.trim().trim_start_matches("pub ").strip_prefix("const "));
    let pairs = lines.filter_map(|line| line.split_once(": &str = \""));
    pairs.map(|(name, value)| (name.to_owned(), value.trim_end_matches("\";").to_owned())).collect()
}

/// The code from behind every `word` to the end of its statement, with the place of the word.
fn after(file: &Source, word: &str) -> Vec<(String, String)> {
    let statement = |at: usize| file.code[at + word.len()..].split(';').next().unwrap_or_default().to_owned();
    file.occurrences(word).into_iter().map(|at| (statement(at), file.place(at))).collect()
}

/// The items of the list `&[A, b::C]` that a statement begins with.
fn items(statement: &str) -> Vec<&str> {
    let Some(list) = statement.trim_start().strip_prefix("&[") else { return Vec::new() };
    list.split(']').next().unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
}

fn catalogues() -> Vec<(&'static str, EventCatalogue)> {
    SERVICES.iter().map(|service| (*service, EventCatalogue::of(service))).collect()
}

#[test]
fn every_stream_that_is_consumed_is_published_by_exactly_one_service() {
    let catalogues = catalogues();
    let mut breaches = Vec::new();
    let mut consumed = BTreeSet::new();
    for (consumer, catalogue) in &catalogues {
        for (stream, place) in &catalogue.consumed {
            consumed.insert(stream);
            if !catalogues.iter().any(|(_, other)| other.listed.contains_key(stream)) {
                breaches.push(format!("{place}: {consumer} consumes {stream}, which no service publishes"));
            }
        }
    }
    for stream in catalogues.iter().flat_map(|(_, catalogue)| catalogue.listed.keys()).collect::<BTreeSet<_>>() {
        let producers: Vec<_> =
            catalogues.iter().filter_map(|(_, catalogue)| Some(catalogue.listed.get(stream)?.as_str())).collect();
        if producers.len() > 1 {
            breaches.push(format!("{stream} is published by more than one service: {}", producers.join(", ")));
        }
    }
    assert_kept("Every stream that is consumed is published by exactly one service:", &breaches);
    // That no breach was found must not be because nothing was understood.
    assert!(consumed.len() >= 10, "only {} consumed streams were found: {consumed:?}", consumed.len());
}

#[test]
fn a_service_publishes_what_it_lists() {
    let mut breaches = Vec::new();
    for (service, catalogue) in catalogues() {
        for (stream, place) in &catalogue.published {
            if !catalogue.listed.contains_key(stream) {
                breaches.push(format!("{place}: {service} publishes {stream}, which it does not list"));
            }
        }
        for (stream, place) in &catalogue.listed {
            if !catalogue.published.contains_key(stream) {
                breaches.push(format!("{place}: {service} lists {stream}, and never publishes it"));
            }
        }
    }
    assert_kept("`publishes` is what a service publishes, no more and no less:", &breaches);
}

#[test]
fn names_lists_and_subscriptions_are_understood() {
    let file = Source::new(
        "a-service/src/a/events/mod.rs",
        "pub const A: &str = \"a_made\";\npublishes: &[A, b::B],\nSubscription::new(names::A, f);\n\
         publish(tx, A, &x).await",
    );
    assert_eq!(constants(&file), [("A".to_owned(), "a_made".to_owned())]);
    let (list, place) = after(&file, "publishes:").remove(0);
    assert_eq!((items(&list), place.as_str()), (vec!["A", "b::B"], "a-service/src/a/events/mod.rs:2"));
    assert_eq!(items(" &[\n  a::A,\n  B,\n], migrations: &[1]"), ["a::A", "B"]);
    assert_eq!(items(" &'static [&'static str]"), Vec::<&str>::new());
    assert_eq!(after(&file, "Subscription::new(")[0].0, "names::A, f)");
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
