//! `moderation-service export-suggestions`: the suggested scores as rows that a training learns from.
//!
//! A row is a text, a tab and its labels, as `train --extra` reads them: the heads that the suggestion is sure of, separated by
//! commas, or `clean`. A suggestion that says neither (one of PROFANITY alone, which no head is about) is left out and counted.
use std::collections::BTreeSet;
use std::io::Write;

use clap::Args;
use futures::TryStreamExt;
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;

use super::attributes::Attribute;
use super::models::Suggestion;
use crate::core::ground::database;
use crate::text_model::Head;

/// From which suggested score on a text has an attribute.
const HAS: f64 = 0.5;
/// Connections of the command.
const CONNECTIONS: u32 = 2;

/// Where the suggestions are.
#[derive(Args, Clone, Debug)]
pub struct ExportSuggestions {
    /// Postgres server and database of this service
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: PgConnectOptions,
}

/// Writes all suggestions of a schema to standard output.
pub async fn run(export: ExportSuggestions, schema: &'static str) -> anyhow::Result<()> {
    let db = database::pool(database::options(export.database_url, schema), CONNECTIONS);
    let mut to = std::io::stdout().lock();
    let (mut written, mut left_out) = (0, 0);
    let mut suggestions = Suggestion::all(&db);
    while let Some(suggestion) = suggestions.try_next().await? {
        match row(&suggestion) {
            Some(row) => {
                writeln!(to, "{row}")?;
                written += 1;
            }
            None => left_out += 1,
        }
    }
    writeln!(std::io::stderr(), "{written} rows; {left_out} suggestions say nothing that a head learns")?;
    Ok(())
}

/// The row of a suggestion; none when no head learns from it.
pub fn row(suggestion: &Suggestion) -> Option<String> {
    let value = |attribute: Attribute| {
        let scores = &suggestion.attribute_scores[attribute.name()];
        scores["summaryScore"]["value"].as_f64().or_else(|| {
            // Only spans were scored: a text has what one of its parts has.
            let spans = scores["spanScores"].as_array().into_iter().flatten();
            spans.filter_map(|span: &Value| span["score"]["value"].as_f64()).reduce(f64::max)
        })
    };
    let has = |attribute: &Attribute| value(*attribute).is_some_and(|value| value >= HAS);
    let heads: BTreeSet<usize> =
        Attribute::ALL.into_iter().filter(has).flat_map(|it| it.heads().iter().map(|head| *head as usize)).collect();
    let labels = if heads.is_empty() {
        // What is not toxic is no hate and no threat either; of a single other attribute that cannot be said.
        let is_clean = value(Attribute::Toxicity)? < HAS && !Attribute::ALL.iter().any(has);
        is_clean.then(|| "clean".to_owned())?
    } else {
        heads.into_iter().map(|head| Head::ALL[head].name()).collect::<Vec<_>>().join(",")
    };
    let text = suggestion.text.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(format!("{text}\t{labels}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_suggestion_is_a_row_of_what_it_is_sure_of() {
        let row = |scores: Value| row(&Suggestion { text: "a\tb\n c".to_owned(), attribute_scores: scores });
        let summary = |value: f64| json!({ "summaryScore": { "value": value } });
        for (scores, expected) in [
            (json!({ "TOXICITY": summary(0.0) }), Some("a b c\tclean")),
            (json!({ "TOXICITY": summary(0.9) }), Some("a b c\ttoxic")),
            (
                json!({ "THREAT": summary(1.0), "IDENTITY_ATTACK": summary(0.5), "INSULT": summary(0.7) }),
                Some("a b c\ttoxic,hate,threat"),
            ),
            (
                json!({ "TOXICITY": { "spanScores": [{ "begin": 0, "end": 1, "score": { "value": 0.8 } }] } }),
                Some("a b c\ttoxic"),
            ),
            (json!({ "SPAM": summary(0.1) }), None),
            (json!({ "PROFANITY": summary(1.0), "TOXICITY": summary(0.1) }), None),
        ] {
            assert_eq!(row(scores.clone()).as_deref(), expected, "{scores}");
        }
    }
}
