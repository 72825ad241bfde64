//! How values that should be the same differ.

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

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Spread { median, quarters: (lower, upper), extremes: (least, most) } = self;
        write!(f, "{median:.2} ({lower:.2}–{upper:.2}, {least:.2}–{most:.2})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_made_of_values_that_were_measured() {
        let spread = Spread::of(vec![1.4, 1.0, 1.1, 9.0, 1.2]).unwrap();
        assert_eq!(spread, Spread { median: 1.2, quarters: (1.1, 1.4), extremes: (1.0, 9.0) });
        assert_eq!(spread.to_string(), "1.20 (1.10–1.40, 1.00–9.00)");
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
