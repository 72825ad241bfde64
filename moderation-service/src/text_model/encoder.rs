//! The encoder: from tokens to what the heads say, in 8-bit products and 32-bit floats between them.
//!
//! Pieces of several texts lie one behind another in one matrix, so that a weight that was fetched from memory serves all of
//! them; only attention looks at each piece by itself.
#![expect(clippy::inline_always, reason = "it is compiled per instruction set only where it is inlined")]

use anyhow::ensure;

use super::OUTPUTS;
use super::artefact::{Affine, Artefact, Dimensions, Norm, Quantised, quantise};
use super::kernel::packed::{InstructionSet, Packed, Work};
use super::kernel::{multiply, run};
use super::math::{add, add_scaled, dot, gelu, normalise, softmax};

/// A linear layer as the kernel reads it.
#[derive(Clone, Debug)]
struct Linear {
    matrix: Packed,
    bias: Vec<f32>,
}

impl Linear {
    fn new(affine: &Affine) -> Self {
        Self { matrix: Packed::new(&affine.matrix), bias: affine.bias.clone() }
    }

    /// The outputs of rows of inputs, each rounded to 8 bits by its own scale.
    #[inline(always)]
    fn apply(&self, set: InstructionSet, inputs: &[f32]) -> Vec<f32> {
        let (columns, rows) = (self.matrix.columns, self.bias.len());
        let mut rounded = vec![0i8; inputs.len()];
        // Loops and not closures in this file: a closure that is not inlined is compiled for any processor.
        let mut scales = Vec::with_capacity(inputs.len() / columns);
        for (row, into) in inputs.chunks_exact(columns).zip(rounded.chunks_exact_mut(columns)) {
            scales.push(quantise(row, into));
        }
        let mut sums = vec![0; scales.len() * rows];
        multiply(&self.matrix, set, &rounded, &mut sums);
        let mut outputs = vec![0.0; sums.len()];
        let (weights, bias) = (&self.matrix.scales[..rows], &self.bias[..rows]);
        for ((outputs, sums), scale) in outputs.chunks_exact_mut(rows).zip(sums.chunks_exact(rows)).zip(scales) {
            let mut row = 0;
            while row < rows {
                #[expect(clippy::cast_precision_loss, reason = "25 bits at most")]
                let sum = sums[row] as f32;
                outputs[row] = sum * (scale * weights[row]) + bias[row];
                row += 1;
            }
        }
        outputs
    }
}

#[derive(Clone, Debug)]
struct Layer {
    qkv: Linear,
    out: Linear,
    norm1: Norm,
    up: Linear,
    down: Linear,
    norm2: Norm,
}

/// A model that is ready to read.
#[derive(Clone, Debug)]
pub struct Encoder {
    pub dimensions: Dimensions,
    words: Quantised,
    positions: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
    heads: Vec<f32>,
    heads_bias: Vec<f32>,
    set: InstructionSet,
}

/// Reading some pieces.
struct Reading<'a>(&'a Encoder, &'a [&'a [u32]]);

impl Work for Reading<'_> {
    type Output = Vec<[f32; OUTPUTS]>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        self.0.read_all(self.1)
    }
}

#[inline(always)]
fn apply_norm(rows: &mut [f32], norm: &Norm) {
    let width = norm.scale.len();
    let (scale, bias) = (&norm.scale[..width], &norm.bias[..width]);
    for row in rows.chunks_exact_mut(width) {
        normalise(row);
        let mut at = 0;
        while at < width {
            row[at] = row[at] * scale[at] + bias[at];
            at += 1;
        }
    }
}

#[inline(always)]
fn apply_gelu(rows: &mut [f32]) {
    let mut at = 0;
    while at < rows.len() {
        rows[at] = gelu(rows[at]).0;
        at += 1;
    }
}

impl Encoder {
    pub fn new(artefact: Artefact, set: InstructionSet) -> Self {
        let layers = artefact.layers.iter().map(|weights| Layer {
            qkv: Linear::new(&weights.qkv),
            out: Linear::new(&weights.out),
            norm1: weights.norm1.clone(),
            up: Linear::new(&weights.up),
            down: Linear::new(&weights.down),
            norm2: weights.norm2.clone(),
        });
        Self {
            dimensions: artefact.description.dimensions,
            layers: layers.collect(),
            words: artefact.words,
            positions: artefact.positions,
            norm: artefact.norm,
            heads: artefact.heads,
            heads_bias: artefact.heads_bias,
            set,
        }
    }

