//! The law of copies: services share no module, and what they have alike is one text.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::{SERVICES, Source, read, root};

/// Files that are meant to be the same text in several services.
#[derive(Debug)]
pub struct Copies {
    /// A file of `src`, or a folder with `/` behind it.
    pub place: &'static str,
    /// The first is the one that the others are compared with.
    pub services: &'static [&'static str],
    /// Files in which one service differs, each with the reason: (service, file, reason).
    pub except: &'static [(&'static str, &'static str, &'static str)],
}

/// Every text that stands in more than one service.
pub const COPIES: &[Copies] = &[
    Copies {
        place: "core/",
        services: &["post-service", "auth-service", "interaction-service", "moderation-service", "engagement-service"],
        except: &[],
    },
    Copies {
        place: "token_check.rs",
        services: &["post-service", "interaction-service", "moderation-service", "engagement-service"],
        except: &[],
    },
    Copies {
        place: "read_model/schemas.rs",
        services: &["post-service", "auth-service", "interaction-service", "moderation-service"],
        except: &[],
    },
    Copies {
        place: "tag_names.rs",
        services: &["post-service", "interaction-service", "engagement-service"],
        except: &[],
    },
    Copies { place: "facets/", services: &["post-service", "interaction-service"], except: &[] },
    Copies { place: "pre_publish.rs", services: &["post-service", "interaction-service"], except: &[] },
    Copies { place: "joined.rs", services: &["engagement-service", "post-service"], except: &[] },
    Copies { place: "quotas/", services: &["post-service", "interaction-service"], except: &[] },
    Copies {
        place: "blocks/",
        services: &["post-service", "interaction-service", "engagement-service"],
        except: &[
            ("interaction-service", "blocks/tests.rs", TESTED_BY_ROUTES),
            ("engagement-service", "blocks/tests.rs", TESTED_BY_ROUTES),
        ],
    },
];

const TESTED_BY_ROUTES: &str = "what a block hides differs from service to service";

/// Where the copies differ, and what is missing or too much in one of them.
pub fn differences(copies: &Copies, sources: impl Fn(&str) -> Vec<Source>) -> Vec<String> {
    let texts = |service: &str| {
        let is_excused = |file: &str| copies.except.iter().any(|(who, what, _)| *who == service && *what == file);
        let inside = |path: &str| path.strip_prefix(&format!("{service}/src/")).map(str::to_owned);
        let files = sources(service).into_iter().filter_map(|file| Some((inside(&file.path)?, file.text)));
        let is_meant =
            |file: &str| file == copies.place || (copies.place.ends_with('/') && file.starts_with(copies.place));
        files.filter(|(file, _)| is_meant(file) && !is_excused(file)).collect::<BTreeMap<_, _>>()
    };
    let Some((first, others)) = copies.services.split_first() else { return Vec::new() };
    let model = texts(first);
    let mut breaches = Vec::new();
    if model.is_empty() {
        breaches.push(format!("{first}/src/{} does not exist", copies.place));
    }
    for service in others {
        let copy = texts(service);
        let excused: BTreeSet<_> =
            copies.except.iter().filter(|(who, ..)| who == service).map(|(_, what, _)| *what).collect();
        for (file, text) in model.iter().filter(|(file, _)| !excused.contains(file.as_str())) {
            match copy.get(file) {
                None => breaches.push(format!("{service}/src/{file} is missing")),
                Some(other) if other != text => {
                    let same = other.lines().zip(text.lines()).take_while(|(one, two)| one == two).count();
                    breaches.push(format!("{service}/src/{file}:{} differs from {first}'s", same + 1));
                }
                Some(_) => {}
            }
        }
        let more = copy.keys().filter(|file| !model.contains_key(*file));
        breaches.extend(more.map(|file| format!("{service}/src/{file} is not in {first}")));
    }
    breaches
}

#[test]
fn the_core_is_copied_to_every_service() {
    let core = COPIES.iter().find(|copies| copies.place == "core/").expect("the core is a copy");
    assert_eq!(core.services.iter().collect::<BTreeSet<_>>(), SERVICES.iter().collect());
}

/// What a core has beside its sources: the defaults of the description of its API.
#[test]
fn the_data_of_the_core_are_one_text() {
    let data = |service: &str| read(&root().join(service).join("src/core/serve/defaults.json"));
    let differing: Vec<_> = SERVICES.into_iter().filter(|service| data(service) != data(SERVICES[0])).collect();
    assert_eq!(differing, Vec::<&str>::new(), "defaults.json differs from {}'s", SERVICES[0]);
}

/// A contract of two services: the one that answers has it, and the one that asks a copy.
#[test]
fn the_contract_of_the_graph_view_is_one_text() {
    let contract = |service: &str| read(&root().join(service).join("proto/graph_view.proto"));
    assert_eq!(contract("engagement-service"), contract("auth-service"));
}

#[test]
fn copies_that_differ_are_named() {
    let copies = Copies { place: "core/", services: &["a", "b"], except: &[("b", "core/own.rs", "a sample")] };
    let sources = |service: &str| {
        let files: &[(&str, &str)] = match service {
            "a" => &[("core/one.rs", "1\n2\n"), ("core/two.rs", "1"), ("core/own.rs", "1"), ("main.rs", "1")],
            _ => &[("core/one.rs", "1\n3\n"), ("core/own.rs", "2"), ("core/three.rs", "3"), ("main.rs", "2")],
        };
        files.iter().map(|(path, text)| Source::new(&format!("{service}/src/{path}"), text)).collect()
    };
    let found =
        ["b/src/core/one.rs:2 differs from a's", "b/src/core/two.rs is missing", "b/src/core/three.rs is not in a"];
    assert_eq!(differences(&copies, sources), found);
    let gone = Copies { place: "gone.rs", services: &["a", "b"], except: &[] };
    assert_eq!(differences(&gone, sources), ["a/src/gone.rs does not exist"]);
}
