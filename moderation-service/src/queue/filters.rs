//! The filter of the queue, as a query and as a body have it.
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::services::{FlaggedBy, QueueFilter};
use crate::core::api::errors::Error;
use crate::core::contract::extract::Query;
use crate::core::contract::fields::{Fields, Input, invalid};
use crate::subjects::SubjectType;
use crate::subjects::reasons::{FAMILIES, Reason, family};

/// Items that are claimed at once, at most: more than a quarter of an hour has room for are only kept from others.
const MAX_CLAIMS: i64 = 50;
/// Items that are claimed at once when the request does not say.
const CLAIMS: i64 = 1;

/// One wrong word: its name, what is permitted, and how the refusal is called.
type WrongWord = (&'static str, String, &'static str);

/// Reads the filter; `value` has the words by their names.
fn read_filter(value: impl Fn(&str) -> Option<String>) -> Result<QueueFilter, Vec<WrongWord>> {
    let mut wrong = Vec::new();
    let mut word = |name: &'static str, permitted: &str, is_known: &dyn Fn(&str) -> bool| {
        let given = value(name)?;
        if is_known(&given) {
            return Some(given);
        }
        let msg = format!("value is not a valid enumeration member; permitted: {permitted}");
        wrong.push((name, msg, "type_error.enum"));
        None
    };
    let kind = word("type", "'COMMENT', 'MEDIA', 'POST', 'USER'", &|word| word.parse::<SubjectType>().is_ok());
    let families = FAMILIES.map(|(word, _)| format!("'{word}'")).join(", ");
    let given_family = word("family", &families, &|word| family(word).is_some());
    let reason = word("reason", "the codes of the taxonomy", &|word| Reason::parse(word).is_some());
    let by = word("flagged_by", "'MACHINE', 'PEOPLE'", &|word| FlaggedBy::parse(word).is_some());
    let escalated = word("escalated", "'true', 'false'", &|word| ["true", "false"].contains(&word));
    let severity = value("min_severity").and_then(|text| {
        let number = text.parse::<f64>().ok().filter(|number| (0.0..=1.0).contains(number));
        if number.is_none() {
            wrong.push(("min_severity", "a number from 0 to 1".to_owned(), "value_error.number.not_in_range"));
        }
        number
    });
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let reason = reason.and_then(|word| Reason::parse(&word));
    Ok(QueueFilter {
        r#type: kind.and_then(|word| word.parse().ok()),
        family: given_family.and_then(|word| family(&word)),
        reason: reason.map(Reason::word),
        min_severity: severity,
        escalated: escalated.map(|word| word == "true"),
        flagged_by: by.and_then(|word| FlaggedBy::parse(&word)),
    })
}

impl QueueFilter {
    /// Reads the filter of a query.
    pub fn of_query(query: &Query) -> Result<Self, Error> {
        let words = read_filter(|name| query.get(name).map(str::to_owned));
        words.map_err(|wrong| {
            let places = wrong.into_iter().map(|(name, msg, kind)| invalid(&["query", name], msg, kind, None));
            Error::Invalid(places.collect())
        })
    }
}

/// Which items to claim
#[derive(ToSchema)]
#[schema(examples(json!({ "limit": 1, "family": "HARASSMENT", "min_severity": 0.25 })))]
pub struct ClaimIn {
    /// How many; 1 when it is not given
    #[schema(minimum = 1, maximum = 50, value_type = Option<i64>)]
    pub limit: i64,
    #[serde(flatten)]
    pub filter: QueueFilter,
}

impl Input for ClaimIn {
    fn read(fields: &mut Fields) -> Self {
        let limit = match fields.value("limit").filter(|limit| !limit.is_null()) {
            None => CLAIMS,
            Some(limit) => limit.as_i64().filter(|limit| (1..=MAX_CLAIMS).contains(limit)).unwrap_or_else(|| {
                let msg = format!("a whole number from 1 to {MAX_CLAIMS}");
                fields.refuse(
                    "limit",
                    msg,
                    "value_error.number.not_in_range",
                    Some(json!({ "ge": 1, "le": MAX_CLAIMS })),
                );
                CLAIMS
            }),
        };
        let names = ["type", "family", "reason", "min_severity", "escalated", "flagged_by"];
        let given: Vec<(&str, String)> = names
            .into_iter()
            .filter_map(|name| match fields.value(name)? {
                Value::Null => None,
                Value::String(word) => Some((name, word)),
                other => Some((name, other.to_string())),
            })
            .collect();
        let words = read_filter(|name| given.iter().find(|(given, _)| *given == name).map(|(_, word)| word.clone()));
        let filter = words.unwrap_or_else(|wrong| {
            for (name, msg, kind) in wrong {
                fields.refuse(name, msg, kind, None);
            }
            QueueFilter::default()
        });
        Self { limit, filter }
    }
}
