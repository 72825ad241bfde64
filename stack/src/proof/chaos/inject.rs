//! Carries the planned faults out, each at its time, and undoes them.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use tokio::time::{Instant, sleep_until};

use crate::host::console;
use crate::proof::chaos::append_only::Length;
use crate::proof::chaos::faults::Fault;
use crate::proof::chaos::plan::Planned;
use crate::proof::chaos::platform::Platform;
use crate::proof::chaos::proxy::Link;
use crate::proof::redis::Redis;

/// How late a packet of a slow connection is, in milliseconds.
const LATE: (u64, u64) = (20, 200);

/// What is under way and has to be undone.
#[derive(Debug, Default)]
pub struct Injector {
    /// How long Redis's file was when its loss began, by place in the plan.
    lengths: BTreeMap<usize, Length>,
    /// How many events had been told when Redis went away for long.
    told: u64,
    /// How often what was carried out.
    pub done: BTreeMap<Fault, u32>,
}

impl Injector {
    /// Lets all faults happen, from `began` on; every one is undone when it returns.
    pub async fn run(&mut self, platform: &mut Platform<'_>, plan: &[Planned], began: Instant) -> Result<()> {
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
                error = platform.first_end() => return Err(error.context("nobody had killed it")),
                () = sleep_until(began + at) => {}
            }
            let planned = &plan[place];
            if kind == 1 {
                *self.done.entry(planned.fault).or_default() += 1;
                console::show(sentence(platform, planned));
                self.begin(platform, place, planned).await
            } else {
                self.end(platform, place, planned).await
            }
            .with_context(|| format!("{} cannot be carried out", planned.fault.name()))?;
        }
        Ok(())
    }

    async fn begin(&mut self, platform: &mut Platform<'_>, place: usize, planned: &Planned) -> Result<()> {
        let slow = Link::Slow(Duration::from_millis(LATE.0 + planned.dice % (LATE.1 - LATE.0)));
        match planned.fault {
            Fault::KillService => platform.kill_replica(planned.replica).await?,
            Fault::StopService => platform.signal(planned.replica, Signal::SIGSTOP)?,
            Fault::KillPostgres => platform.kill_postgres().await?,
            Fault::KillRedis => {
                self.lengths.insert(place, platform.append_only.length()?);
            }
            Fault::Flushall => Redis::open(&platform.redis).await?.flush_all().await?,
            Fault::OldRedis => platform.append_only.copy()?,
            Fault::RedisAway => {
                self.told = platform.events().await?;
                platform.kill_redis().await?;
            }
            Fault::CutRedis => platform.redis_link.set(Link::Cut),
            Fault::SlowRedis => platform.redis_link.set(slow),
            Fault::MuteRedis => platform.redis_link.set(Link::Mute),
            Fault::CutPostgres => platform.postgres_link.set(Link::Cut),
            Fault::SlowPostgres => platform.postgres_link.set(slow),
            Fault::MutePostgres => platform.postgres_link.set(Link::Mute),
            Fault::Restart if is_polite(planned) => platform.stop().await?,
            Fault::Restart => {
                for replica in order(platform, planned) {
                    platform.kill_replica(replica).await?;
                }
                platform.kill_redis().await?;
                platform.kill_postgres().await?;
            }
            Fault::None => {}
        }
        Ok(())
    }

    async fn end(&mut self, platform: &mut Platform<'_>, place: usize, planned: &Planned) -> Result<()> {
        match planned.fault {
            Fault::KillService => platform.start_replica(planned.replica).map(drop)?,
            Fault::StopService => platform.signal(planned.replica, Signal::SIGCONT)?,
            Fault::KillPostgres => platform.start_postgres().await?,
            Fault::KillRedis => {
                platform.kill_redis().await?;
                if let Some(length) = self.lengths.remove(&place) {
                    platform.append_only.cut(&length)?;
                }
                platform.start_redis().await?;
            }
            Fault::OldRedis => {
                platform.kill_redis().await?;
                platform.append_only.put_back()?;
                platform.start_redis().await?;
            }
            Fault::RedisAway => {
                let waiting = platform.events().await?.saturating_sub(self.told);
                console::show(format_args!("Redis comes back; {waiting} events were told meanwhile"));
                platform.start_redis().await?;
            }
            Fault::CutRedis | Fault::SlowRedis | Fault::MuteRedis => platform.redis_link.set(Link::Open),
            Fault::CutPostgres | Fault::SlowPostgres | Fault::MutePostgres => platform.postgres_link.set(Link::Open),
            Fault::Restart => {
                // Services first: they start without their servers.
                for replica in order(platform, planned) {
                    platform.start_replica(replica)?;
                }
                platform.start_redis().await?;
                platform.start_postgres().await?;
            }
            Fault::Flushall | Fault::None => {}
        }
        Ok(())
    }
}

fn is_polite(planned: &Planned) -> bool {
    planned.dice.is_multiple_of(2)
}

/// All processes of services in an order of the dice.
fn order(platform: &Platform<'_>, planned: &Planned) -> Vec<usize> {
    let mut order: Vec<usize> = (0..platform.replicas.len()).collect();
    order.shuffle(&mut StdRng::seed_from_u64(planned.dice));
    order
}

/// A fault as a line of the protocol.
fn sentence(platform: &Platform<'_>, planned: &Planned) -> String {
    let what = match planned.fault {
        Fault::KillService | Fault::StopService => platform.replicas[planned.replica].name.as_str(),
        Fault::Restart if is_polite(planned) => "politely",
        Fault::Restart => "by kill -9",
        _ => "",
    };
    let (at, lasts) = (planned.from.as_secs_f64(), planned.until.saturating_sub(planned.from).as_secs_f64());
    format!("{at:7.2} s  {:13}  for {lasts:5.2} s  {what}", planned.fault.name()).trim_end().to_owned()
}
