//! The private Postgres and Redis of a platform: their ports and secrets, decided once per data folder, and their start.

use anyhow::{Context, Result, bail};
use reqwest::Url;

use crate::host::console;
use crate::host::reservations::PortReservations;
use crate::servers::cluster;
use crate::servers::folder::{Folder, remove};
use crate::servers::postgres::{Lifetime, Postgres};
use crate::servers::processes::Processes;
use crate::servers::redis::{self, RedisKind};
use crate::servers::redis_url::RedisUrl;
use crate::servers::state::{PersistedState, Secrets};

/// Above the standard ports, so that servers of the system are never in the way.
const POSTGRES_PORTS: u16 = 15_432;
const REDIS_PORTS: u16 = 16_379;
const CLUSTER_PORTS: u16 = 16_500;

/// The state of a data folder, or a new one: free ports and new secrets.
pub fn prepare_state(folder: &Folder, reservations: &mut PortReservations, redis: RedisKind) -> Result<PersistedState> {
    let earlier = PersistedState::read(folder.path())?;
    let postgres_port = reserve(earlier.as_ref().map(|state| state.postgres_port), POSTGRES_PORTS, 1, reservations)?;
    let redis_port = reserve(earlier.as_ref().map(|state| state.redis_port), REDIS_PORTS, 1, reservations)?;
    let mut redis_cluster_port = earlier.as_ref().and_then(|state| state.redis_cluster_port);
    if redis == RedisKind::Cluster {
        redis_cluster_port = Some(reserve(redis_cluster_port, CLUSTER_PORTS, cluster::PORTS, reservations)?);
    }
    let state = if let Some(earlier) = earlier {
        PersistedState { postgres_port, redis_port, redis_cluster_port, ..earlier }
    } else {
        let secrets = Secrets::generate();
        PersistedState { postgres_port, redis_port, redis_cluster_port, postgres_elsewhere: None, secrets }
    };
    state.save(folder)?;
    Ok(state)
}

/// Reserves as many ports in a row, from the earlier one on, or else from the first free one; the first of them.
fn reserve(earlier: Option<u16>, start: u16, count: u16, reservations: &mut PortReservations) -> Result<u16> {
    for port in earlier.into_iter().chain(start..=u16::MAX - count) {
        if reservations.take(&(port..port + count).collect::<Vec<_>>())? {
            return Ok(port);
        }
    }
    bail!("no port is free from {start} on")
}

/// Starts Postgres, on a new cluster when there is none yet; its address.
pub async fn start_postgres(
    processes: &mut Processes,
    folder: &Folder,
    state: &mut PersistedState,
    lifetime: Lifetime,
) -> Result<Url> {
    let postgres = Postgres::locate(folder, state.postgres_elsewhere.as_deref(), lifetime).await?;
    state.postgres_elsewhere = postgres.elsewhere(folder);
    state.save(folder)?;
    postgres.initialise(&state.secrets.postgres).await?;
    postgres.start(processes, state.postgres_port, &folder.log("postgres")?).await?;
    Postgres::url(state.postgres_port, &state.secrets.postgres)
}

/// Starts Redis, or those of its nodes that do not run.
pub async fn start_redis(
    processes: &mut Processes,
    folder: &Folder,
    state: &PersistedState,
    redis: RedisKind,
    lifetime: Lifetime,
) -> Result<()> {
    match redis {
        RedisKind::Single => redis::start(processes, folder, state.redis_port, &state.secrets, lifetime).await,
        RedisKind::Cluster => cluster::start(processes, folder, cluster_port(state)?, &state.secrets, lifetime).await,
    }
}

/// The address of Redis as operators use it.
pub fn redis_url(state: &PersistedState, redis: RedisKind) -> Result<RedisUrl> {
    match redis {
        RedisKind::Single => redis::url(state.redis_port, &state.secrets.redis).map(RedisUrl::Single),
        RedisKind::Cluster => cluster::url(cluster_port(state)?, &state.secrets.redis),
    }
}

/// The first port of the cluster.
pub fn cluster_port(state: &PersistedState) -> Result<u16> {
    state.redis_cluster_port.context("there has been no cluster of Redis here")
}

/// Deletes the part of the data that is outside of the folder. Where the state that names it cannot be parsed any more it
/// stays: a reset has to work on just such a folder.
pub fn delete_outside(folder: &Folder) -> Result<()> {
    match PersistedState::read(folder.path()) {
        Ok(state) => state.and_then(|state| state.postgres_elsewhere).map_or(Ok(()), |elsewhere| remove(&elsewhere)),
        Err(error) => {
            console::info(format_args!("{error:#}: data outside of the folder, if there is any, stays"));
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn ports_and_secrets_stay_the_same_from_one_start_to_the_next() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        let first = prepare_state(&folder, &mut PortReservations::default(), RedisKind::Single).unwrap();
        assert!(first.postgres_port >= POSTGRES_PORTS && first.redis_port >= REDIS_PORTS);
        let second = prepare_state(&folder, &mut PortReservations::default(), RedisKind::Single).unwrap();
        assert_eq!(second.secrets, first.secrets);
    }

    #[test]
    fn a_cluster_has_ports_of_its_own_which_it_keeps_while_there_is_one_server() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        let prepare = |redis| prepare_state(&folder, &mut PortReservations::default(), redis).unwrap();
        assert_eq!(prepare(RedisKind::Single).redis_cluster_port, None);
        let port = prepare(RedisKind::Cluster).redis_cluster_port;
        assert!(port.is_some_and(|port| port >= CLUSTER_PORTS), "{port:?}");
        assert!(prepare(RedisKind::Single).redis_cluster_port == port);
    }

    #[test]
    fn a_port_that_is_reserved_elsewhere_is_given_up() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        let mut services = PortReservations::default();
        let first = prepare_state(&folder, &mut services, RedisKind::Single).unwrap();
        let second = prepare_state(&folder, &mut PortReservations::default(), RedisKind::Single).unwrap();
        assert!(second.postgres_port != first.postgres_port && second.redis_port != first.redis_port);
    }

    #[test]
    fn a_folder_that_cannot_be_parsed_can_be_deleted() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(&home.path().join("data")).unwrap();
        fs::write(folder.path().join("kept.json"), "{").unwrap();
        assert!(
            PersistedState::read(folder.path()).unwrap_err().to_string().ends_with("`cargo stack reset` starts afresh")
        );
        delete_outside(&folder).unwrap();
    }
}
