//! What came of a run, as a table and a list.

use std::{collections::BTreeMap, time::Duration};

use crate::host::console;
use crate::proof::chaos::checks::{Kind, Tampered, Violation};
use crate::proof::chaos::faults::Fault;
use crate::proof::chaos::meters::Meters;
use crate::proof::chaos::record::Record;

/// Everything that the report is made of.
pub struct Report<'a> {
    pub faults: &'a BTreeMap<Fault, u32>,
    pub record: &'a Record,
    pub events: u64,
    /// How long after the last fault everything was applied everywhere.
    pub quiet_after: Duration,
    pub meters: &'a Meters,
    /// What came of spoiling the data, when that was wanted.
    pub tampered: Option<&'a Tampered>,
    pub violations: &'a [Violation],
}

impl Report<'_> {
    /// Prints it: what was refused, the table, the violations.
    pub fn show(&self) {
        let refusals = self.record.refusals.iter();
        let refusals: Vec<_> = refusals.map(|((what, status), times)| format!("{what} {status} ({times})")).collect();
        if !refusals.is_empty() {
            console::show(format_args!("\nRefused: {}", refusals.join(", ")));
        }
        let mut unknown: BTreeMap<String, u64> = BTreeMap::new();
        for ((_, status), times) in &self.record.unknowns {
            *unknown.entry(status.map_or("no answer".to_owned(), |status| status.to_string())).or_default() += times;
        }
        let unknown: Vec<_> = unknown.iter().map(|(status, times)| format!("{status} ({times})")).collect();
        if !unknown.is_empty() {
            console::show(format_args!("\nUnknown: {}", unknown.join(", ")));
        }
        let faults = self.faults.iter();
        let faults: Vec<_> = faults.map(|(fault, times)| format!("{} ({times})", fault.name())).collect();
        if !faults.is_empty() {
            console::show(format_args!("\nBroken: {}", faults.join(", ")));
        }
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
        let count = |name| self.meters.total(name);
        let rows = [
            ("faults", self.faults.values().map(|times| u64::from(*times)).sum()),
            ("requests", self.record.ok + self.record.refused + self.record.unknown),
            ("  ok", self.record.ok),
            ("  refused", self.record.refused),
            ("  unknown", self.record.unknown),
            ("events", self.events),
            ("seconds until quiet", self.quiet_after.as_secs()),
            ("redeliveries", count("events_duplicate_total")),
            ("gaps", count("events_gap_total")),
            ("repaired", count("events_repaired_total")),
            ("rewinds", count("events_rewound_total")),
            ("fenced", count("events_fenced_total")),
            ("retries", count("events_retried_total")),
            ("parked", count("events_parked_total")),
            ("lost", of(Kind::Lost)),
            ("doubled", of(Kind::Doubled)),
            ("wrong", of(Kind::Wrong)),
        ];
        let tampered = self.tampered.map(|tampered| [("tampered", tampered.tried), ("named", tampered.named)]);
        let head = vec!["what".to_owned(), "count".to_owned()];
        let rows = rows
            .into_iter()
            .chain(tampered.into_iter().flatten())
            .map(|(what, count): (&str, u64)| vec![what.to_owned(), count.to_string()]);
        std::iter::once(head).chain(rows).collect()
    }
}
