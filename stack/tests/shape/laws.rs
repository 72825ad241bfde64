//! The laws of the house on the workspace as it is: imports, names and sizes, one test each.
//!
//! What each law means, and its table or limit, stands in the file that checks it. To run those that still wait:
//! `cargo test -p stack -- laws:: --ignored`.

use std::sync::LazyLock;

use super::assert_kept;
use super::floors::{against_the_use, core_outward, core_tests_outward, cycles, floors, upward};
use super::imports::Imports;
use super::names::{SHARED_NAMES, banned_words, repeated_types};
use super::production::production;
use super::sizes::too_long;
use super::sources::{OTHERS, SERVICES, Source, all_sources, read, root, sources};

/// One crate as the laws read it.
struct Crate {
    package: &'static str,
    files: Vec<Source>,
    imports: Imports,
}

/// Every crate, read once for all laws.
static CRATES: LazyLock<Vec<Crate>> = LazyLock::new(|| {
    let load = |package| {
        let files = production(&sources(package));
        let imports = Imports::of(&files);
        // That no breach is found must not be because nothing was understood.
        assert!(imports.arrows.len() > imports.files.len(), "{package}: its imports are understood");
        Crate { package, files, imports }
    };
    SERVICES.into_iter().chain(OTHERS).map(load).collect()
});

fn services() -> impl Iterator<Item = &'static Crate> {
    CRATES.iter().filter(|one| SERVICES.contains(&one.package))
}

#[test]
fn no_file_reaches_itself_again() {
    let breaches: Vec<_> = CRATES.iter().flat_map(|one| cycles(&one.imports)).collect();
    assert_kept("Imports between files have no cycle:", &breaches);
}

#[test]
fn imports_run_downward_over_the_floors() {
    let breaches: Vec<_> = CRATES.iter().flat_map(|one| upward(&one.imports, &floors(one.package))).collect();
    assert_kept("A file uses files of its own room and of lower floors:", &breaches);
}

#[test]
fn a_feature_is_used_from_its_routes_to_its_rows() {
    let breaches: Vec<_> = services().flat_map(|one| against_the_use(&one.imports)).collect();
    assert_kept("Views and schedulers use signals, signals producers, producers schemas and models:", &breaches);
}

#[test]
fn the_core_names_nothing_of_its_service() {
    let mut breaches: Vec<_> = services().flat_map(|one| core_outward(&one.imports)).collect();
    for service in SERVICES {
        breaches.extend(sources(service).iter().flat_map(core_tests_outward));
    }
    assert_kept("The core knows nothing of its service, and its tests only where to start it:", &breaches);
}

#[test]
fn a_type_name_has_one_meaning_in_a_crate() {
    let breaches: Vec<_> =
        CRATES.iter().flat_map(|one| repeated_types(one.package, &one.files, SHARED_NAMES)).collect();
    assert_kept("A search for a type finds one definition:", &breaches);
}

#[test]
fn comments_begin_in_plain_words() {
    let breaches: Vec<_> = all_sources().iter().flat_map(banned_words).collect();
    assert_kept("The subject of a comment is a component, and its verb the field's:", &breaches);
}

#[test]
fn the_core_and_every_file_are_of_a_size_to_read() {
    let breaches: Vec<_> = CRATES.iter().flat_map(|one| too_long(one.package, &one.files)).collect();
    assert_kept("Sizes in lines of code, tests, comments and blank lines aside:", &breaches);
}

#[test]
fn the_glossary_names_files_that_exist() {
    let page = read(&root().join("docs/glossary.md"));
    let rows = page.lines().filter_map(|line| line.strip_prefix("| **")?.strip_suffix("` |")?.rsplit_once("| `"));
    let rows: Vec<_> = rows.collect();
    assert!(rows.len() >= 20, "the glossary is understood: {rows:?}");
    let path =
        |file: &str| if file.starts_with("core/") { format!("post-service/src/{file}") } else { file.to_owned() };
    let missing = rows.iter().filter(|(_, file)| !root().join(path(file)).is_file());
    let word = |row: &str| row.split("**").next().unwrap_or_default().to_owned();
    let breaches: Vec<_> = missing.map(|(row, file)| format!("{}: {file} does not exist", word(row))).collect();
    assert_kept("The glossary leads to the file that implements a word:", &breaches);
}
