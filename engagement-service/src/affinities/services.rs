//! How much two people's weights have in common.
use std::collections::HashMap;

/// Weights by topic or item; none is negative.
pub type Weights = HashMap<String, f64>;

/// The weighted Jaccard index: the sum of the lesser weights divided by the sum of the greater ones, 0 to 1; 0 when a side is
/// empty (S. Ioffe, Improved Consistent Sampling, Weighted Minhash and L1 Sketching, ICDM 2010).
pub fn overlap(one: &Weights, other: &Weights) -> f64 {
    let (few, many) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let lesser: f64 = few.iter().filter_map(|(key, weight)| Some(weight.min(*many.get(key)?))).sum();
    let greater = one.values().sum::<f64>() + other.values().sum::<f64>() - lesser;
    if lesser > 0.0 && greater > 0.0 { lesser / greater } else { 0.0 }
}

/// Up to `most` of what both have, the weightiest for the two of them first.
pub fn common(one: &Weights, other: &Weights, most: usize) -> Vec<String> {
    let both = one.iter().filter_map(|(key, weight)| Some((weight.min(*other.get(key)?), key)));
    let mut both: Vec<_> = both.filter(|(weight, _)| *weight > 0.0).collect();
    both.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(other.1)));
    both.into_iter().take(most).map(|(_, key)| key.clone()).collect()
}

/// The share of what is common in all that there is (Jaccard index), 0 to 1; 0 of nothing.
pub fn share(one: &[String], other: &[String]) -> f64 {
    let even = |words: &[String]| words.iter().map(|word| (word.clone(), 1.0)).collect::<Weights>();
    overlap(&even(one), &even(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(weights: &[(&str, f64)]) -> Weights {
        weights.iter().map(|(key, weight)| ((*key).to_owned(), *weight)).collect()
    }

    #[test]
    fn the_overlap_is_that_of_the_weights_and_defined_for_nothing() {
        let (one, other) = (weights(&[("NEWS", 3.0), ("#rust", 1.0)]), weights(&[("NEWS", 1.0), ("FOOD", 4.0)]));
        // The lesser: 1 of NEWS. The greater: 3 of NEWS, 1 of #rust, 4 of FOOD.
        assert!((overlap(&one, &other) - 1.0 / 8.0).abs() < 1e-12);
        assert!((overlap(&other, &one) - overlap(&one, &other)).abs() < 1e-12, "it is the same from both sides");
        assert!((overlap(&one, &one) - 1.0).abs() < 1e-12);
        for nothing in [weights(&[]), weights(&[("NEWS", 0.0)])] {
            assert!(overlap(&one, &nothing).abs() < 1e-12 && overlap(&nothing, &nothing).abs() < 1e-12);
        }
    }

    #[test]
    fn what_is_common_comes_by_weight_and_then_by_name() {
        let one = weights(&[("B", 1.0), ("A", 1.0), ("C", 5.0), ("D", 9.0), ("E", 2.0)]);
        let other = weights(&[("A", 1.0), ("B", 3.0), ("C", 2.0), ("E", 0.0)]);
        assert_eq!(common(&one, &other, 9), ["C", "A", "B"]);
        assert_eq!(common(&one, &other, 1), ["C"]);
    }

    #[test]
    fn words_that_stand_twice_count_once() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert!((share(&words(&["A", "B", "A"]), &words(&["B", "C"])) - 1.0 / 3.0).abs() < 1e-12);
        assert!(share(&[], &[]).abs() < 1e-12);
    }
}
