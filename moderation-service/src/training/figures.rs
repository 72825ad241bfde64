//! What a trained network reaches on the dev split: probabilities that mean what they say, thresholds, and figures per source.
use std::collections::BTreeMap;

use serde::Serialize;

use super::data::Example;
use crate::text_model::artefact::Calibration;
use crate::text_model::math::sigmoid;
use crate::text_model::{HEADS, Head};

/// The least weight of a row that takes part in figures: weaker ones say too little about the head.
const LEAST_WEIGHT: f32 = 0.2;
/// A threshold of hiding lets through at most this share of harmless rows.
const FALSE_ALARMS: f32 = 0.003;
/// And is at least this probability.
const LEAST_HIDE: f32 = 0.9;
/// The intervals of probability in which a calibration is compared with what is true.
const BINS: usize = 10;

/// The figures of a head on a source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    pub rows: usize,
    pub positive: usize,
    pub auc: f32,
    pub accuracy: f32,
    pub macro_f1: f32,
    /// The share of negative rows that are right.
    pub specificity: f32,
    /// Of negative rows, how many would be hidden.
    pub hidden: usize,
}

/// An output of the network with what is true.
type Pair = (f32, bool);

/// The outputs of a head with the truth, per source.
fn pairs<'a>(rows: &'a [(&Example, [f32; HEADS])], head: Head) -> BTreeMap<&'a str, Vec<Pair>> {
    let mut pairs: BTreeMap<&str, Vec<Pair>> = BTreeMap::new();
    for (row, outputs) in rows {
        let (target, weight) = row.targets[head as usize];
        if weight >= LEAST_WEIGHT {
            pairs.entry(row.source).or_default().push((outputs[head as usize], target > 0.5));
        }
    }
    pairs
}

/// The calibration and thresholds of every head.
pub fn calibrate(rows: &[(&Example, [f32; HEADS])]) -> [Calibration; HEADS] {
    Head::ALL.map(|head| {
        let sources = pairs(rows, head);
        let all: Vec<Pair> = sources.values().flatten().copied().collect();
        let (slope, bias) = platt(&all);
        let probability = |output: f32| sigmoid(slope * output + bias);
        let mixed =
            sources.values().filter(|pairs| pairs.iter().any(|pair| pair.1) && pairs.iter().any(|pair| !pair.1));
        let mixed: Vec<_> = mixed.collect();
        let mut label = (0.5, f32::MIN);
        for percent in 5..=95u8 {
            let threshold = f32::from(percent) / 100.0;
            let score: f32 = mixed.iter().map(|pairs| macro_f1(pairs, |output| probability(output) >= threshold)).sum();
            if score > label.1 {
                label = (threshold, score);
            }
        }
        let mut harmless: Vec<f32> = all.iter().filter(|pair| !pair.1).map(|pair| probability(pair.0)).collect();
        harmless.sort_by(|a, b| b.total_cmp(a));
        let allowed = share(harmless.len(), FALSE_ALARMS);
        let hide = harmless.get(allowed).map_or(LEAST_HIDE, |highest| (highest + 1e-4).max(LEAST_HIDE));
        Calibration { slope, bias, label: label.0, hide: hide.max(label.0) }
    })
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few thousand rows"
)]
fn share(count: usize, share: f32) -> usize {
    (count as f32 * share) as usize
}

