//! The promise under faults: a platform is broken in every way there is, and loses nothing and counts nothing twice.
//!
//! What is broken and checked is in `stack/src/proof/chaos`; a failure here is repeated with the printed seed by
//! `cargo stack chaos --seed S`. A run that fails leaves its logs and data, and says where.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Where tests share a process they take turns: two platforms at once are a load, and no proof.
static TURN: Mutex<()> = Mutex::new(());

/// The output of a run, which must succeed.
fn run(arguments: &[&str]) -> String {
    let command = ["chaos", "--prebuilt"].iter().chain(arguments);
    let run = Command::new(env!("CARGO_BIN_EXE_stack")).args(command).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{}\n{said}\n{}", run.status, String::from_utf8_lossy(&run.stderr));
    said
}

/// A number of the table.
fn count(said: &str, what: &str) -> u64 {
    let row = said.lines().find_map(|line| line.trim_start().strip_prefix(what)?.strip_prefix(' '));
    row.and_then(|count| count.trim().parse().ok()).unwrap_or_else(|| panic!("no {what} in\n{said}"))
}

/// Under faults of every kind nothing is lost and nothing counted twice. Other seeds have their turn every night
/// (`.github/workflows/nightly.yml`).
#[test]
fn nothing_is_lost_or_doubled_under_faults() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let said = run(&["--seed", "1", "--minutes", "2"]);
    let count = |what| count(&said, what);
    assert!(said.starts_with("Seed 1, "), "{said}");
    assert!(said.ends_with("\nNothing was lost, nothing was counted twice.\n"), "{said}");
    // Every kind of fault comes before one comes twice, and there are thirteen.
    assert!(count("faults") >= 13, "{said}");
    assert!(count("ok") > 500 && count("events") > 500, "{said}");
    assert!(count("unknown") > 0 && count("redeliveries") > 0 && count("rewinds") > 0, "{said}");
    for what in ["parked", "lost", "doubled", "wrong"] {
        assert_eq!(count(what), 0, "{said}");
    }
}

/// Nor is anything where each transaction has another session.
#[test]
fn nothing_is_lost_or_doubled_through_a_pooler() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let said = run(&["--seed", "1", "--minutes", "1", "--pooler"]);
    assert!(said.ends_with("\nNothing was lost, nothing was counted twice.\n"), "{said}");
    assert!(count(&said, "ok") > 200 && count(&said, "events") > 200, "{said}");
}

/// The same on a cluster of Redis whose primaries are killed, stopped and replaced, with the loss of what they acknowledged, and
/// whose slots move: each kind of fault once.
#[test]
fn nothing_is_lost_or_doubled_when_a_cluster_of_redis_loses_what_it_acknowledged() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let faults = "kill-primary,pause-primary,takeover-with-loss,reshard,double-kill";
    let said = run(&["--redis", "cluster", "--seed", "1", "--minutes", "1", "--faults", faults]);
    let count = |what| count(&said, what);
    assert!(said.ends_with("\nNothing was lost, nothing was counted twice.\n"), "{said}");
    assert!(count("takeovers with proven loss") >= 1 && count("acknowledged entries that are gone") >= 50, "{said}");
    assert!(count("faults") >= 5 && count("ok") > 200 && count("events") > 200, "{said}");
    for what in ["parked", "lost", "doubled", "wrong"] {
        assert_eq!(count(what), 0, "{said}");
    }
}

/// The checks that find nothing above would find something.
#[test]
fn every_mutation_is_found_by_a_check() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let said = run(&["--seed", "4", "--minutes", "0.5", "--faults", "none", "--tamper"]);
    assert!(count(&said, "tampered") > 150, "{said}");
    assert_eq!(count(&said, "named"), count(&said, "tampered"), "{said}");
}
