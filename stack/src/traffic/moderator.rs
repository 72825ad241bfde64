//! A moderator on a platform of this machine: the one part of a demo that no user can play, because an operator gives the role.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use reqwest::Url;
use tokio::process::Command;

use crate::client::{Api, Person};
use crate::host::workspace::prebuilt;
use crate::servers::folder::DataFolder;
use crate::system::AUTH;
use crate::traffic::local::connections;

/// Signs a moderator up, where the platform at this address is the one of the data folder; none where it is another, whose
/// database is not ours.
pub async fn moderator(
    data: &DataFolder,
    base: &Url,
    api: &Api,
    (email, password): (&str, &str),
) -> Result<Option<Person>> {
    let Some(connections) = connections(data, base)? else { return Ok(None) };
    let Some(database) = connections.get("AUTH_DATABASE_URL") else { return Ok(None) };
    let Some(binary) = [false, true].into_iter().find_map(|release| prebuilt(release).ok()?.remove(AUTH.package))
    else {
        return Ok(None);
    };
    let person = match api.join(email, password, ("Mia", "Moderator"), &["NEWS"]).await {
        Ok(person) => person,
        // Of an earlier run.
        Err(refused) => api.sign_in(email, password).await.map_err(|_| refused)?,
    };
    grant(&binary, database, email).await?;
    Ok(Some(person))
}

/// Gives an account the role of a moderator, as an operator does: by the program of the auth service, in its database.
pub async fn grant(binary: &Path, database: &str, email: &str) -> Result<()> {
    let mut grant = Command::new(binary);
    grant.args(["grant", email, "MODERATOR"]).env("DATABASE_URL", database).stdin(Stdio::null());
    let output = grant.output().await.context("the auth service cannot be run")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{email} cannot be made a moderator: {}", said.trim());
    Ok(())
}
