//! The ladder: which sum of strikes leads to which measure.
use std::str::FromStr;

use anyhow::{Context, ensure};
use clap::Args;

use crate::subjects::actions::Action;

/// A sum of strikes, and what it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// The weights of the strikes that count, together, from which on it is reached.
    pub from: i32,
    pub action: Action,
}

impl FromStr for Rung {
    type Err = anyhow::Error;

    /// Reads `1:warn`, `3:mute:24` (hours), `8:ban:720` or `12:ban`.
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut parts = text.split(':');
        let from: i32 = parts.next().unwrap_or_default().parse().context("a rung begins with a number of strikes")?;
        ensure!(from > 0, "a rung begins with a positive number of strikes");
        let word = parts.next().unwrap_or_default();
        let hours: Option<i32> = parts.next().map(str::parse).transpose().context("hours are a whole number")?;
        ensure!(parts.next().is_none() && hours.is_none_or(|hours| hours > 0), "{text:?} is no rung");
        let action = match (word, hours) {
            ("warn", None) => Action::Warn,
            ("approve", Some(hours)) => Action::RequireApproval { hours },
            ("mute", Some(hours)) => Action::Mute { hours },
            ("ban", hours) => Action::Ban { hours },
            _ => anyhow::bail!("{text:?}: a rung is N:warn, N:approve:HOURS, N:mute:HOURS, N:ban:HOURS or N:ban"),
        };
        Ok(Self { from, action })
    }
}

/// What strikes lead to, and how long they count.
#[derive(Args, Clone, Debug)]
pub struct Ladder {
    /// The sums of strikes and what each leads to: N:warn, N:approve:HOURS, N:mute:HOURS, N:ban:HOURS, N:ban (for good), separated by commas
    #[arg(
        long,
        env = "STRIKE_LADDER",
        value_delimiter = ',',
        default_value = "1:warn,3:mute:24,5:mute:168,8:ban:720,12:ban"
    )]
    pub strike_ladder: Vec<Rung>,

    /// For how many days a strike counts
    #[arg(long, env = "STRIKE_DAYS", default_value_t = 180, value_parser = clap::value_parser!(i32).range(1..))]
    pub strike_days: i32,
}

impl Ladder {
    /// The highest rung that a sum reaches and the sum before did not.
    pub fn reached(&self, before: i32, after: i32) -> Option<&Rung> {
        let reached = self.strike_ladder.iter().filter(|rung| rung.from > before && rung.from <= after);
        reached.max_by_key(|rung| rung.from)
    }
}
