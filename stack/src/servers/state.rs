//! The state of a data folder that is decided once: ports that were free, random passwords and keys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::servers::folder::{Folder, read_if_there, write_private};
use crate::system::SERVICES;

const FILE: &str = "kept.json";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersistedState {
    pub postgres_port: u16,
    pub redis_port: u16,
    /// The first port of a Redis Cluster, where there has been one.
    #[serde(default)]
    pub redis_cluster_port: Option<u16>,
    /// Where Postgres keeps its files, when the data folder itself is out of its reach.
    pub postgres_elsewhere: Option<PathBuf>,
    pub secrets: Secrets,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// Of Postgres's superuser; empty in a temporary server, which trusts this machine.
    pub postgres: String,
    /// Of the user `default` of Redis; empty in a temporary server, which has no other.
    pub redis: String,
    /// The key with which the auth service signs.
    pub secret_key: String,
    /// The token with which services call each other's `/internal` routes.
    pub service_token: String,
    /// The password of every service's role in Postgres and of its user in Redis, by noun.
    pub roles: BTreeMap<String, String>,
}

impl PersistedState {
    /// The state of a folder, or none when it is new.
    pub fn read(folder: &Path) -> Result<Option<PersistedState>> {
        let path = folder.join(FILE);
        let Some(text) = read_if_there(&path)? else { return Ok(None) };
        let state = serde_json::from_str(&text)
            .with_context(|| format!("{} cannot be parsed; `cargo stack reset` starts afresh", path.display()))?;
        Ok(Some(state))
    }

    pub fn save(&self, folder: &Folder) -> Result<()> {
        write_private(&folder.path().join(FILE), &serde_json::to_string_pretty(self)?)
    }
}

impl Secrets {
    /// New ones, 256 random bits each.
    pub fn generate() -> Secrets {
        Secrets {
            postgres: random(),
            redis: random(),
            secret_key: random(),
            service_token: random(),
            roles: SERVICES.iter().map(|service| (service.noun.to_owned(), random())).collect(),
        }
    }

    /// For temporary servers: a password check on every connection would only cost time.
    pub fn none() -> Secrets {
        Secrets { postgres: String::new(), redis: String::new(), ..Secrets::generate() }
    }
}

/// 256 random bits in hexadecimal: safe in URLs, SQL and shells as it stands.
fn random() -> String {
    format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_loaded() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        assert_eq!(PersistedState::read(folder.path()).unwrap(), None);
        let state = PersistedState {
            postgres_port: 15_432,
            redis_port: 16_379,
            redis_cluster_port: Some(16_500),
            postgres_elsewhere: Some("/var/lib/x".into()),
            secrets: Secrets::generate(),
        };
        state.save(&folder).unwrap();
        assert_eq!(PersistedState::read(folder.path()).unwrap(), Some(state));
    }

    #[test]
    fn every_role_has_a_password_of_its_own() {
        let secrets = Secrets::generate();
        let mut all: Vec<_> = secrets.roles.values().chain([&secrets.postgres, &secrets.redis]).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), SERVICES.len() + 2);
        assert!(all.iter().all(|secret| secret.len() == 64));
    }
}
