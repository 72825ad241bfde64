//! What is decided once per data folder and kept: ports that were free, passwords and keys that nobody guesses.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::servers::folder::{Folder, read_if_there, write_private};
use crate::system::SERVICES;

const FILE: &str = "kept.json";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub postgres_port: u16,
    pub redis_port: u16,
    /// Where Postgres keeps its files, when the data folder itself is out of its reach.
    pub postgres_elsewhere: Option<PathBuf>,
    pub secrets: Secrets,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// Of Postgres's superuser; empty in a throw-away server, which trusts this machine.
    pub postgres: String,
    /// Of Redis; empty in a throw-away server.
    pub redis: String,
    /// With which the auth service signs.
    pub secret_key: String,
    /// With which services call each other's `/internal` routes.
    pub service_token: String,
    /// The password of every service's role, by noun.
    pub roles: BTreeMap<String, String>,
}

impl Kept {
    /// What the folder holds, or none when it is new.
    pub fn load(folder: &Folder) -> Result<Option<Kept>> {
        Kept::read(folder.path())
    }

    /// The same of a folder that somebody else may hold.
    pub fn read(folder: &Path) -> Result<Option<Kept>> {
        let path = folder.join(FILE);
        let Some(text) = read_if_there(&path)? else { return Ok(None) };
        let kept = serde_json::from_str(&text)
            .with_context(|| format!("{} cannot be understood; `cargo stack reset` starts afresh", path.display()))?;
        Ok(Some(kept))
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

    /// For servers that live as long as one test run: a password check on every connection only costs time there.
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
        assert_eq!(Kept::load(&folder).unwrap(), None);
        let kept = Kept {
            postgres_port: 15_432,
            redis_port: 16_379,
            postgres_elsewhere: Some("/var/lib/x".into()),
            secrets: Secrets::generate(),
        };
        kept.save(&folder).unwrap();
        assert_eq!(Kept::load(&folder).unwrap(), Some(kept));
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