    /// What the heads say about each piece, before it becomes a probability.
    pub fn read(&self, pieces: &[&[u32]]) -> anyhow::Result<Vec<[f32; OUTPUTS]>> {
        for piece in pieces {
            ensure!((1..=self.dimensions.positions).contains(&piece.len()), "a piece has {} tokens", piece.len());
            ensure!(
                piece.iter().all(|token| (*token as usize) < self.dimensions.words),
                "a token is not of the vocabulary"
            );
        }
        Ok(run(self.set, Reading(self, pieces)))
    }

    #[inline(always)]
    fn read_all(&self, pieces: &[&[u32]]) -> Vec<[f32; OUTPUTS]> {
        let mut rows = self.embed(pieces);
        for layer in &self.layers {
            let qkv = layer.qkv.apply(self.set, &rows);
            let mut middle = layer.out.apply(self.set, &self.attend(pieces, &qkv));
            add(&mut middle, &rows);
            apply_norm(&mut middle, &layer.norm1);
            let mut inner = layer.up.apply(self.set, &middle);
            apply_gelu(&mut inner);
            rows = layer.down.apply(self.set, &inner);
            add(&mut rows, &middle);
            apply_norm(&mut rows, &layer.norm2);
        }
        self.say(pieces, &rows)
    }

    #[inline(always)]
    fn embed(&self, pieces: &[&[u32]]) -> Vec<f32> {
        let width = self.dimensions.width;
        let mut rows = vec![0.0; pieces.iter().map(|piece| piece.len()).sum::<usize>() * width];
        let places = pieces.iter().flat_map(|piece| piece.iter().enumerate());
        for (row, (position, token)) in rows.chunks_exact_mut(width).zip(places) {
            let token = *token as usize;
            let (word, scale) = (&self.words.values[token * width..][..width], self.words.scales[token]);
            let position = &self.positions[position * width..][..width];
            let mut at = 0;
            while at < width {
                row[at] = f32::from(word[at]) * scale + position[at];
                at += 1;
            }
        }
        apply_norm(&mut rows, &self.norm);
        rows
    }

    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "a head is some dozen numbers wide")]
    fn attend(&self, pieces: &[&[u32]], qkv: &[f32]) -> Vec<f32> {
        let Dimensions { width, heads, .. } = self.dimensions;
        let size = width / heads;
        let scale = 1.0 / (size as f32).sqrt();
        let mut context = vec![0.0; qkv.len() / 3];
        let mut from = 0;
        for piece in pieces {
            let here = &qkv[from * 3 * width..][..piece.len() * 3 * width];
            let into = &mut context[from * width..][..piece.len() * width];
            let shares: &mut [f32] = &mut vec![0.0; piece.len()];
            for head in 0..heads {
                let part = |row: usize, part: usize| &here[(row * 3 + part) * width + head * size..][..size];
                for row in 0..piece.len() {
                    let query = part(row, 0);
                    for (other, share) in shares.iter_mut().enumerate() {
                        *share = dot(query, part(other, 1)) * scale;
                    }
                    softmax(shares);
                    let into = &mut into[row * width + head * size..][..size];
                    for (other, share) in shares.iter().enumerate() {
                        add_scaled(into, part(other, 2), *share);
                    }
                }
            }
            from += piece.len();
        }
        context
    }

    /// The heads on the mean of each piece's tokens.
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "a piece is some dozen tokens long")]
    fn say(&self, pieces: &[&[u32]], rows: &[f32]) -> Vec<[f32; OUTPUTS]> {
        let width = self.dimensions.width;
        let mut said = Vec::with_capacity(pieces.len());
        let mut from = 0;
        for piece in pieces {
            let mut mean = vec![0.0; width];
            for row in rows[from * width..][..piece.len() * width].chunks_exact(width) {
                add(&mut mean, row);
            }
            for value in &mut mean {
                *value /= piece.len() as f32;
            }
            said.push(std::array::from_fn(|head| {
                dot(&self.heads[head * width..][..width], &mean) + self.heads_bias[head]
            }));
            from += piece.len();
        }
        said
    }
}
