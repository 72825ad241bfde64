//! How the log is asked for, and how it is written as CSV and JSON Lines.
use std::str::FromStr;

use uuid::Uuid;

use super::hex;
use super::models::{LogFilter, StoredEntry};
use super::schemas::LogEntryOut;
use crate::core::contract::extract::Query;
use crate::core::contract::fields::invalid;
use crate::subjects::changes::ActorType;

/// The kinds of entries.
const KINDS: [&str; 11] = [
    "flagged",
    "reported",
    "reports_closed",
    "escalated",
    "noted",
    "decided",
    "ended",
    "removed",
    "appealed",
    "appeal_resolved",
    "gone",
];

/// Reads the filter of a query; what is wrong with it is noted there.
pub fn read_filter(query: &mut Query) -> LogFilter {
    LogFilter {
        subject_type: read(query, "subject_type", "one of POST, COMMENT, MEDIA, USER", |word| word.parse().ok()),
        subject_id: read(query, "subject_id", "a valid uuid", |id| Uuid::from_str(id).ok()),
        actor: read(query, "actor", "a valid uuid", |id| Uuid::from_str(id).ok()),
        actor_type: read(query, "actor_type", "one of MACHINE, MODERATOR, USER, TIMER, OPERATOR", |word| {
            serde_json::from_value::<ActorType>(word.into()).ok()
        }),
        kind: read(query, "kind", &format!("one of {}", KINDS.join(", ")), |kind| {
            KINDS.contains(&kind).then(|| kind.to_owned())
        }),
    }
}

fn read<T>(query: &mut Query, name: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    let value = query.get(name)?;
    let parsed = parse(value);
    if parsed.is_none() {
        let msg = format!("value is not {expected}");
        query.errors.push(invalid(&["query", name], msg, "value_error.filter", None));
    }
    parsed
}

/// A format of the export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    JsonLines,
}

impl Format {
    /// The format that a client accepts; none: pages of JSON.
    pub fn accepted(accept: &str) -> Option<Self> {
        let kinds = accept.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
        kinds.into_iter().find_map(|kind| match kind {
            "text/csv" => Some(Self::Csv),
            "application/jsonl" | "application/x-ndjson" => Some(Self::JsonLines),
            _ => None,
        })
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::JsonLines => "application/jsonl",
        }
    }

    pub fn disposition(self) -> &'static str {
        match self {
            Self::Csv => "attachment; filename=\"moderation-log.csv\"",
            Self::JsonLines => "attachment; filename=\"moderation-log.jsonl\"",
        }
    }

    /// What stands before the first entry.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Csv => "seq,id,at,actor_type,actor,subject_type,subject_id,version,kind,details,words,hash\r\n",
            Self::JsonLines => "",
        }
    }

    /// Entries as lines.
    pub fn write(self, entries: Vec<StoredEntry>) -> String {
        let mut lines = String::new();
        for entry in entries {
            match self {
                Self::Csv => write_csv(&mut lines, &entry),
                Self::JsonLines => {
                    lines += &serde_json::json!(LogEntryOut::from(entry)).to_string();
                    lines.push('\n');
                }
            }
        }
        lines
    }
}

fn write_csv(lines: &mut String, entry: &StoredEntry) {
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let fields = [
        entry.seq.to_string(),
        entry.id.to_string(),
        entry.at.to_string(),
        word(serde_json::json!(entry.actor_type)),
        entry.actor.map(|actor| actor.to_string()).unwrap_or_default(),
        entry.subject_type.word().to_owned(),
        entry.subject_id.to_string(),
        entry.version.to_string(),
        entry.kind.clone(),
        entry.details.clone().unwrap_or_default(),
        entry.words.clone().unwrap_or_default(),
        hex(&entry.hash),
    ];
    let fields: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
    lines.push_str(&fields.join(","));
    lines.push_str("\r\n");
}

/// A field of CSV (RFC 4180). Details and words are JSON objects, so no field begins with a sign that a spreadsheet takes for a
/// formula.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
