//! The platform of this machine that an address belongs to: what the launcher has written down about it.

use std::collections::BTreeMap;

use anyhow::Result;
use reqwest::Url;

use crate::servers::folder::{CONNECTIONS, DataFolder, read_if_there};

/// The addresses of the platform of a data folder by their names; none where the platform at this address is another one.
pub fn connections(data: &DataFolder, base: &Url) -> Result<Option<BTreeMap<String, String>>> {
    let Some(text) = read_if_there(&data.path().join(CONNECTIONS))? else { return Ok(None) };
    let connections = parse(&text);
    let is_ours = |name: &str| connections.get(name).and_then(|url| url.parse::<Url>().ok()).as_ref() == Some(base);
    Ok((is_ours("AUTH_SERVICE_URL") || is_ours("GATEWAY_URL")).then_some(connections))
}

fn parse(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.split_once('='));
    lines.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned())).collect()
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
