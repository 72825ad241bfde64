//! The network as it is trained: a BERT encoder in 32-bit floating point, forward and backward by hand.
//!
//! Texts of a batch lie one behind another in one matrix, a row per token, so no arithmetic is spent on padding; only attention
//! looks at each text by itself. The backward pass is the chain rule written out for these six operations (linear, attention, GELU,
//! layer norm, dropout, mean); a test compares it with differences of the loss. All weights that learn are one flat
//! vector, so the optimiser and the checkpoint are loops over numbers. The embeddings are frozen.
use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, s};

use super::dice::Dice;
use super::layout::Layout;
use super::operations::{Rows, apply, drop, flat, flat_mut, linear, linear_back, mean, mean_back, norm, norm_back};
use crate::text_model::artefact::Dimensions;
use crate::text_model::math::{dot, gelu, softmax};

/// The frozen embeddings and the layer norm behind them.
#[derive(Clone, Debug)]
pub struct Embeddings {
    pub words: Vec<f32>,
    /// With the embedding of the first segment added.
    pub positions: Vec<f32>,
    pub norm: Vec<f32>,
    pub norm_bias: Vec<f32>,
}

/// The network's constants.
#[derive(Clone, Debug)]
pub struct Network {
    pub dimensions: Dimensions,
    pub layout: Layout,
    pub embeddings: Embeddings,
    /// The share of activations that a training step leaves out.
    pub dropout: f32,
}

/// What the backward pass of a layer needs of its forward pass.
struct Activations {
    input: Rows,
    qkv: Rows,
    /// Attention of each text and head, one behind another.
    attention: Vec<f32>,
    context: Rows,
    mask1: Vec<f32>,
    centred1: Rows,
    inverse1: Vec<f32>,
    middle: Rows,
    before_gelu: Rows,
    after_gelu: Rows,
    mask2: Vec<f32>,
    centred2: Rows,
    inverse2: Vec<f32>,
}

impl Network {
    fn embed(&self, texts: &[&[u32]]) -> Rows {
        let width = self.dimensions.width;
        let tokens: usize = texts.iter().map(|text| text.len()).sum();
        let mut rows = Rows::zeros((tokens, width));
        let places = texts.iter().flat_map(|text| text.iter().enumerate());
        for (row, (position, token)) in flat_mut(&mut rows).chunks_exact_mut(width).zip(places) {
            let word = &self.embeddings.words[*token as usize * width..][..width];
            let position = &self.embeddings.positions[position * width..][..width];
            for ((value, word), position) in row.iter_mut().zip(word).zip(position) {
                *value = word + position;
            }
        }
        norm(rows, &self.embeddings.norm, &self.embeddings.norm_bias).0
    }

    /// The columns of queries (0), keys (1) or values (2) of one head.
    fn columns(&self, part: usize, head: usize) -> Range<usize> {
        let size = self.dimensions.width / self.dimensions.heads;
        let start = part * self.dimensions.width + head * size;
        start..start + size
    }

    #[expect(clippy::cast_precision_loss, reason = "the size of a head is some dozens")]
    fn scale(&self) -> f32 {
        1.0 / ((self.dimensions.width / self.dimensions.heads) as f32).sqrt()
    }

    fn attend(&self, texts: &[&[u32]], qkv: &Rows) -> (Vec<f32>, Rows) {
        let mut attention =
            vec![0.0; self.dimensions.heads * texts.iter().map(|text| text.len().pow(2)).sum::<usize>()];
        let mut context = Rows::zeros((qkv.nrows(), self.dimensions.width));
        let (mut from, mut rest) = (0, attention.as_mut_slice());
        for text in texts {
            let (length, rows) = (text.len(), from..from + text.len());
            for head in 0..self.dimensions.heads {
                let (here, behind) = rest.split_at_mut(length * length);
                rest = behind;
                let part = |part| qkv.slice(s![rows.clone(), self.columns(part, head)]);
                {
                    let mut scores = ArrayViewMut2::from_shape((length, length), &mut *here).expect("a square");
                    general_mat_mul(self.scale(), &part(0), &part(1).t(), 0.0, &mut scores);
                }
                here.chunks_exact_mut(length).for_each(softmax);
                let shares = ArrayView2::from_shape((length, length), &*here).expect("a square");
                let mut out = context.slice_mut(s![rows.clone(), self.columns(0, head)]);
                general_mat_mul(1.0, &shares, &part(2), 0.0, &mut out);
            }
            from += length;
        }
        (attention, context)
    }

    fn attend_back(&self, texts: &[&[u32]], trace: &Activations, slope: &Rows) -> Rows {
        let mut back = Rows::zeros(trace.qkv.raw_dim());
        let (mut from, mut rest) = (0, trace.attention.as_slice());
        let scale = self.scale();
        for text in texts {
            let (length, rows) = (text.len(), from..from + text.len());
            let mut slopes = Rows::zeros((length, length));
            for head in 0..self.dimensions.heads {
                let (here, behind) = rest.split_at(length * length);
                rest = behind;
                let part = |part| trace.qkv.slice(s![rows.clone(), self.columns(part, head)]);
                let shares = ArrayView2::from_shape((length, length), here).expect("a square");
                let slope = slope.slice(s![rows.clone(), self.columns(0, head)]);
                let mut into = |part, scale, a: &ArrayView2<f32>, b: &ArrayView2<f32>| {
                    let mut place = back.slice_mut(s![rows.clone(), self.columns(part, head)]);
                    general_mat_mul(scale, a, b, 0.0, &mut place);
                };
                into(2, 1.0, &shares.t(), &slope);
                general_mat_mul(1.0, &slope, &part(2).t(), 0.0, &mut slopes);
                for (slopes, shares) in flat_mut(&mut slopes).chunks_exact_mut(length).zip(here.chunks_exact(length)) {
                    let along = dot(slopes, shares);
                    for (slope, share) in slopes.iter_mut().zip(shares) {
                        *slope = share * (*slope - along);
                    }
                }
                into(0, scale, &slopes.view(), &part(1));
                into(1, scale, &slopes.t(), &part(0));
            }
            from += length;
        }
        back
    }

