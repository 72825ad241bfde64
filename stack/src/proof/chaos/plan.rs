//! What is broken when: drawn at random from the seed before anything starts, so that a run can be repeated.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::proof::chaos::faults::{Fault, FaultTarget};

/// How long the platform is left alone at first, so that there is something to lose.
const CALM: Duration = Duration::from_secs(3);
/// The pause between the beginnings of two faults, in milliseconds; they overlap as they fall.
const PAUSE: std::ops::Range<u64> = 1_500..6_000;
/// How long a stopped process sleeps, in milliseconds.
const SLEEP: (u64, u64) = (5_000, 30_000);
/// The part of a run that one sleep takes at most.
const SLEEP_PART: u32 = 6;

/// How long a cluster of Redis has to be whole again after one of its faults, before the next one begins.
const HEALING: Duration = Duration::from_secs(4);

/// The part of a run that a long absence takes.
const ABSENCE: (u32, u32) = (5, 6);

/// A fault with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFault {
    pub fault: Fault,
    /// When it begins and when it is over, from the beginning of the run.
    pub from: Duration,
    pub until: Duration,
    /// Which process of a service it happens to, by position.
    pub replica: usize,
    /// One more throw, for what the fault leaves open.
    pub dice: u64,
}

impl PlannedFault {
    pub fn target(&self) -> FaultTarget {
        self.fault.target(self.replica)
    }

    /// When another fault of its target may begin.
    fn over(&self) -> Duration {
        if self.fault.is_of_cluster() { self.until + HEALING } else { self.until }
    }
}

/// All that happens in a run of that length, in the order in which it begins. Every fault comes once before one comes
/// twice.
pub fn plan(seed: u64, length: Duration, faults: &[Fault], replicas: usize) -> Vec<PlannedFault> {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut faults: Vec<Fault> = faults.iter().copied().filter(|fault| *fault != Fault::None).collect();
    let mut planned: Vec<PlannedFault> = Vec::new();
    if faults.contains(&Fault::RedisAway) {
        let until = CALM + length * ABSENCE.0 / ABSENCE.1;
        planned.push(PlannedFault { fault: Fault::RedisAway, from: CALM, until, replica: 0, dice: dice.random() });
        faults.retain(|fault| *fault != Fault::RedisAway);
    }
    let mut bag = Vec::new();
    let mut next = CALM;
    while next < length && !faults.is_empty() {
        if bag.is_empty() {
            bag.clone_from(&faults);
            bag.shuffle(&mut dice);
        }
        let Some(fault) = bag.pop() else { break };
        let replica = dice.random_range(0..replicas);
        let lasts = Duration::from_millis(lasts(&mut dice, fault, length));
        let target = fault.target(replica);
        // Behind all that happens to the same target already.
        let busy = planned.iter().filter(|other| other.target().overlaps(target)).map(PlannedFault::over).max();
        let from = busy.map_or(next, |busy| busy.max(next));
        planned.push(PlannedFault { fault, from, until: from + lasts, replica, dice: dice.random() });
        next += Duration::from_millis(dice.random_range(PAUSE));
    }
    planned.retain(|planned| planned.from < length);
    planned.sort_by_key(|planned| planned.from);
    planned
}

/// How long a fault lasts, in milliseconds.
fn lasts(dice: &mut StdRng, fault: Fault, length: Duration) -> u64 {
    let longest_sleep = u64::try_from((length / SLEEP_PART).as_millis()).unwrap_or(SLEEP.1).clamp(SLEEP.0, SLEEP.1);
    match fault {
        Fault::KillService => dice.random_range(0..4_000),
        Fault::StopService => dice.random_range(SLEEP.0..=longest_sleep),
        Fault::KillPostgres => dice.random_range(0..2_000),
        // What appendfsync everysec may lose: at most the last second.
        Fault::KillRedis => dice.random_range(200..=1_000),
        Fault::Flushall | Fault::RedisAway | Fault::Reshard | Fault::None => 0,
        Fault::OldRedis => dice.random_range(2_000..6_000),
        Fault::CutRedis | Fault::CutPostgres => dice.random_range(200..4_000),
        Fault::SlowRedis | Fault::SlowPostgres | Fault::MuteRedis | Fault::MutePostgres => {
            dice.random_range(1_000..5_000)
        }
        Fault::Restart => dice.random_range(0..1_000),
        // Its replica replaces a primary after 3.5 to 5 s; what is killed next is away for the rest.
        Fault::KillPrimary | Fault::PausePrimary => dice.random_range(5_000..7_000),
        Fault::DoubleKill => dice.random_range(7_000..9_000),
        Fault::TakeoverWithLoss => dice.random_range(1_000..3_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::redis::RedisKind;

    const LENGTH: Duration = Duration::from_mins(2);

    fn all() -> Vec<Fault> {
        Fault::all(RedisKind::Single).collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_faults_and_another_one_others() {
        assert_eq!(plan(7, LENGTH, &all(), 10), plan(7, LENGTH, &all(), 10));
        assert_ne!(plan(7, LENGTH, &all(), 10), plan(8, LENGTH, &all(), 10));
    }

    #[test]
    fn two_minutes_hold_every_fault_and_none_overlaps_another_of_its_target() {
        let planned = plan(1, LENGTH, &all(), 10);
        assert!(all().into_iter().all(|fault| planned.iter().any(|planned| planned.fault == fault)), "{planned:?}");
        for (place, one) in planned.iter().enumerate() {
            for other in &planned[place + 1..] {
                let apart = one.until <= other.from || other.until <= one.from;
                assert!(apart || !one.target().overlaps(other.target()), "{one:?} overlaps {other:?}");
            }
        }
    }

    #[test]
    fn a_minute_holds_every_fault_of_a_cluster_with_time_to_heal() {
        let faults: Vec<_> = Fault::all(RedisKind::Cluster).filter(|fault| fault.is_of_cluster()).collect();
        for seed in 0..100 {
            let planned = plan(seed, Duration::from_mins(1), &faults, 10);
            assert!(faults.iter().all(|fault| planned.iter().any(|planned| planned.fault == *fault)), "{planned:?}");
            assert!(planned.windows(2).all(|two| two[0].until + HEALING <= two[1].from), "{planned:?}");
        }
    }

    #[test]
    fn a_sleep_takes_five_seconds_at_least_and_no_more_than_its_part() {
        let sleeps = |length| {
            let planned = plan(1, length, &[Fault::StopService], 10);
            planned.iter().map(|planned| planned.until.saturating_sub(planned.from).as_secs()).collect::<Vec<_>>()
        };
        assert!(sleeps(Duration::from_secs(30)).iter().all(|sleep| *sleep == 5));
        assert!(sleeps(LENGTH).iter().all(|sleep| (5..=20).contains(sleep)));
        assert!(sleeps(Duration::from_mins(10)).iter().any(|sleep| *sleep > 20));
    }

    #[test]
    fn a_long_absence_takes_five_sixths_of_a_run_beside_others() {
        let planned = plan(1, Duration::from_mins(12), &[Fault::RedisAway, Fault::KillService], 10);
        let away: Vec<_> = planned.iter().filter(|planned| planned.fault == Fault::RedisAway).collect();
        assert_eq!(away.len(), 1);
        assert_eq!(away[0].until, away[0].from + Duration::from_mins(10));
        assert!(planned.iter().any(|planned| planned.fault == Fault::KillService && planned.from < away[0].until));
    }

    #[test]
    fn no_faults_are_an_empty_plan() {
        assert_eq!(plan(1, LENGTH, &[Fault::None], 10), []);
    }
}
