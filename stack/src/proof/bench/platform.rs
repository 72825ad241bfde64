//! The platform that is measured: one optimised process of every service, and servers that sync as they should.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result};
use sqlx::PgPool;

use crate::host::workspace::Build;
use crate::platform::replicas::Replica;
use crate::proof::bench::database;
use crate::proof::bench::options::Run;
use crate::proof::platform::Platform;
use crate::proof::redis::RedisInspector;
use crate::servers::postgres::Lifetime;
use crate::servers::temporary::TemporaryServers;
use crate::system::Service;

/// Connections of the benchmark itself: one that measures, one that watches.
const CONNECTIONS: u32 = 2;

/// A platform with connections to its stores.
pub struct MeasuredPlatform<'a> {
    pub base: Platform<'a>,
    /// The tables of all services.
    pub tables: PgPool,
}

impl<'a> MeasuredPlatform<'a> {
    /// Starts everything and waits until it is ready.
    pub async fn start(options: &Run, servers: &'a mut TemporaryServers) -> Result<MeasuredPlatform<'a>> {
        let build = Build { release: true, prebuilt: options.prebuilt };
        let mut base = Platform::start_servers(&build, servers, 1, Lifetime::Measured).await?;
        let tables = database::open(&base.database, "bench", CONNECTIONS).await?;
        base.start(&base.replicas.clone()).await?;
        Ok(MeasuredPlatform { base, tables })
    }

    /// Connections to the tables of one service.
    pub async fn tables_of(&self, service: &Service, connections: u32) -> Result<PgPool> {
        database::open(&self.base.database, service.noun, connections).await
    }

    /// The address of a service.
    pub fn address(&self, service: &'static Service) -> Result<SocketAddr> {
        let port = service.port(self.base.config.port_base, 0);
        Ok((Ipv4Addr::LOCALHOST, port.with_context(|| format!("no port for {}", service.package))?).into())
    }

    /// A connection to the Redis that holds the streams.
    pub async fn redis(&self) -> Result<RedisInspector> {
        RedisInspector::open(&self.base.redis).await
    }
}

/// The one process of a service.
pub fn process(service: &'static Service) -> Replica {
    Replica { service, number: 0 }
}
