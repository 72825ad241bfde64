//! The statements of a service, as it is compiled with them (`.sqlx`): what is compared with a service carries out the same.

use std::fs;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::host::workspace;
use crate::system::Service;

/// The description of a query with which a service is compiled.
#[derive(Deserialize)]
struct Description {
    query: String,
}

/// The one statement of a service in which these words occur.
pub fn find(service: &Service, words: &str) -> Result<String> {
    let folder = workspace::root().join(service.package).join(".sqlx");
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let description: Description = serde_json::from_slice(&fs::read(entry?.path())?)?;
        if one_line(&description.query).contains(words) {
            found.push(description.query);
        }
    }
    match found.as_slice() {
        [only] => Ok(only.clone()),
        others => bail!("{} statements of the {} have the words `{words}`", others.len(), service.package),
    }
}

/// The same with these expressions in place of its parameters.
pub fn filled(service: &Service, words: &str, values: &[&str]) -> Result<String> {
    Ok(fill(&find(service, words)?, values))
}

fn one_line(query: &str) -> String {
    query.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn fill(query: &str, values: &[&str]) -> String {
    // From the last one down: $1 is the beginning of $10.
    let numbered = values.iter().enumerate().rev();
    numbered.fold(one_line(query), |text, (place, value)| text.replace(&format!("${}", place + 1), value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::POST;

    #[test]
    fn values_take_the_place_of_parameters() {
        let values: Vec<String> = (1..=10).map(|number| format!("v{number}")).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        assert_eq!(fill("select $1,\n        $10 || $1", &values), "select v1, v10 || v1");
    }

    #[test]
    fn a_statement_is_found_by_its_words_if_only_one_has_them() {
        assert!(find(&POST, "insert into post_nft (").unwrap().contains("on conflict (post_id) do update"));
        let error = find(&POST, "drop table").unwrap_err().to_string();
        assert_eq!(error, "0 statements of the post-service have the words `drop table`");
    }
}
