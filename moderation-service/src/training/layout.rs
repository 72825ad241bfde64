//! Where the weights that learn stand in their flat vector.
use std::ops::Range;

use crate::text_model::OUTPUTS;
use crate::text_model::artefact::Dimensions;

/// Where the weights of one layer stand in the flat vector: matrices (a row per output) and vectors in turn.
#[derive(Clone, Debug)]
pub struct Places {
    pub qkv: Range<usize>,
    pub qkv_bias: Range<usize>,
    pub out: Range<usize>,
    pub out_bias: Range<usize>,
    pub norm1: Range<usize>,
    pub norm1_bias: Range<usize>,
    pub up: Range<usize>,
    pub up_bias: Range<usize>,
    pub down: Range<usize>,
    pub down_bias: Range<usize>,
    pub norm2: Range<usize>,
    pub norm2_bias: Range<usize>,
}

/// Where all weights that learn stand.
#[derive(Clone, Debug)]
pub struct Layout {
    pub layers: Vec<Places>,
    pub heads: Range<usize>,
    pub heads_bias: Range<usize>,
    pub size: usize,
}

impl Layout {
    pub fn new(dimensions: &Dimensions) -> Self {
        let (width, inner, mut size) = (dimensions.width, dimensions.inner, 0);
        let mut next = |length: usize| {
            size += length;
            size - length..size
        };
        let layers = (0..dimensions.layers).map(|_| Places {
            qkv: next(3 * width * width),
            qkv_bias: next(3 * width),
            out: next(width * width),
            out_bias: next(width),
            norm1: next(width),
            norm1_bias: next(width),
            up: next(inner * width),
            up_bias: next(inner),
            down: next(width * inner),
            down_bias: next(width),
            norm2: next(width),
            norm2_bias: next(width),
        });
        let layers = layers.collect();
        let (heads, heads_bias) = (next(OUTPUTS * width), next(OUTPUTS));
        Self { layers, heads, heads_bias, size }
    }

    /// Whether a weight is a matrix's, which decays; biases and norms do not.
    pub fn matrices(&self) -> Vec<Range<usize>> {
        let layers = self.layers.iter();
        let mut matrices: Vec<_> =
            layers.flat_map(|layer| [&layer.qkv, &layer.out, &layer.up, &layer.down]).cloned().collect();
        matrices.push(self.heads.clone());
        matrices
    }
}