/// The logistic regression of the truth on one output, by Newton's method.
fn platt(pairs: &[Pair]) -> (f32, f32) {
    let (mut slope, mut bias) = (1.0f64, 0.0f64);
    for _ in 0..30 {
        // A small prior keeps the slope finite where the two sides do not overlap.
        let (mut g, mut h) = ([1e-3 * (slope - 1.0), 1e-3 * bias], [1e-3, 0.0, 1e-3]);
        for (output, truth) in pairs {
            let x = f64::from(*output);
            let p = 1.0 / (1.0 + (-(slope * x + bias)).exp());
            let (error, weight) = (p - f64::from(u8::from(*truth)), p * (1.0 - p));
            g = [g[0] + error * x, g[1] + error];
            h = [h[0] + weight * x * x, h[1] + weight * x, h[2] + weight];
        }
        let determinant = h[0] * h[2] - h[1] * h[1];
        slope -= ((h[2] * g[0] - h[1] * g[1]) / determinant).clamp(-1.0, 1.0);
        bias -= ((h[0] * g[1] - h[1] * g[0]) / determinant).clamp(-1.0, 1.0);
    }
    #[expect(clippy::cast_possible_truncation, reason = "32 bits are precise enough")]
    (slope as f32, bias as f32)
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
fn macro_f1(pairs: &[Pair], says: impl Fn(f32) -> bool) -> f32 {
    let f1 = |of: bool| {
        let hits = pairs.iter().filter(|pair| says(pair.0) == of && pair.1 == of).count() as f32;
        let said = pairs.iter().filter(|pair| says(pair.0) == of).count() as f32;
        let there = pairs.iter().filter(|pair| pair.1 == of).count() as f32;
        if said + there > 0.0 { 2.0 * hits / (said + there) } else { 0.0 }
    };
    f32::midpoint(f1(true), f1(false))
}

/// The share of pairs of a positive and a negative row that are in order.
#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
fn auc(pairs: &[Pair]) -> f32 {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut total, mut at) = (0.0, 0.0, 0);
    while at < sorted.len() {
        let equal: Vec<bool> =
            sorted[at..].iter().take_while(|pair| pair.0.total_cmp(&sorted[at].0).is_eq()).map(|pair| pair.1).collect();
        let positive = equal.iter().filter(|truth| **truth).count() as f32;
        let negative = equal.len() as f32 - positive;
        total += positive * (below + negative / 2.0);
        below += negative;
        at += equal.len();
    }
    let positive = sorted.len() as f32 - below;
    if positive > 0.0 && below > 0.0 { total / positive / below } else { f32::NAN }
}

/// The figures of every head on every source, and its calibration error over all rows.
#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
pub fn figures(
    rows: &[(&Example, [f32; HEADS])],
    heads: &[Calibration; HEADS],
) -> BTreeMap<&'static str, (f32, BTreeMap<String, Figures>)> {
    let of = |head: Head| {
        let Calibration { slope, bias, label, hide } = heads[head as usize];
        let probability = |output: f32| sigmoid(slope * output + bias);
        let sources = pairs(rows, head);
        let all: Vec<Pair> = sources.values().flatten().map(|pair| (probability(pair.0), pair.1)).collect();
        let measure = |pairs: &Vec<Pair>| {
            let says = |output: f32| probability(output) >= label;
            let negative: Vec<&Pair> = pairs.iter().filter(|pair| !pair.1).collect();
            let right =
                |pairs: &mut dyn Iterator<Item = &Pair>| pairs.filter(|pair| says(pair.0) == pair.1).count() as f32;
            Figures {
                rows: pairs.len(),
                positive: pairs.len() - negative.len(),
                auc: auc(pairs),
                accuracy: right(&mut pairs.iter()) / pairs.len().max(1) as f32,
                macro_f1: macro_f1(pairs, says),
                specificity: right(&mut negative.iter().copied()) / negative.len().max(1) as f32,
                hidden: negative.iter().filter(|pair| probability(pair.0) >= hide).count(),
            }
        };
        let sources = sources.iter().map(|(source, pairs)| ((*source).to_owned(), measure(pairs))).collect();
        (head.name(), (calibration_error(&all), sources))
    };
    Head::ALL.map(of).into_iter().collect()
}

/// How far probabilities are from the shares that are true, on average over ten intervals.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ten intervals"
)]
fn calibration_error(pairs: &[Pair]) -> f32 {
    let mut bins = [(0.0f32, 0.0f32); BINS];
    for (probability, truth) in pairs {
        let bin = &mut bins[((probability * BINS as f32) as usize).min(BINS - 1)];
        *bin = (bin.0 + probability, bin.1 + f32::from(u8::from(*truth)));
    }
    bins.iter().map(|(said, there)| (said - there).abs()).sum::<f32>() / pairs.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_textbook() {
        let pairs = [(0.1, false), (0.4, false), (0.35, true), (0.8, true)];
        assert!((auc(&pairs) - 0.75).abs() < 1e-6);
        // One of two positive rows is found, no negative one: F1 of 2/3 and 4/5.
        assert!((macro_f1(&pairs, |output| output >= 0.5) - 11.0 / 15.0).abs() < 1e-6);
        assert!((calibration_error(&[(0.25, false), (0.25, true), (0.75, true), (0.75, true)]) - 0.25).abs() < 1e-6);
        // Outputs that are twice too sure are halved.
        let odds: Vec<Pair> =
            (0..100).flat_map(|at| [(2.0 * 1.0986, at % 4 != 0), (-2.0 * 1.0986, at % 4 == 0)]).collect();
        let (slope, bias) = platt(&odds);
        assert!((slope - 0.5).abs() < 1e-3 && bias.abs() < 1e-3, "{slope} {bias}");
    }
}
