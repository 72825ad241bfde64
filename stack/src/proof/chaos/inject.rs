//! Injects the planned faults, each at its time, and undoes them.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use tokio::time::{Instant, sleep_until};

use crate::host::console;
use crate::platform::replicas::Replica;
use crate::proof::chaos::append_only::AppendOnly;
use crate::proof::chaos::checks;
use crate::proof::chaos::faults::{Fault, FaultTarget};
use crate::proof::chaos::plan::PlannedFault;
use crate::proof::chaos::proxy::{LinkState, Proxy};
use crate::proof::chaos::shards::ShardFaults;
use crate::proof::platform::Platform;
use crate::proof::redis::RedisInspector;
use crate::servers::redis_url::RedisUrl;

/// The delay of a packet of a slow connection, in milliseconds.
const DELAY: (u64, u64) = (20, 200);

/// The proxies before the servers, the files of Redis, and what is under way and has to be undone.
#[derive(Debug)]
pub struct FaultInjector {
    postgres_link: Proxy,
    /// None before a cluster, whose nodes lead clients to each other's addresses.
    redis_link: Option<Proxy>,
    append_only: AppendOnly,
    /// What can be broken in a cluster of Redis, where it is one.
    pub shards: Option<ShardFaults>,
    /// The number of events when Redis went away for long.
    events_before: u64,
    /// How often each fault was injected.
    pub injected: BTreeMap<Fault, u32>,
}

impl FaultInjector {
    /// Leads the services to the servers of a platform through a proxy each.
    pub async fn install(platform: &mut Platform<'_>) -> Result<FaultInjector> {
        let append_only = AppendOnly::of(platform.folder().path());
        let postgres_link = Proxy::before(&mut platform.config.postgres).await?;
        let (redis_link, shards) = match &mut platform.config.redis {
            RedisUrl::Single(server) => (Some(Proxy::before(server).await?), None),
            RedisUrl::Cluster { nodes, .. } => (None, Some(ShardFaults::of(nodes.clone()))),
            RedisUrl::Sentinels { .. } => bail!("no platform is broken that has sentinels"),
        };
        let injected = BTreeMap::new();
        Ok(FaultInjector { postgres_link, redis_link, append_only, shards, events_before: 0, injected })
    }

    /// Injects all faults, from `began` on; every one is undone when it returns.
    pub async fn run(&mut self, platform: &mut Platform<'_>, plan: &[PlannedFault], began: Instant) -> Result<()> {
        // At one time ends come first: they free the target of what begins then.
        let ends = plan.iter().enumerate().map(|(place, planned)| (planned.until, 0, place));
        let begins = plan.iter().enumerate().map(|(place, planned)| (planned.from, 1, place));
        let mut times: Vec<(Duration, u8, usize)> = ends.chain(begins).collect();
        // What lasts no time at all begins before it ends.
        times.sort_by_key(|(at, kind, place)| {
            (*at, if plan[*place].from == plan[*place].until { 1 - kind } else { *kind })
        });
        for (at, kind, place) in times {
            tokio::select! {
                error = platform.processes().first_end() => return Err(error.context("it ended without a fault")),
                () = sleep_until(began + at) => {}
            }
            let planned = &plan[place];
            if kind == 1 {
                *self.injected.entry(planned.fault).or_default() += 1;
                console::show(report_line(platform, planned));
                self.begin(platform, planned).await
            } else {
                self.end(platform, planned).await
            }
            .with_context(|| format!("{} cannot be carried out", planned.fault.name()))?;
        }
        self.wait_for_shards().await
    }

    /// Waits until a cluster has got over what happened to it.
    async fn wait_for_shards(&self) -> Result<()> {
        match &self.shards {
            Some(shards) => shards.wait_until_whole().await,
            None => Ok(()),
        }
    }

    fn set_redis_link(&self, link: LinkState) {
        if let Some(proxy) = &self.redis_link {
            proxy.set(link);
        }
    }

