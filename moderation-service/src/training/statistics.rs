//! The textbook's measures of outputs against what is true.

/// The intervals of probability in which a calibration is compared with what is true.
const BINS: usize = 10;

/// An output of the network, or a probability, with what is true.
pub type Pair = (f32, bool);

/// The logistic regression of the truth on one output, by Newton's method.
pub fn platt(pairs: &[Pair]) -> (f32, f32) {
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

/// The mean of the F1 of both sides.
pub fn macro_f1(pairs: &[Pair], says: impl Fn(f32) -> bool) -> f32 {
    let f1 = |of: bool| {
        let hits = pairs.iter().filter(|pair| says(pair.0) == of && pair.1 == of).count();
        let said = pairs.iter().filter(|pair| says(pair.0) == of).count();
        let there = pairs.iter().filter(|pair| pair.1 == of).count();
        f1(hits, said, there)
    };
    f32::midpoint(f1(true), f1(false))
}

/// The F1 of a class that was said so often, is there so often, and was right so often.
#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
pub fn f1(hits: usize, said: usize, there: usize) -> f32 {
    if said + there > 0 { 2.0 * hits as f32 / (said + there) as f32 } else { 0.0 }
}

/// The share of pairs of a positive and a negative row that are in order.
#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
pub fn auc(pairs: &[Pair]) -> f32 {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut total, mut at) = (0.0f64, 0.0f64, 0);
    while at < sorted.len() {
        let equal: Vec<bool> =
            sorted[at..].iter().take_while(|pair| pair.0.total_cmp(&sorted[at].0).is_eq()).map(|pair| pair.1).collect();
        let positive = equal.iter().filter(|truth| **truth).count() as f64;
        let negative = equal.len() as f64 - positive;
        total += positive * (below + negative / 2.0);
        below += negative;
        at += equal.len();
    }
    let positive = sorted.len() as f64 - below;
    #[expect(clippy::cast_possible_truncation, reason = "a share")]
    if positive > 0.0 && below > 0.0 { (total / positive / below) as f32 } else { f32::NAN }
}

/// How far probabilities are from the shares that are true, on average over ten intervals.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ten intervals"
)]
pub fn calibration_error(pairs: &[Pair]) -> f32 {
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
