//! Two things that are measured in turns, so that whatever else the machine does affects both alike.

use std::fmt;

use anyhow::{Context, Result};

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

/// The median of some values, and how far from it the others lie.
#[derive(Debug, PartialEq)]
pub struct Spread {
    pub median: f64,
    /// A quarter of the values is below, a quarter above.
    quarters: (f64, f64),
    extremes: (f64, f64),
}

impl Spread {
    /// The spread of values; none when there are none.
    pub fn of(mut values: Vec<f64>) -> Option<Spread> {
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        // Between two values, the one below; thus every figure is one that was measured.
        let at = |quarters: usize| values[last * quarters / 4];
        Some(Spread { median: at(2), quarters: (at(1), at(3)), extremes: (at(0), at(4)) })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Spread { median, quarters: (lower, upper), extremes: (least, most) } = self;
        write!(f, "{median:.2} ({lower:.2}–{upper:.2}, {least:.2}–{most:.2})")
    }
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

    #[test]
    fn a_spread_is_made_of_values_that_were_measured() {
        let spread = Spread::of(vec![1.4, 1.0, 1.1, 9.0, 1.2]).unwrap();
        assert_eq!(spread, Spread { median: 1.2, quarters: (1.1, 1.4), extremes: (1.0, 9.0) });
        assert_eq!(spread.to_string(), "1.20 (1.10–1.40, 1.00–9.00)");
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
