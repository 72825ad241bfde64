//! Durations in buckets, and the quantiles that Prometheus would read from them.

use anyhow::{Context, Result};

/// How many durations were at most so long: upper bounds in seconds in rising order, the last without end, and counts that
/// hold those of the bounds before them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram(Vec<(f64, f64)>);

impl Histogram {
    /// Counts `count` more durations up to a bound, as Prometheus writes it: `0.25`, `+Inf`.
    pub fn add(&mut self, bound: &str, count: f64) -> Result<()> {
        self.add_to(bound.parse().with_context(|| format!("{bound} is no bound of a bucket"))?, count);
        Ok(())
    }

    /// Counts the durations of another one as well.
    pub fn include(&mut self, other: &Histogram) {
        other.0.iter().for_each(|(bound, count)| self.add_to(*bound, *count));
    }

    fn add_to(&mut self, bound: f64, count: f64) {
        match self.0.binary_search_by(|(other, _)| other.total_cmp(&bound)) {
            Ok(place) => self.0[place].1 += count,
            Err(place) => self.0.insert(place, (bound, count)),
        }
    }

    /// The duration that a share `q` of all were not longer than, in seconds; none when there were none.
    ///
    /// As Prometheus' `histogram_quantile` for buckets of fixed bounds: within a bucket durations are taken to be spread
    /// evenly, the first one begins at 0, and what lies beyond the last bound counts as that bound.
    /// <https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile>
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let [bounded @ .., (end, all)] = &self.0[..] else { return None };
        if end.is_finite() || *all <= 0.0 {
            return None;
        }
        let rank = q * all;
        let place = bounded.partition_point(|(_, count)| *count < rank);
        let (last, _) = bounded.last()?;
        let Some((upper, count)) = bounded.get(place) else { return Some(*last) };
        let (lower, below) = if place == 0 { (0.0, 0.0) } else { bounded[place - 1] };
        Some(lower + (upper - lower) * (rank - below) / (count - below))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(buckets: &[(&str, f64)]) -> Histogram {
        let mut histogram = Histogram::default();
        for (bound, count) in buckets {
            histogram.add(bound, *count).unwrap();
        }
        histogram
    }

    /// The values are those that Prometheus answers: `histogram_quantile(q, rate(x_bucket[5m]))`.
    #[test]
    fn quantiles_are_those_of_prometheus() {
        let buckets = [("0.1", 50.0), ("0.2", 90.0), ("0.5", 99.0), ("1", 100.0), ("+Inf", 100.0)];
        let histogram = histogram(&buckets);
        for (q, expected) in
            [(0.25, 0.05), (0.5, 0.1), (0.7, 0.15), (0.9, 0.2), (0.95, 0.366_666), (0.99, 0.5), (0.995, 0.75)]
        {
            let found = histogram.quantile(q).unwrap();
            assert!((found - expected).abs() < 1e-5, "{q}: {found} instead of {expected}");
        }
    }

    #[test]
    fn beyond_the_last_bound_it_is_the_last_bound() {
        assert_eq!(histogram(&[("0.1", 1.0), ("1", 2.0), ("+Inf", 10.0)]).quantile(0.99), Some(1.0));
    }

    #[test]
    fn nothing_has_no_quantile() {
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert_eq!(histogram(&[("0.1", 0.0), ("+Inf", 0.0)]).quantile(0.5), None);
        assert_eq!(histogram(&[("0.1", 3.0)]).quantile(0.5), None, "a bucket without end is missing");
        assert!(Histogram::default().add("x", 1.0).is_err());
    }

    #[test]
    fn buckets_of_several_series_are_one() {
        let mut sum = histogram(&[("+Inf", 1.0), ("0.1", 1.0)]);
        sum.add("0.1", 1.0).unwrap();
        sum.add("+Inf", 3.0).unwrap();
        assert_eq!(sum, histogram(&[("0.1", 2.0), ("+Inf", 4.0)]));
    }
}
