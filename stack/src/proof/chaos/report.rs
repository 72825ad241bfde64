//! The results of a run, as a table and a list of violations.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::host::console;
use crate::proof::chaos::faults::Fault;
use crate::proof::chaos::metrics::CounterTotals;
use crate::proof::chaos::mutations::MutationResults;
use crate::proof::chaos::promises::Promises;
use crate::proof::chaos::violation::{Violation, ViolationKind};

/// Everything that the report is made of.
pub struct ChaosReport<'a> {
    pub faults: &'a BTreeMap<Fault, u32>,
    pub promises: &'a Promises,
    pub events: u64,
    /// How long after the last fault everything was applied everywhere.
    pub settled_after: Duration,
    pub counters: &'a CounterTotals,
    /// Where Redis is a cluster: the takeovers with proven loss, and the acknowledged entries that were lost by them.
    pub takeovers: Option<(u64, u64)>,
    /// The results of the mutations, when there were any.
    pub mutations: Option<&'a MutationResults>,
    pub violations: &'a [Violation],
}

impl ChaosReport<'_> {
    /// Prints it: refusals, faults, the table, the violations.
    pub fn show(&self) {
        let list = |title: &str, all: &mut dyn Iterator<Item = String>| {
            let all: Vec<_> = all.collect();
            if !all.is_empty() {
                console::show(format_args!("\n{title}: {}", all.join(", ")));
            }
        };
        let refusals = self.promises.refusals.iter();
        list("Refused", &mut refusals.map(|((what, status), times)| format!("{what} {status} ({times})")));
        let mut unknown: BTreeMap<String, u64> = BTreeMap::new();
        for ((_, status), times) in &self.promises.unknowns {
            *unknown.entry(status.map_or("no answer".to_owned(), |status| status.to_string())).or_default() += times;
        }
        list("Unknown", &mut unknown.iter().map(|(status, times)| format!("{status} ({times})")));
        list("Faults", &mut self.faults.iter().map(|(fault, times)| format!("{} ({times})", fault.name())));
        console::show(format_args!("\n{}\n", console::table(&self.rows())));
        for violation in self.violations {
            console::show(violation);
        }
        console::show(match self.violations.len() {
            0 => "Nothing was lost, nothing was counted twice.".to_owned(),
            1 => "1 violation".to_owned(),
            many => format!("{many} violations"),
        });
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let of = |kind| self.violations.iter().filter(|violation| violation.kind == kind).count() as u64;
        let count = |name| self.counters.total(name);
        let rows = [
            ("faults", self.faults.values().map(|times| u64::from(*times)).sum()),
            ("requests", self.promises.ok + self.promises.refused + self.promises.unknown),
            ("  ok", self.promises.ok),
            ("  refused", self.promises.refused),
            ("  unknown", self.promises.unknown),
            ("events", self.events),
            ("seconds until settled", self.settled_after.as_secs()),
            ("redeliveries", count("events_duplicate_total")),
            ("gaps", count("events_gap_total")),
            ("repaired", count("events_repaired_total")),
            ("rewinds", count("events_rewound_total")),
            ("fenced", count("events_fenced_total")),
            ("retries", count("events_retried_total")),
            ("parked", count("events_parked_total")),
            ("lost", of(ViolationKind::Lost)),
            ("doubled", of(ViolationKind::Doubled)),
            ("wrong", of(ViolationKind::Wrong)),
        ];
        let mutations = self.mutations.map(|results| [("tampered", results.tried), ("named", results.named)]);
        let takeovers = self.takeovers.map(|(times, entries)| {
            [("takeovers with proven loss", times), ("  acknowledged entries that are gone", entries)]
        });
        let head = vec!["what".to_owned(), "count".to_owned()];
        let rows = rows
            .into_iter()
            .chain(takeovers.into_iter().flatten())
            .chain(mutations.into_iter().flatten())
            .map(|(what, count): (&str, u64)| vec![what.to_owned(), count.to_string()]);
        std::iter::once(head).chain(rows).collect()
    }
}
