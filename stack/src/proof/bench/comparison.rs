//! Two things that are measured in turns, so that whatever else the machine does affects both alike.

use anyhow::{Context, Result};

use crate::proof::bench::spread::Spread;

/// The rates per second of a subject and of its upper limit, turn by turn.
#[derive(Debug, Default, PartialEq)]
pub struct Comparison {
    subject: Vec<f64>,
    limit: Vec<f64>,
}

impl Comparison {
    /// Measures both this number of times, after a turn of each that does not count.
    pub async fn run(
        rounds: u32,
        mut subject: impl AsyncFnMut() -> Result<f64>,
        mut limit: impl AsyncFnMut() -> Result<f64>,
    ) -> Result<Comparison> {
        limit().await?;
        subject().await?;
        let mut comparison = Comparison::default();
        for round in 0..rounds {
            // The order changes: what a turn leaves behind affects both alike.
            if round % 2 == 0 {
                comparison.limit.push(limit().await?);
                comparison.subject.push(subject().await?);
            } else {
                comparison.subject.push(subject().await?);
                comparison.limit.push(limit().await?);
            }
        }
        Ok(comparison)
    }

    /// The subject's rate in the median turn.
    pub fn subject(&self) -> Result<f64> {
        median(&self.subject)
    }

    /// The limit's rate in the median turn.
    pub fn limit(&self) -> Result<f64> {
        median(&self.limit)
    }

    /// The share of the limit that the subject reaches, of turns next to each other.
    pub fn share(&self) -> Result<Spread> {
        self.ratios(|subject, limit| subject / limit)
    }

    /// How much longer one of the subject takes than one of the limit, of turns next to each other.
    pub fn slowdown(&self) -> Result<Spread> {
        self.ratios(|subject, limit| limit / subject)
    }

    fn ratios(&self, of: fn(f64, f64) -> f64) -> Result<Spread> {
        let ratios = self.subject.iter().zip(&self.limit).map(|(subject, limit)| of(*subject, *limit));
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
        let subject = async || {
            turns.borrow_mut().push('s');
            rates.0.next().context("a turn too many")
        };
        let limit = async || {
            turns.borrow_mut().push('l');
            rates.1.next().context("a turn too many")
        };
        let comparison = Comparison::run(3, subject, limit).await.unwrap();
        assert_eq!(*turns.borrow(), "lslsslls", "the order changes");
        let medians = [comparison.subject(), comparison.limit()].map(|rate| format!("{:.0}", rate.unwrap()));
        assert_eq!(medians, ["70", "100"]);
        assert_eq!(comparison.share().unwrap().to_string(), "0.50 (0.20–0.50, 0.20–1.40)");
        assert_eq!(comparison.slowdown().unwrap().to_string(), "2.00 (0.71–2.00, 0.71–5.00)");
    }
}
