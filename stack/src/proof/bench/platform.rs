//! The platform that is measured: one optimised process of every service, and servers that sync as they should.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result};
use futures::stream::{self, StreamExt, TryStreamExt};
use sqlx::PgPool;

use crate::client::Person;
use crate::host::workspace::Build;
use crate::platform::replicas::Replica;
use crate::proof::bench::database::{self, ask};
use crate::proof::bench::options::Run;
use crate::proof::platform::Platform;
use crate::proof::poll;
use crate::proof::redis::RedisInspector;
use crate::servers::postgres::Lifetime;
use crate::servers::temporary::TemporaryServers;
use crate::system::Service;

/// Connections of the benchmark itself: one that measures, one that watches.
const CONNECTIONS: u32 = 2;

/// People that sign up at once: hashes of passwords keep all cores busy.
const AT_ONCE: usize = 4;

/// Events that are not numbered yet, and consumers that have not applied all that are.
const WAITING: &str = include_str!("waiting.sql");

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

    /// Signs up this number of people; they are known to all services.
    pub async fn sign_up(&self, people: u32) -> Result<Vec<Person>> {
        self.sign_up_as("reader", people).await
    }

    /// Signs up people under addresses that begin with this word.
    pub async fn sign_up_as(&self, word: &str, people: u32) -> Result<Vec<Person>> {
        let api = self.base.api()?;
        let join = async |number: u32| {
            let email = format!("{word}.{number}@example.org");
            api.join(&email, "a long walk by the sea", ("Some", "Body"), &["BOOKS"]).await
        };
        let people = stream::iter(0..people).map(join).buffered(AT_ONCE).try_collect().await?;
        self.settle().await?;
        Ok(people)
    }

    /// Returns when all events have had their effects, so that no turn is slowed down by the effects of the turn before.
    pub async fn settle(&self) -> Result<()> {
        poll::until("all events are applied", Duration::from_mins(2), Duration::from_millis(100), async || {
            let (waiting,): (i64,) = ask(WAITING).fetch_one(&self.tables).await?;
            Ok(waiting == 0)
        })
        .await
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
