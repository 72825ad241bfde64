//! The processor time of a thread: what a picture takes by itself, however busy the machine is.
//!
//! Linux has it in `/proc` (manual page proc(5): `/proc/pid/task/tid/stat`); elsewhere the time counts that has passed.
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The unit in which Linux reports times: the same on every machine (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// A clock that runs while one thread does.
#[derive(Clone, Debug)]
pub struct ThreadClock {
    /// Where the thread's own times are reported.
    stat: Option<PathBuf>,
    /// What it had used already.
    used_before: Duration,
    begun: Instant,
}

impl ThreadClock {
    /// Begins to count the time of the thread that calls.
    pub fn begin() -> Self {
        let stat =
            fs::read_link("/proc/thread-self").ok().map(|thread| PathBuf::from("/proc").join(thread).join("stat"));
        let stat = stat.filter(|stat| used(stat).is_some());
        let used_before = stat.as_deref().and_then(used).unwrap_or_default();
        Self { stat, used_before, begun: Instant::now() }
    }

    /// How long the thread has run since; of one that has ended nothing is known.
    pub fn elapsed(&self) -> Duration {
        match &self.stat {
            Some(stat) => used(stat).map_or(Duration::ZERO, |used| used.saturating_sub(self.used_before)),
            None => self.begun.elapsed(),
        }
    }
}

/// The time that a thread has run, its own and that of the system for it.
fn used(stat: &std::path::Path) -> Option<Duration> {
    let text = fs::read_to_string(stat).ok()?;
    // Fields are counted from behind the name, which may hold anything: these are the 14th and the 15th.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u32>().ok()?.saturating_add(fields.next()?.parse().ok()?);
    Some(TICK * ticks)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// A thread that waits uses no time, and one that works does.
    #[test]
    fn a_clock_counts_what_its_own_thread_does() {
        let (clocks, clock) = std::sync::mpsc::channel();
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let worker = std::thread::spawn(move || {
            clocks.send(ThreadClock::begin()).unwrap();
            wait.recv().unwrap();
            clocks.send(ThreadClock::begin()).unwrap();
            while wait.try_recv().is_err() {
                std::hint::spin_loop();
            }
        });
        let waiting = clock.recv().unwrap();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(60) {
            std::hint::spin_loop();
        }
        assert!(waiting.elapsed() <= TICK, "this thread has worked, and the other one has not");
        release.send(()).unwrap();
        let working = clock.recv().unwrap();
        while working.elapsed() < TICK {
            assert!(begun.elapsed() < Duration::from_mins(1), "it has not worked");
        }
        release.send(()).unwrap();
        worker.join().unwrap();
    }
}
