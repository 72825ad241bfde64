//! What can be broken, by name.

use clap::ValueEnum;

use crate::servers::redis::RedisKind;

/// One way to break a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Fault {
    /// kill -9 of one replica of a service; it comes back after a while
    KillService,
    /// SIGSTOP of one replica for 5 to 30 s, less in a short run: it goes on as if no time had passed
    StopService,
    /// kill -9 of Postgres; it recovers from its log
    KillPostgres,
    /// kill -9 of Redis, with the loss of its last moments that appendfsync everysec permits in a power cut
    KillRedis,
    /// Redis is emptied
    Flushall,
    /// Redis comes back with a copy of its append-only file that was made seconds earlier
    OldRedis,
    /// No connection to Redis, and the loss of all that there are
    CutRedis,
    /// Every packet to and from Redis is late
    SlowRedis,
    /// Requests reach Redis, its answers are lost; then the connections are cut
    MuteRedis,
    /// No connection to Postgres, and the loss of all that there are
    CutPostgres,
    /// Every packet to and from Postgres is late
    SlowPostgres,
    /// Statements, commits among them, reach Postgres, its answers are lost; then the connections are cut
    MutePostgres,
    /// Everything is stopped, politely or by kill -9, and started again in any order
    Restart,
    /// In a cluster of Redis: kill -9 of a primary; it comes back when its replica has replaced it
    KillPrimary,
    /// In a cluster of Redis: SIGSTOP of a primary until it is replaced; it goes on as if it still were one
    PausePrimary,
    /// In a cluster of Redis: a replica that was cut off takes over, and what its primary acknowledged meanwhile is gone
    TakeoverWithLoss,
    /// In a cluster of Redis: the slots of streams move to another primary
    Reshard,
    /// In a cluster of Redis: kill -9 of a primary, then of its replica that has replaced it; the shard is away until they are back
    DoubleKill,
    /// Redis is away for five sixths of the run, once; only when it is asked for by name
    RedisAway,
    /// Nothing is broken: only load and checks
    None,
}

impl Fault {
    /// The name by which it is asked for and listed.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// All that break something in a platform with such a Redis, less what leaves no room for others.
    pub fn all(redis: RedisKind) -> impl Iterator<Item = Fault> {
        let leaves_room = |fault: &Fault| !matches!(fault, Fault::RedisAway | Fault::None);
        Self::value_variants().iter().copied().filter(leaves_room).filter(move |fault| fault.is_possible(redis))
    }

    /// Whether it needs a cluster of Redis.
    pub fn is_of_cluster(self) -> bool {
        matches!(
            self,
            Fault::KillPrimary | Fault::PausePrimary | Fault::TakeoverWithLoss | Fault::Reshard | Fault::DoubleKill
        )
    }

    /// Whether a platform with such a Redis can be broken like that. The nodes of a cluster lead clients past any proxy, and each
    /// has an append-only file of its own.
    pub fn is_possible(self, redis: RedisKind) -> bool {
        let needs_one_server =
            matches!(self, Fault::KillRedis | Fault::OldRedis | Fault::CutRedis | Fault::SlowRedis | Fault::MuteRedis);
        match redis {
            RedisKind::Single => !self.is_of_cluster(),
            RedisKind::Cluster => !needs_one_server,
        }
    }

    /// What it happens to; faults of one target do not overlap.
    pub fn target(self, replica: usize) -> FaultTarget {
        match self {
            Fault::KillService | Fault::StopService => FaultTarget::Replica(replica),
            Fault::KillPostgres | Fault::CutPostgres | Fault::SlowPostgres | Fault::MutePostgres => {
                FaultTarget::Postgres
            }
            Fault::KillRedis
            | Fault::Flushall
            | Fault::OldRedis
            | Fault::CutRedis
            | Fault::SlowRedis
            | Fault::MuteRedis
            | Fault::RedisAway
            | Fault::KillPrimary
            | Fault::PausePrimary
            | Fault::TakeoverWithLoss
            | Fault::Reshard
            | Fault::DoubleKill => FaultTarget::Redis,
            Fault::Restart | Fault::None => FaultTarget::Everything,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultTarget {
    Postgres,
    Redis,
    /// One of the service processes, by position.
    Replica(usize),
    Everything,
}

impl FaultTarget {
    /// Whether what happens to one happens to the other.
    pub fn overlaps(self, other: FaultTarget) -> bool {
        self == other || self == FaultTarget::Everything || other == FaultTarget::Everything
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        assert_eq!(Fault::KillService.name(), "kill-service");
        assert_eq!(Fault::TakeoverWithLoss.name(), "takeover-with-loss");
        let all = Fault::all(RedisKind::Single).chain(Fault::all(RedisKind::Cluster));
        assert!(all.into_iter().all(|fault| Fault::from_str(&fault.name(), false) == Ok(fault)));
    }

    #[test]
    fn one_server_and_a_cluster_are_broken_each_in_ways_of_its_own() {
        let (single, cluster): (Vec<_>, Vec<_>) =
            (Fault::all(RedisKind::Single).collect(), Fault::all(RedisKind::Cluster).collect());
        assert_eq!((single.len(), cluster.len()), (13, 13));
        assert!(single.contains(&Fault::OldRedis) && !single.contains(&Fault::Reshard));
        assert!(cluster.contains(&Fault::Reshard) && !cluster.contains(&Fault::CutRedis));
        assert!(cluster.contains(&Fault::Flushall) && Fault::RedisAway.is_possible(RedisKind::Cluster));
    }

    #[test]
    fn everything_overlaps_all_and_two_replicas_do_not_overlap() {
        assert!(
            FaultTarget::Everything.overlaps(FaultTarget::Redis)
                && FaultTarget::Replica(3).overlaps(FaultTarget::Everything)
        );
        assert!(
            !FaultTarget::Replica(3).overlaps(FaultTarget::Replica(4))
                && !FaultTarget::Postgres.overlaps(FaultTarget::Redis)
        );
    }
}
