//! The platform that is measured: one optimised process of every service, and servers that sync as they should.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::{Deref, DerefMut};

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
    platform: Platform<'a>,
    /// The tables of all services.
    pub tables: PgPool,
}

impl<'a> MeasuredPlatform<'a> {
    /// Starts everything and waits until it is ready.
    pub async fn start(options: &Run, servers: &'a mut TemporaryServers) -> Result<MeasuredPlatform<'a>> {
        let build = Build { release: true, prebuilt: options.prebuilt };
        let mut platform = Platform::start_servers(&build, servers, 1, Lifetime::Measured).await?;
        let tables = database::open(&platform.database, "bench", CONNECTIONS).await?;
        platform.start(&platform.replicas.clone()).await?;
        Ok(MeasuredPlatform { platform, tables })
    }

    /// Connections to the tables of one service.
    pub async fn tables_of(&self, service: &Service, connections: u32) -> Result<PgPool> {
        database::open(&self.platform.database, service.noun, connections).await
    }

    /// The address of a service.
    pub fn address(&self, service: &'static Service) -> Result<SocketAddr> {
        let port = service.port(self.platform.config.port_base, 0);
        Ok((Ipv4Addr::LOCALHOST, port.with_context(|| format!("no port for {}", service.package))?).into())
    }

    /// A connection to the Redis that holds the streams.
    pub async fn redis(&self) -> Result<RedisInspector> {
        RedisInspector::open(&self.platform.redis).await
    }
}

impl<'a> Deref for MeasuredPlatform<'a> {
    type Target = Platform<'a>;

    fn deref(&self) -> &Platform<'a> {
        &self.platform
    }
}

impl DerefMut for MeasuredPlatform<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.platform
    }
}

/// The one process of a service.
pub fn process(service: &'static Service) -> Replica {
    Replica { service, number: 0 }
}