    fn layer(
        &self,
        weights: &[f32],
        layer: usize,
        texts: &[&[u32]],
        input: Rows,
        dice: &mut Option<Dice>,
    ) -> (Rows, Activations) {
        let places = &self.layout.layers[layer];
        let qkv = linear(&input, weights, &places.qkv, &places.qkv_bias);
        let (attention, context) = self.attend(texts, &qkv);
        let mut middle = linear(&context, weights, &places.out, &places.out_bias);
        let mask1 = drop(&mut middle, self.dropout, dice.as_mut());
        middle += &input;
        let vector = |place: &Range<usize>| &weights[place.clone()];
        let (middle, centred1, inverse1) = norm(middle, vector(&places.norm1), vector(&places.norm1_bias));
        let before_gelu = linear(&middle, weights, &places.up, &places.up_bias);
        let mut after_gelu = before_gelu.clone();
        for value in flat_mut(&mut after_gelu) {
            *value = gelu(*value).0;
        }
        let mut output = linear(&after_gelu, weights, &places.down, &places.down_bias);
        let mask2 = drop(&mut output, self.dropout, dice.as_mut());
        output += &middle;
        let (output, centred2, inverse2) = norm(output, vector(&places.norm2), vector(&places.norm2_bias));
        let trace = Activations {
            input,
            qkv,
            attention,
            context,
            mask1,
            centred1,
            inverse1,
            middle,
            before_gelu,
            after_gelu,
            mask2,
            centred2,
            inverse2,
        };
        (output, trace)
    }

    fn layer_back(
        &self,
        weights: &[f32],
        layer: usize,
        texts: &[&[u32]],
        trace: &Activations,
        slope: &Rows,
        gradients: &mut [f32],
    ) -> Rows {
        let places = &self.layout.layers[layer];
        let norm2 = (&places.norm2, &places.norm2_bias);
        let into_sum = norm_back(slope, &trace.centred2, &trace.inverse2, weights, norm2, gradients);
        let mut dropped = into_sum.clone();
        apply(&mut dropped, &trace.mask2);
        let down = (&places.down, &places.down_bias);
        let mut inner = linear_back(&dropped, &trace.after_gelu, weights, down, gradients);
        for (slope, x) in flat_mut(&mut inner).iter_mut().zip(flat(&trace.before_gelu)) {
            *slope *= gelu(*x).1;
        }
        let mut middle = linear_back(&inner, &trace.middle, weights, (&places.up, &places.up_bias), gradients);
        middle += &into_sum;
        let norm1 = (&places.norm1, &places.norm1_bias);
        let into_sum = norm_back(&middle, &trace.centred1, &trace.inverse1, weights, norm1, gradients);
        let mut dropped = into_sum.clone();
        apply(&mut dropped, &trace.mask1);
        let context = linear_back(&dropped, &trace.context, weights, (&places.out, &places.out_bias), gradients);
        let qkv = self.attend_back(texts, trace, &context);
        let mut input = linear_back(&qkv, &trace.input, weights, (&places.qkv, &places.qkv_bias), gradients);
        input += &into_sum;
        input
    }

    /// The outputs of texts.
    #[cfg(test)]
    pub fn outputs(&self, weights: &[f32], texts: &[&[u32]]) -> Rows {
        let mut rows = self.embed(texts);
        for layer in 0..self.dimensions.layers {
            rows = self.layer(weights, layer, texts, rows, &mut None).0;
        }
        linear(&mean(texts, &rows), weights, &self.layout.heads, &self.layout.heads_bias)
    }

    /// Adds the gradients of the loss of texts: `slopes` is called once with their outputs, and returns the loss and its slopes.
    pub fn learn(
        &self,
        weights: &[f32],
        texts: &[&[u32]],
        slopes: impl FnOnce(&Rows) -> (f32, Rows),
        dice: Dice,
        gradients: &mut [f32],
    ) -> f32 {
        let mut dice = Some(dice);
        let mut rows = self.embed(texts);
        drop(&mut rows, self.dropout, dice.as_mut());
        let mut traces = Vec::with_capacity(self.dimensions.layers);
        for layer in 0..self.dimensions.layers {
            let (output, trace) = self.layer(weights, layer, texts, rows, &mut dice);
            rows = output;
            traces.push(trace);
        }
        let mut pooled = mean(texts, &rows);
        let mask = drop(&mut pooled, self.dropout, dice.as_mut());
        let heads = (&self.layout.heads, &self.layout.heads_bias);
        let (loss, slope) = slopes(&linear(&pooled, weights, heads.0, heads.1));
        let mut pooled = linear_back(&slope, &pooled, weights, heads, gradients);
        apply(&mut pooled, &mask);
        let mut slope = mean_back(texts, &pooled);
        for (layer, trace) in traces.iter().enumerate().rev() {
            slope = self.layer_back(weights, layer, texts, trace, &slope, gradients);
        }
        loss
    }
}
