//! Two that are measured in turns, so that whatever else the machine does meets both alike.

use anyhow::{Context, Result};

use crate::proof::bench::spread::Spread;

/// What both did per second, turn by turn; who is measured, and what bounds it.
#[derive(Debug, Default, PartialEq)]
pub struct Contest {
    ours: Vec<f64>,
    bound: Vec<f64>,
}

impl Contest {
    /// Measures both so many times, after a turn of each that counts for nothing.
    pub async fn hold(
        rounds: u32,
        mut ours: impl AsyncFnMut() -> Result<f64>,
        mut bound: impl AsyncFnMut() -> Result<f64>,
    ) -> Result<Contest> {
        bound().await?;
        ours().await?;
        let mut contest = Contest::default();
        for round in 0..rounds {
            // Who begins changes: what a turn leaves behind meets both alike.
            if round % 2 == 0 {
                contest.bound.push(bound().await?);
                contest.ours.push(ours().await?);
            } else {
                contest.ours.push(ours().await?);
                contest.bound.push(bound().await?);
            }
        }
        Ok(contest)
    }

    /// What is measured per second, in the median turn.
    pub fn rate(&self) -> Result<f64> {
        median(&self.ours)
    }

    /// What bounds it per second, in the median turn.
    pub fn bound(&self) -> Result<f64> {
        median(&self.bound)
    }

    /// The share of the bound that is reached, of turns next to each other.
    pub fn share(&self) -> Result<Spread> {
        self.ratios(|ours, bound| ours / bound)
    }

    /// How much longer one of ours takes than one of the bound's, of turns next to each other.
    pub fn slowness(&self) -> Result<Spread> {
        self.ratios(|ours, bound| bound / ours)
    }

    fn ratios(&self, of: fn(f64, f64) -> f64) -> Result<Spread> {
        let ratios = self.ours.iter().zip(&self.bound).map(|(ours, bound)| of(*ours, *bound));
        Spread::of(ratios.collect()).context("there was no round")
    }
}

fn median(rates: &[f64]) -> Result<f64> {
    Ok(Spread::of(rates.to_vec()).context("there was no round")?.median)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[tokio::test]
    async fn turns_alternate_and_ratios_are_of_neighbours() {
        let turns = RefCell::new(String::new());
        let mut rates = ([9.0, 50.0, 70.0, 80.0].into_iter(), [9.0, 100.0, 50.0, 400.0].into_iter());
        let ours = async || {
            turns.borrow_mut().push('o');
            rates.0.next().context("a turn too many")
        };
        let bound = async || {
            turns.borrow_mut().push('b');
            rates.1.next().context("a turn too many")
        };
        let contest = Contest::hold(3, ours, bound).await.unwrap();
        assert_eq!(*turns.borrow(), "boboobbo", "who begins changes");
        let medians = [contest.rate(), contest.bound()].map(|rate| format!("{:.0}", rate.unwrap()));
        assert_eq!(medians, ["70", "100"]);
        assert_eq!(contest.share().unwrap().to_string(), "0.50 (0.20–0.50, 0.20–1.40)");
        assert_eq!(contest.slowness().unwrap().to_string(), "2.00 (0.71–2.00, 0.71–5.00)");
    }
}
