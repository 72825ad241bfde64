//! The set-up of the database: one role and one schema per service, which no other role can read.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use reqwest::Url;

use crate::servers::psql;

/// Creates what is missing of roles, database and schemas, and sets the passwords of the roles, by noun.
pub async fn create(server: &Url, passwords: &BTreeMap<String, String>) -> Result<()> {
    psql::run(server, &script(passwords)).await.map(drop).context("the database cannot be set up")
}

fn script(passwords: &BTreeMap<String, String>) -> String {
    let variables = passwords.iter().map(|(noun, password)| format!("\\set {noun}_password '{password}'\n"));
    variables.chain([include_str!("roles.sql").to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::{DATABASE, SERVICES, Service};

    #[test]
    fn every_service_gets_its_role_and_its_schema() {
        let passwords = SERVICES.iter().map(|service| (service.noun.to_owned(), format!("pw-{}", service.noun)));
        let sql = script(&passwords.collect());
        assert!(sql.contains(&format!("\\connect {DATABASE}\n")), "{sql}");
        for Service { noun, .. } in &SERVICES {
            assert!(sql.contains(&format!("\\set {noun}_password 'pw-{noun}'\n")), "{sql}");
            assert!(sql.contains(&format!("alter role {noun} password :'{noun}_password';")), "{sql}");
            assert_eq!(sql.matches(&format!("'{noun}'")).count(), 2, "{sql}");
        }
    }
}
