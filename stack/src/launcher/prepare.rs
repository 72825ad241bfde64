//! `cargo stack prepare`: the query descriptions (`.sqlx`) with which the services compile without a database.
//!
//! sqlx's macros describe each query to the compiler by asking a live database, and write the answer to
//! `SQLX_OFFLINE_DIR` when that is set. So this compiles every service once against a temporary Postgres that has the
//! service's migrations, and takes the files that came out of it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use clap::Args;
use reqwest::Url;

use crate::host::programs::Program;
use crate::host::shutdown::Shutdown;
use crate::host::{console, workspace};
use crate::servers::psql;
use crate::servers::temporary::TemporaryServers;
use crate::system::{SERVICES, Service};

#[derive(Debug, Args)]
pub struct Prepare {
    /// Write nothing; fail when the committed ones are out of date
    #[arg(long)]
    pub check: bool,
}

/// Writes the descriptions of all services, or with `check` only checks that the committed ones are up to date.
pub async fn prepare(options: Prepare) -> Result<ExitCode> {
    let mut shutdown = Shutdown::listen()?;
    let mut servers = TemporaryServers::new(&[Program::Postgres]).await?;
    let outcome = all(&mut servers, options.check, &mut shutdown).await;
    servers.stop().await?;
    outcome
}

async fn all(servers: &mut TemporaryServers, check: bool, shutdown: &mut Shutdown) -> Result<ExitCode> {
    let (server, _) = shutdown.or(servers.start_postgres()).await?;
    let mut outdated = Vec::new();
    for service in &SERVICES {
        let fresh = servers.folder.private(&format!("sqlx-{}", service.noun))?;
        let database = shutdown.or(database(service, &server)).await?;
        describe(service, &database, &fresh, shutdown).await?;
        let committed = workspace::root().join(service.package).join(".sqlx");
        if contents(&fresh)? == contents(&committed)? {
            console::info(format_args!("{}: up to date", service.package));
        } else if check {
            outdated.push(service.package);
        } else {
            replace(&committed, &fresh)?;
            console::info(format_args!("{}: {} queries described", service.package, contents(&committed)?.len()));
        }
    }
    if outdated.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    bail!("out of date: the .sqlx of {}; run `cargo stack prepare` and commit what it writes", outdated.join(", "));
}

/// An empty database in which the service's migrations have run.
async fn database(service: &Service, server: &Url) -> Result<Url> {
    let Service { noun, package, .. } = service;
    let empty = format!("create database {noun};\nalter database {noun} set search_path = {noun};\n");
    psql::run(server, &empty).await?;
    let mut url = server.clone();
    url.set_path(noun);
    psql::run(&url, &format!("create schema {noun};")).await?;
    for migration in migrations(service)? {
        let sql = fs::read_to_string(&migration).with_context(|| format!("{} cannot be read", migration.display()))?;
        psql::run(&url, &sql).await.with_context(|| format!("{package}: {}", migration.display()))?;
    }
    Ok(url)
}

fn migrations(service: &Service) -> Result<Vec<PathBuf>> {
    let folder = workspace::root().join(service.package).join("migrations");
    let entries = fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    Ok(files)
}

/// Compiles the service, tests included, against the live database.
async fn describe(service: &Service, database: &Url, target: &Path, shutdown: &mut Shutdown) -> Result<()> {
    // Cargo does not know that the outcome depends on the database: an older crate root makes it compile again.
    let root = workspace::root().join(service.package).join("src/main.rs");
    let touched = File::options().append(true).open(&root).and_then(|file| file.set_modified(SystemTime::now()));
    touched.with_context(|| format!("{} cannot be touched", root.display()))?;
    let mut command = workspace::cargo(&["check", "-p", service.package, "--all-targets"]);
    command.env("SQLX_OFFLINE", "false").env("SQLX_OFFLINE_DIR", target);
    command.env(service.database_variable(), database.as_str());
    if !workspace::run(&mut command, shutdown).await?.success() {
        bail!("{} does not compile against its migrations; see the compiler's errors above", service.package);
    }
    Ok(())
}

/// The files of a folder by name; an absent folder is an empty one.
fn contents(folder: &Path) -> Result<BTreeMap<String, String>> {
    if !folder.is_dir() {
        return Ok(BTreeMap::new());
    }
    let entries = fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    entries
        .map(|entry| {
            let path = entry?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            Ok((name, text))
        })
        .collect()
}

fn replace(target: &Path, source: &Path) -> Result<()> {
    crate::servers::folder::remove(target)?;
    fs::create_dir(target).with_context(|| format!("{} cannot be made", target.display()))?;
    for (name, text) in contents(source)? {
        let path = target.join(name);
        fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_described_replaces_all_that_was() {
        let home = tempfile::tempdir().unwrap();
        let (old, new) = (home.path().join("old"), home.path().join("new"));
        for folder in [&old, &new] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(old.join("query-gone.json"), "{}").unwrap();
        fs::write(new.join("query-fresh.json"), "{\"a\":1}").unwrap();
        replace(&old, &new).unwrap();
        let expected = BTreeMap::from([("query-fresh.json".to_owned(), "{\"a\":1}".to_owned())]);
        assert_eq!(contents(&old).unwrap(), expected);
    }

    #[test]
    fn a_service_without_queries_has_no_descriptions() {
        assert_eq!(contents(Path::new("/nowhere")).unwrap(), BTreeMap::new());
    }
}
