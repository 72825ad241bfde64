//! The functions of the network between its matrices, in plain arithmetic that the compiler can vectorise for any processor.
//!
//! Nothing here depends on the width of a vector: sums run over [`LANES`] accumulators in a fixed order, and exponentials are
//! polynomials instead of calls of the C library, so every processor computes the same bits.
//!
//! The innermost loops, here and in the kernel and the encoder, count by hand. In the profile of development and tests, what is generic of
//! the standard library comes from dependencies that are compiled without optimisation, so each step of an iterator or a range
//! would be a call, and a test that reads some thousand texts take minutes.
#![expect(clippy::inline_always, reason = "it is compiled per instruction set only where it is inlined")]

/// The independent accumulators of a sum: as many as the widest vector holds.
pub const LANES: usize = 16;
/// What is added to a variance before its root, as the base model was trained.
const EPSILON: f32 = 1e-12;

/// The sum of a row, in a fixed order.
#[inline(always)]
pub fn sum(row: &[f32]) -> f32 {
    let (whole, rest) = row.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    let mut block = 0;
    while block < whole.len() {
        let values = &whole[block];
        let mut lane = 0;
        while lane < LANES {
            lanes[lane] += values[lane];
            lane += 1;
        }
        block += 1;
    }
    let mut total = 0.0;
    let mut lane = 0;
    while lane < LANES {
        total += lanes[lane];
        lane += 1;
    }
    for value in rest {
        total += value;
    }
    total
}

/// The scalar product, in a fixed order.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    assert!(a.len() == b.len(), "rows of one length");
    let mut lanes = [0.0f32; LANES];
    let mut block = 0;
    while block < a.len() {
        let (a, b) = (&a[block], &b[block]);
        let mut lane = 0;
        while lane < LANES {
            lanes[lane] += a[lane] * b[lane];
            lane += 1;
        }
        block += 1;
    }
    let mut total = 0.0;
    let mut lane = 0;
    while lane < LANES {
        total += lanes[lane];
        lane += 1;
    }
    for (a, b) in a_rest.iter().zip(b_rest) {
        total += a * b;
    }
    total
}

/// The largest magnitude of a row.
#[inline(always)]
pub fn max_magnitude(row: &[f32]) -> f32 {
    let (whole, rest) = row.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    let mut block = 0;
    while block < whole.len() {
        let values = &whole[block];
        let mut lane = 0;
        while lane < LANES {
            let value = values[lane].abs();
            lanes[lane] = if value > lanes[lane] { value } else { lanes[lane] };
            lane += 1;
        }
        block += 1;
    }
    lanes.iter().chain(rest).fold(0.0, |max, value| if value.abs() > max { value.abs() } else { max })
}

/// e to the power of x, with a relative error below 2e-7, from -87 to 88; beyond them as at the limit.
#[inline(always)]
#[expect(clippy::cast_possible_wrap, clippy::cast_sign_loss, reason = "the bits of an exponent")]
pub fn exp(x: f32) -> f32 {
    // Adding 1.5 * 2^23 rounds to a whole number, which then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = x - whole * 0.693_359_4 + whole * 2.121_944_4e-4;
    let series = 1.987_569_1e-4 * rest + 1.398_2e-3;
    let series = ((series * rest + 8.333_452e-3) * rest + 4.166_579_6e-2) * rest + 1.666_666_5e-1;
    let series = (series * rest + 0.5) * rest * rest + rest + 1.0;
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32;
    series * f32::from_bits(((exponent + 127) << 23) as u32)
}

/// GELU and its derivative. The error function is Abramowitz and Stegun's 7.1.26, with an error below 2e-7.
#[inline(always)]
pub fn gelu(x: f32) -> (f32, f32) {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let series = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_8) * t - 0.284_496_74) * t + 0.254_829_6) * t;
    let bell = exp(-z * z);
    let erf = (1.0 - series * bell).copysign(x);
    let half = 0.5 + 0.5 * erf;
    (x * half, half + x * bell * 0.398_942_3)
}

/// The logistic function.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Turns a row of numbers into probabilities.
#[inline(always)]
pub fn softmax(row: &mut [f32]) {
    let (mut max, mut at) = (f32::MIN, 0);
    while at < row.len() {
        max = max.max(row[at]);
        at += 1;
    }
    at = 0;
    while at < row.len() {
        row[at] = exp(row[at] - max);
        at += 1;
    }
    scale(row, 1.0 / sum(row));
}

/// Multiplies a row with a number.
#[inline(always)]
fn scale(row: &mut [f32], by: f32) {
    let mut at = 0;
    while at < row.len() {
        row[at] *= by;
        at += 1;
    }
}

/// Adds a row to another.
#[inline(always)]
pub fn add(row: &mut [f32], other: &[f32]) {
    assert!(row.len() == other.len(), "rows of one length");
    let mut at = 0;
    while at < row.len() {
        row[at] += other[at];
        at += 1;
    }
}

/// Adds a multiple of a row to another.
#[inline(always)]
pub fn add_scaled(row: &mut [f32], other: &[f32], by: f32) {
    assert!(row.len() == other.len(), "rows of one length");
    let mut at = 0;
    while at < row.len() {
        row[at] += by * other[at];
        at += 1;
    }
}

/// Centres a row and divides it by its deviation; returns the inverse of that.
#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "a row is some hundred numbers wide")]
pub fn normalise(row: &mut [f32]) -> f32 {
    let width = row.len() as f32;
    let mean = sum(row) / width;
    let mut at = 0;
    while at < row.len() {
        row[at] -= mean;
        at += 1;
    }
    let inverse = 1.0 / (dot(row, row) / width + EPSILON).sqrt();
    scale(row, inverse);
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_the_functions() {
        for step in -800..=800i16 {
            let x = f32::from(step) * 0.1;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) - exact).abs() <= exact * 2e-7, "exp({x}) = {}", exp(x));
        }
        // Φ from a table, times x.
        for (x, value) in [(0.0, 0.0), (1.0, 0.841_345), (-1.0, -0.158_655), (2.5, 2.484_476), (-6.0, 0.0)] {
            assert!((gelu(x).0 - value).abs() < 1e-6, "gelu({x}) = {}", gelu(x).0);
        }
        for x in [-3.0f32, -0.7, 0.0, 0.4, 2.2] {
            let slope = (gelu(x + 5e-3).0 - gelu(x - 5e-3).0) / 1e-2;
            assert!((gelu(x).1 - slope).abs() < 1e-4, "the slope at {x}: {} and {slope}", gelu(x).1);
        }
        let mut row = [1.0, 2.0, 3.0];
        softmax(&mut row);
        assert!((row[2] - 0.665_240_94).abs() < 1e-6 && (row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }
}
