//! The set-up of the database: one role and one schema per service, which no other role can read.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use reqwest::Url;

use crate::servers::psql;
use crate::system::{DATABASE, SERVICES};

/// Marks our roles, so that the password of no other role is ever changed.
const MARK: &str = "a service of the social platform (cargo stack)";

/// What the auth service searches names with. Its migration creates it as well, where its role may: here no service may
/// create anything outside of its schema.
const EXTENSION: &str = "create extension if not exists pg_trgm schema pg_catalog;";

/// Creates what is missing of roles, database and schemas, and sets the passwords of the roles.
pub async fn create(server: &Url, passwords: &BTreeMap<String, String>) -> Result<()> {
    psql::run(server, &script(passwords)).await.map(drop).context("the database cannot be set up")
}

fn script(passwords: &BTreeMap<String, String>) -> String {
    let role = |noun: &str| {
        let password = passwords.get(noun).map_or("", String::as_str);
        format!(
            "do $$ begin
               if not exists (select from pg_roles where rolname = '{noun}') then
                 create role {noun} login;
                 comment on role {noun} is '{MARK}';
               elsif (select shobj_description(oid, 'pg_authid') from pg_roles where rolname = '{noun}')
                     is distinct from '{MARK}' then
                 raise exception 'the server has a role \"{noun}\" already that cargo stack did not make';
               end if;
             end $$;
             alter role {noun} password '{password}';\n"
        )
    };
    let database = format!(
        "select 'create database {DATABASE}'
           where not exists (select from pg_database where datname = '{DATABASE}') \\gexec
         revoke all on database {DATABASE} from public;
         \\connect {DATABASE}
         set client_min_messages = warning;
         revoke all on schema public from public;
         {EXTENSION}\n"
    );
    let schema = |noun: &str| {
        // An owner that is no superuser may only hand a schema to a role that it is a member of.
        format!(
            "grant connect on database {DATABASE} to {noun};
             create schema if not exists {noun};
             grant {noun} to current_user;
             alter schema {noun} owner to {noun};
             alter role {noun} in database {DATABASE} set search_path = {noun};\n"
        )
    };
    let nouns = SERVICES.iter().map(|service| service.noun);
    let roles: String = nouns.clone().map(role).collect();
    let schemas: String = nouns.map(schema).collect();
    // Notices about what exists already are not worth a line.
    format!("set client_min_messages = warning;\n{roles}{database}{schemas}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_gets_its_role_and_its_schema() {
        let passwords = SERVICES.iter().map(|service| (service.noun.to_owned(), format!("pw-{}", service.noun)));
        let sql = script(&passwords.collect());
        for noun in ["auth", "post", "interaction", "moderation", "engagement"] {
            assert!(sql.contains(&format!("alter role {noun} password 'pw-{noun}';")), "{sql}");
            assert!(sql.contains(&format!("alter schema {noun} owner to {noun};")), "{sql}");
        }
    }
}
