//! The operations of the network between rows of numbers, each with its backward pass beside it.
use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

use super::dice::Dice;
use crate::text_model::math::{dot, normalise, sum};

/// A matrix, a row per token.
pub type Rows = Array2<f32>;

fn matrix<'a>(weights: &'a [f32], place: &Range<usize>, rows: usize) -> ArrayView2<'a, f32> {
    let shape = (rows, place.len() / rows);
    ArrayView2::from_shape(shape, &weights[place.clone()]).expect("a place has the size of its matrix")
}

fn matrix_mut<'a>(weights: &'a mut [f32], place: &Range<usize>, rows: usize) -> ArrayViewMut2<'a, f32> {
    let shape = (rows, place.len() / rows);
    ArrayViewMut2::from_shape(shape, &mut weights[place.clone()]).expect("a place has the size of its matrix")
}

pub fn flat(rows: &Rows) -> &[f32] {
    rows.as_slice().expect("rows lie one behind another")
}

pub fn flat_mut(rows: &mut Rows) -> &mut [f32] {
    rows.as_slice_mut().expect("rows lie one behind another")
}

pub fn linear(input: &Rows, weights: &[f32], place: &Range<usize>, bias: &Range<usize>) -> Rows {
    let mut output = Rows::zeros((input.nrows(), bias.len()));
    for row in flat_mut(&mut output).chunks_exact_mut(bias.len()) {
        row.copy_from_slice(&weights[bias.clone()]);
    }
    general_mat_mul(1.0, input, &matrix(weights, place, bias.len()).t(), 1.0, &mut output);
    output
}

/// Adds the gradients of a linear layer, and returns that of its input.
pub fn linear_back(
    slope: &Rows,
    input: &Rows,
    weights: &[f32],
    (place, bias): (&Range<usize>, &Range<usize>),
    gradients: &mut [f32],
) -> Rows {
    for row in flat(slope).chunks_exact(bias.len()) {
        for (total, value) in gradients[bias.clone()].iter_mut().zip(row) {
            *total += value;
        }
    }
    general_mat_mul(1.0, &slope.t(), input, 1.0, &mut matrix_mut(gradients, place, bias.len()));
    let mut back = Rows::zeros((slope.nrows(), input.ncols()));
    general_mat_mul(1.0, slope, &matrix(weights, place, bias.len()), 0.0, &mut back);
    back
}

/// Normalises every row: the result, and what the backward pass needs.
pub fn norm(mut rows: Rows, scale: &[f32], bias: &[f32]) -> (Rows, Rows, Vec<f32>) {
    let inverses = flat_mut(&mut rows).chunks_exact_mut(scale.len()).map(normalise).collect();
    let mut output = rows.clone();
    for row in flat_mut(&mut output).chunks_exact_mut(scale.len()) {
        for ((value, scale), bias) in row.iter_mut().zip(scale).zip(bias) {
            *value = *value * scale + bias;
        }
    }
    (output, rows, inverses)
}

#[expect(clippy::cast_precision_loss, reason = "a row is some hundred numbers wide")]
pub fn norm_back(
    slope: &Rows,
    centred: &Rows,
    inverses: &[f32],
    weights: &[f32],
    (place, bias): (&Range<usize>, &Range<usize>),
    gradients: &mut [f32],
) -> Rows {
    let width = place.len();
    let mut back = Rows::zeros(slope.raw_dim());
    let rows = flat(slope).chunks_exact(width).zip(flat(centred).chunks_exact(width)).zip(inverses);
    for (((slope, centred), inverse), back) in rows.zip(flat_mut(&mut back).chunks_exact_mut(width)) {
        for (total, (slope, centred)) in gradients[place.clone()].iter_mut().zip(slope.iter().zip(centred)) {
            *total += slope * centred;
        }
        for (total, slope) in gradients[bias.clone()].iter_mut().zip(slope) {
            *total += slope;
        }
        for ((back, slope), scale) in back.iter_mut().zip(slope).zip(&weights[place.clone()]) {
            *back = slope * scale;
        }
        let mean = sum(back) / width as f32;
        let along = dot(back, centred) / width as f32;
        for (back, centred) in back.iter_mut().zip(centred) {
            *back = inverse * (*back - mean - centred * along);
        }
    }
    back
}

/// Leaves out a share of the values and enlarges the others; returns the factors, or nothing when nothing is left out.
pub fn drop(rows: &mut Rows, share: f32, dice: Option<&mut Dice>) -> Vec<f32> {
    let Some(dice) = dice.filter(|_| share > 0.0) else { return Vec::new() };
    let keep = 1.0 / (1.0 - share);
    let mask: Vec<f32> = (0..rows.len()).map(|_| if dice.unit() < share { 0.0 } else { keep }).collect();
    apply(rows, &mask);
    mask
}

pub fn apply(rows: &mut Rows, mask: &[f32]) {
    for (value, factor) in flat_mut(rows).iter_mut().zip(mask) {
        *value *= factor;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a text is some dozen tokens long")]
pub fn mean(texts: &[&[u32]], rows: &Rows) -> Rows {
    let mut pooled = Rows::zeros((texts.len(), rows.ncols()));
    let mut from = 0;
    for (text, mut pooled) in texts.iter().zip(pooled.rows_mut()) {
        for row in rows.slice(s![from..from + text.len(), ..]).rows() {
            pooled += &row;
        }
        pooled /= text.len() as f32;
        from += text.len();
    }
    pooled
}

#[expect(clippy::cast_precision_loss, reason = "a text is some dozen tokens long")]
pub fn mean_back(texts: &[&[u32]], slopes: &Rows) -> Rows {
    let mut rows = Rows::zeros((texts.iter().map(|text| text.len()).sum(), slopes.ncols()));
    let mut from = 0;
    for (text, slope) in texts.iter().zip(slopes.rows()) {
        let share = &slope / text.len() as f32;
        for mut row in rows.slice_mut(s![from..from + text.len(), ..]).rows_mut() {
            row.assign(&share);
        }
        from += text.len();
    }
    rows
}
