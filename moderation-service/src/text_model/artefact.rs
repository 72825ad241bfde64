//! The file of a trained model: 8-bit matrices, the vocabulary, and what its figures were when it was made.
//!
//! It is a safetensors file, so other tools can open it. A matrix has one scale per row (per output, or per word); biases,
//! norms and positions are 32-bit floats, because they are small and sums depend on them. Its header holds [`Description`].
use anyhow::{Context, ensure};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

pub use super::Calibration;
use super::math::max_magnitude;
use super::{CLASSES, HEADS, OUTPUTS};

#[cfg(any(test, feature = "train"))]
pub mod writing;

/// The key of the description in the file's header.
const DESCRIPTION: &str = "model";

/// The sizes of an encoder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimensions {
    /// Numbers per token.
    pub width: usize,
    /// Numbers per token in the middle of a layer.
    pub inner: usize,
    pub layers: usize,
    /// Attention heads of a layer.
    pub heads: usize,
    /// The longest piece of text, in tokens.
    pub positions: usize,
    /// Tokens of the vocabulary.
    pub words: usize,
}

impl Dimensions {
    /// Refuses sizes that the kernel cannot compute with, and sizes so large that their product is no size.
    pub fn check(&self) -> anyhow::Result<()> {
        let all = [self.width, self.inner, self.layers, self.heads, self.positions, self.words];
        ensure!(all.iter().all(|size| (1..=1 << 20).contains(size)), "a size is out of bounds: {self:?}");
        ensure!(self.width.is_multiple_of(16) && self.inner.is_multiple_of(16), "widths are multiples of 16: {self:?}");
        ensure!(self.width.is_multiple_of(self.heads), "every head has the same width: {self:?}");
        ensure!(self.positions >= 8, "a piece of text has eight tokens or more: {self:?}");
        Ok(())
    }
}

/// What a file says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The base model and the format.
    pub name: String,
    pub dimensions: Dimensions,
    /// One per head, in the order of [`Head`](super::Head).
    pub heads: [Calibration; HEADS],
    /// What is added to the output of each class before they are compared.
    pub classes: [f32; CLASSES],
}

/// A matrix of 8-bit numbers with a scale per row.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantised {
    pub columns: usize,
    pub values: Vec<i8>,
    pub scales: Vec<f32>,
}

/// Rounds a row of numbers to 8 bits; returns the scale that restores them.
#[inline(always)]
pub fn quantise(row: &[f32], into: &mut [i8]) -> f32 {
    // Adding 1.5 * 2^23 rounds to a whole number, whose lowest byte is then that of the float.
    const ROUND: f32 = 12_582_912.0;
    assert!(row.len() == into.len(), "a place for each number");
    let max = max_magnitude(row);
    let inverse = if max > 0.0 { 127.0 / max } else { 0.0 };
    let mut at = 0;
    while at < row.len() {
        let [low, ..] = (row[at] * inverse + ROUND).to_bits().to_le_bytes();
        into[at] = i8::from_le_bytes([low]);
        at += 1;
    }
    max / 127.0
}

/// A linear layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    pub matrix: Quantised,
    pub bias: Vec<f32>,
}

/// A layer norm.
#[derive(Clone, Debug, PartialEq)]
pub struct Norm {
    pub scale: Vec<f32>,
    pub bias: Vec<f32>,
}

/// The weights of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    pub qkv: Affine,
    pub out: Affine,
    pub norm1: Norm,
    pub up: Affine,
    pub down: Affine,
    pub norm2: Norm,
}

/// A model as its file holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Artefact {
    pub description: Description,
    /// A token per line.
    pub vocabulary: String,
    pub words: Quantised,
    pub positions: Vec<f32>,
    pub norm: Norm,
    pub layers: Vec<Weights>,
    /// A row per output.
    pub heads: Vec<f32>,
    pub heads_bias: Vec<f32>,
}

/// The numbers of a tensor of 32-bit floats.
pub fn floats(tensor: &TensorView<'_>) -> anyhow::Result<Vec<f32>> {
    ensure!(tensor.dtype() == Dtype::F32, "32-bit floats are expected and not {:?}", tensor.dtype());
    Ok(tensor.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// Bytes as 8-bit numbers.
fn to_signed(bytes: &[u8]) -> Vec<i8> {
    let mut numbers = vec![0; bytes.len()];
    let into = numbers.as_mut_slice();
    let mut at = 0;
    while at < bytes.len() {
        into[at] = bytes[at].cast_signed();
        at += 1;
    }
    numbers
}

impl Artefact {
    /// Reads a file, and refuses one whose parts do not fit together.
    pub fn from_bytes(file: &[u8]) -> anyhow::Result<Self> {
        let (_, header) = SafeTensors::read_metadata(file).context("not a safetensors file")?;
        let description = header.metadata().as_ref().and_then(|header| header.get(DESCRIPTION));
        let description: Description =
            serde_json::from_str(description.context("the file's header describes no model")?)?;
        description.dimensions.check()?;
        let Dimensions { width, inner, layers, positions, words, .. } = description.dimensions;
        let tensors = SafeTensors::deserialize(file)?;
        let vector = |name: &str, length: usize| -> anyhow::Result<Vec<f32>> {
            let numbers = floats(&tensors.tensor(name)?).with_context(|| name.to_owned())?;
            ensure!(numbers.len() == length, "{name} has {} numbers instead of {length}", numbers.len());
            ensure!(numbers.iter().all(|number| number.is_finite()), "{name} holds what is no number");
            Ok(numbers)
        };
        let matrix = |name: &str, rows: usize, columns: usize| -> anyhow::Result<Quantised> {
            let tensor = tensors.tensor(name)?;
            let fits = tensor.dtype() == Dtype::I8 && tensor.data().len() == rows * columns;
            ensure!(fits, "{name} is no 8-bit matrix of {rows} x {columns}");
            // -128 has no negative, and no row that was rounded here has it.
            ensure!(!tensor.data().contains(&0x80), "{name} holds -128");
            Ok(Quantised { columns, values: to_signed(tensor.data()), scales: vector(&format!("{name}.scale"), rows)? })
        };
        let affine = |name: String, rows: usize, columns: usize| -> anyhow::Result<Affine> {
            Ok(Affine { matrix: matrix(&name, rows, columns)?, bias: vector(&format!("{name}.bias"), rows)? })
        };
        let norm = |name: &str| -> anyhow::Result<Norm> {
            Ok(Norm { scale: vector(name, width)?, bias: vector(&format!("{name}.bias"), width)? })
        };
        let layer = |number: usize| -> anyhow::Result<Weights> {
            let name = |part: &str| format!("layers.{number}.{part}");
            Ok(Weights {
                qkv: affine(name("qkv"), 3 * width, width)?,
                out: affine(name("out"), width, width)?,
                norm1: norm(&name("norm1"))?,
                up: affine(name("up"), inner, width)?,
                down: affine(name("down"), width, inner)?,
                norm2: norm(&name("norm2"))?,
            })
        };
        Ok(Self {
            vocabulary: String::from_utf8(tensors.tensor("vocabulary")?.data().to_vec())?,
            words: matrix("words", words, width)?,
            positions: vector("positions", positions * width)?,
            norm: norm("norm")?,
            layers: (0..layers).map(layer).collect::<anyhow::Result<_>>()?,
            heads: vector("heads", OUTPUTS * width)?,
            heads_bias: vector("heads.bias", OUTPUTS)?,
            description,
        })
    }
}
