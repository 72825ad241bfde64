//! The set-up of the database: one role and one schema per service, and nobody sees another's.

use std::{collections::BTreeMap, path::Path, process::Stdio};

use anyhow::{Context, Result};
use reqwest::Url;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::servers::postgres::succeed;
use crate::system::{DATABASE, SERVICES};

/// Marks the roles that are ours, so that the password of nobody else's role is ever changed.
const MARK: &str = "a service of the social platform (cargo stack)";

/// What the auth service searches names with. Its migration creates it as well, where its role may: here no service may
/// create anything outside of its schema.
const EXTENSION: &str = "create extension if not exists pg_trgm schema pg_catalog;";

/// Creates what is missing of roles, database and schemas, and sets the passwords of the roles.
pub async fn create(psql: &Path, server: &Url, passwords: &BTreeMap<String, String>) -> Result<()> {
    run(psql, server, &script(passwords)).await.map(drop).context("the database cannot be set up")
}

/// Runs SQL as the given user, and answers the rows that it selects: one line each, columns separated by `|`. The first
/// error ends it.
pub async fn run(psql: &Path, server: &Url, sql: &str) -> Result<String> {
    let mut command = Command::new(psql);
    command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", "--dbname"]);
    let mut address = server.clone();
    // Other users of this machine can read the arguments of a process, but not its environment. A password with
    // escapes stays in the address, which only psql knows to decode.
    if let Some(password) = server.password().filter(|password| !password.contains('%'))
        && address.set_password(None).is_ok()
    {
        command.env("PGPASSWORD", password);
    }
    command.arg(address.as_str()).env("PGCONNECT_TIMEOUT", "10");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().context("psql cannot be run")?;
    let mut input = child.stdin.take().context("psql has no input")?;
    // When psql cannot connect it leaves before it has read everything; its own words say why.
    let write = async {
        let written = input.write_all(sql.as_bytes()).await;
        drop(input);
        written
    };
    // At once: it writes rows before it has read the whole script.
    let (written, answer) = tokio::join!(write, child.wait_with_output());
    let answer = answer.context("psql does not end")?;
    succeed("psql", &answer)?;
    written.context("psql did not read the script")?;
    String::from_utf8(answer.stdout).context("psql answers no text")
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
    // Setting up again what is there already is no news.
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