    async fn begin(&mut self, platform: &mut Platform<'_>, planned: &PlannedFault) -> Result<()> {
        let target = platform.replicas[planned.replica];
        let slow = LinkState::Slow(Duration::from_millis(DELAY.0 + planned.dice % (DELAY.1 - DELAY.0)));
        if planned.target().overlaps(FaultTarget::Redis) {
            self.wait_for_shards().await?;
        }
        match planned.fault {
            Fault::KillService => platform.kill(&[target]).await?,
            Fault::StopService => platform.processes().signal(&target.name(), Signal::SIGSTOP)?,
            Fault::KillPostgres => platform.processes().kill("Postgres").await?,
            Fault::Flushall => RedisInspector::open(&platform.redis).await?.flush_all().await?,
            Fault::KillRedis | Fault::OldRedis => self.append_only.copy()?,
            Fault::RedisAway => {
                self.events_before = checks::count_events(&platform.database).await?;
                platform.kill_redis().await?;
            }
            Fault::CutRedis => self.set_redis_link(LinkState::Cut),
            Fault::SlowRedis => self.set_redis_link(slow),
            Fault::MuteRedis => self.set_redis_link(LinkState::Mute),
            Fault::CutPostgres => self.postgres_link.set(LinkState::Cut),
            Fault::SlowPostgres => self.postgres_link.set(slow),
            Fault::MutePostgres => self.postgres_link.set(LinkState::Mute),
            Fault::Restart if is_polite(planned) => platform.processes().stop().await?,
            Fault::Restart => {
                platform.kill(&random_order(platform, planned)).await?;
                platform.kill_redis().await?;
                platform.processes().kill("Postgres").await?;
            }
            Fault::KillPrimary | Fault::PausePrimary | Fault::TakeoverWithLoss | Fault::Reshard | Fault::DoubleKill => {
                self.shards()?.begin(platform, planned).await?;
            }
            Fault::None => {}
        }
        Ok(())
    }

    async fn end(&mut self, platform: &mut Platform<'_>, planned: &PlannedFault) -> Result<()> {
        let target = platform.replicas[planned.replica];
        match planned.fault {
            Fault::KillService => platform.start_replica(target).map(drop)?,
            Fault::StopService => platform.processes().signal(&target.name(), Signal::SIGCONT)?,
            Fault::KillPostgres => platform.start_postgres().await?,
            // What was written since the copy is lost: a moment, or some seconds.
            Fault::KillRedis | Fault::OldRedis => {
                platform.kill_redis().await?;
                self.append_only.put_back()?;
                platform.start_redis().await?;
            }
            Fault::RedisAway => {
                let waiting = checks::count_events(&platform.database).await?.saturating_sub(self.events_before);
                console::show(format_args!("Redis comes back; {waiting} events were published meanwhile"));
                platform.start_redis().await?;
            }
            Fault::CutRedis | Fault::SlowRedis | Fault::MuteRedis => self.set_redis_link(LinkState::Open),
            Fault::CutPostgres | Fault::SlowPostgres | Fault::MutePostgres => self.postgres_link.set(LinkState::Open),
            Fault::Restart => {
                // Services first: they start without their servers.
                for replica in random_order(platform, planned) {
                    platform.start_replica(replica)?;
                }
                platform.start_redis().await?;
                platform.start_postgres().await?;
            }
            Fault::KillPrimary | Fault::PausePrimary | Fault::TakeoverWithLoss | Fault::DoubleKill => {
                self.shards()?.end(platform).await?;
            }
            Fault::Flushall | Fault::Reshard | Fault::None => {}
        }
        Ok(())
    }

    fn shards(&mut self) -> Result<&mut ShardFaults> {
        self.shards.as_mut().context("Redis is no cluster")
    }
}

fn is_polite(planned: &PlannedFault) -> bool {
    planned.dice.is_multiple_of(2)
}

/// All replicas in a random order.
fn random_order(platform: &Platform<'_>, planned: &PlannedFault) -> Vec<Replica> {
    let mut order = platform.replicas.clone();
    order.shuffle(&mut StdRng::seed_from_u64(planned.dice));
    order
}

/// A fault as a line of the report.
fn report_line(platform: &Platform<'_>, planned: &PlannedFault) -> String {
    let what = match planned.fault {
        Fault::KillService | Fault::StopService => &platform.replicas[planned.replica].name(),
        Fault::Restart if is_polite(planned) => "politely",
        Fault::Restart => "by kill -9",
        _ => "",
    };
    let (at, lasts) = (planned.from.as_secs_f64(), planned.until.saturating_sub(planned.from).as_secs_f64());
    format!("{at:7.2} s  {:13}  for {lasts:5.2} s  {what}", planned.fault.name()).trim_end().to_owned()
}
