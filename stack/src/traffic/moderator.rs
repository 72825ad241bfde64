//! A moderator on a platform of this machine: the one part of a demo that no user can play, because an operator gives the role.

use std::collections::BTreeMap;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use reqwest::Url;
use tokio::process::Command;

use crate::client::{Api, Person};
use crate::host::workspace::prebuilt;
use crate::servers::folder::{CONNECTIONS, DataFolder, read_if_there};
use crate::system::AUTH;

/// Signs a moderator up, where the platform at this address is the one of the data folder; none where it is another, whose
/// database is not ours.
pub async fn moderator(
    data: &DataFolder,
    base: &Url,
    api: &Api,
    (email, password): (&str, &str),
) -> Result<Option<Person>> {
    let Some(text) = read_if_there(&data.path().join(CONNECTIONS))? else { return Ok(None) };
    let connections = parse(&text);
    let is_ours = |name: &str| connections.get(name).and_then(|url| url.parse::<Url>().ok()).as_ref() == Some(base);
    let database =
        connections.get("AUTH_DATABASE_URL").filter(|_| is_ours("AUTH_SERVICE_URL") || is_ours("GATEWAY_URL"));
    let Some(database) = database else { return Ok(None) };
    let Some(binary) = [false, true].into_iter().find_map(|release| prebuilt(release).ok()?.remove(AUTH.package))
    else {
        return Ok(None);
    };
    let person = match api.join(email, password, ("Mia", "Moderator"), &["NEWS"]).await {
        Ok(person) => person,
        // Of an earlier run.
        Err(refused) => api.sign_in(email, password).await.map_err(|_| refused)?,
    };
    let mut grant = Command::new(binary);
    grant.args(["grant", email, "MODERATOR"]).env("DATABASE_URL", database).stdin(Stdio::null());
    let output = grant.output().await.context("the auth service cannot be run")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{email} cannot be made a moderator: {}", said.trim());
    Ok(Some(person))
}

/// The addresses of a platform, by their names.
fn parse(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines().filter_map(|line| line.split_once('='));
    lines.map(|(name, value)| (name, value.trim_matches('\''))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_a_shell_reads_them() {
        let text = "# A comment\nAUTH_DATABASE_URL='postgres://auth:x=y@127.0.0.1:1/platform'\nSERVICE_TOKEN='t'\n";
        let connections = parse(text);
        assert_eq!(connections["AUTH_DATABASE_URL"], "postgres://auth:x=y@127.0.0.1:1/platform");
        assert_eq!(connections["SERVICE_TOKEN"], "t");
    }
}
