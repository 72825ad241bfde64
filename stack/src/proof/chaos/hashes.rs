//! The hashes of people in Redis, which other services read: they agree with the accounts.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use reqwest::Url;

use crate::proof::chaos::violation::{Violation, ViolationKind};
use crate::proof::redis::RedisInspector;
use crate::servers::psql;

/// A hash by person: field and value.
pub type Hashes = BTreeMap<String, BTreeMap<String, String>>;

/// What must be in Redis, of the fields that change: as the accounts have it.
pub async fn expected(url: &Url) -> Result<Hashes> {
    let sql = "select id || '|' || email || '|' || total_connections || '|' || '[' || array_to_string(array(
            select '\"' || target_id || '\"' from auth.connection join auth.account as target on target.id = target_id
            where user_id = account.id order by target.date_joined desc, target.id desc), ', ') || ']'
        from auth.account;";
    let rows = psql::run(url, sql).await.context("the accounts cannot be read")?;
    let hash = |row: &str| {
        let names = ["id", "email", "total_connections", "connections"].map(str::to_owned);
        let values: [String; 4] = row.splitn(4, '|').map(str::to_owned).collect::<Vec<_>>().try_into().ok()?;
        Some((values[0].clone(), names.into_iter().zip(values).collect()))
    };
    rows.lines().map(|row| hash(row).with_context(|| format!("{row} is no account"))).collect()
}

/// Where Redis has something else.
pub async fn differences(redis: &mut RedisInspector, expected: &Hashes) -> Result<Vec<Violation>> {
    Ok(compare(expected, &redis.hashes().await?))
}

fn compare(expected: &Hashes, found: &Hashes) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (person, fields) in expected {
        let Some(hash) = found.get(person) else {
            violations.push(Violation::new(ViolationKind::Lost, format!("the hash of {person}")));
            continue;
        };
        for (name, value) in fields.iter().filter(|(name, value)| hash.get(*name) != Some(value)) {
            let held = hash.get(name).map_or("missing", String::as_str);
            let what = format!("{name} in the hash of {person} is {held}, and should be {value}");
            violations.push(Violation::new(ViolationKind::Wrong, what));
        }
    }
    let strangers = found.keys().filter(|person| !expected.contains_key(*person));
    violations.extend(
        strangers.map(|person| Violation::new(ViolationKind::Wrong, format!("the hash of {person}, who left"))),
    );
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(people: &[(&str, &str)]) -> Hashes {
        let hash = |total: &str| BTreeMap::from([("total_connections".to_owned(), total.to_owned())]);
        people.iter().map(|(person, total)| ((*person).to_owned(), hash(total))).collect()
    }

    #[test]
    fn a_hash_that_is_missing_another_or_left_over_is_found() {
        let found =
            compare(&hashes(&[("a", "1"), ("b", "2"), ("c", "3")]), &hashes(&[("b", "1"), ("c", "3"), ("d", "0")]));
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "lost: the hash of a",
                "wrong: total_connections in the hash of b is 1, and should be 2",
                "wrong: the hash of d, who left"
            ]
        );
    }
}
