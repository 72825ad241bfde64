//! A matrix in the order in which the kernel reads it, and the instruction sets that it is multiplied with.
use super::super::artefact::Quantised;

/// Outputs of a block.
pub const OUTPUTS: usize = 16;
/// Inputs of a block.
pub const INPUTS: usize = 4;
/// Bytes of a block.
pub const BLOCK: usize = OUTPUTS * INPUTS;

/// The instructions that products are computed with; a value exists only for what the processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstructionSet(pub(super) Instructions);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instructions {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Vnni,
}

impl InstructionSet {
    /// The reference, which every processor can compute.
    pub const SCALAR: Self = Self(Instructions::Scalar);

    /// All that this processor can compute, the slowest first.
    pub fn all() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "there is the reference alone"))]
        let mut all = vec![Self::SCALAR];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                all.push(Self(Instructions::Avx2));
            }
            let has_vnni = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni");
            if has_vnni && is_x86_feature_detected!("avx2") {
                all.push(Self(Instructions::Vnni));
            }
        }
        all
    }

    /// The fastest that this processor can compute.
    pub fn best() -> Self {
        Self::all().pop().unwrap_or(Self::SCALAR)
    }
}

/// Arithmetic that is compiled once per instruction set. Its `run` is inlined, and so is what it calls.
pub trait Work {
    type Output;
    fn run(self) -> Self::Output;
}

fn sum(row: &[i8]) -> i32 {
    let (mut sum, mut at) = (0, 0);
    while at < row.len() {
        sum += i32::from(row[at]);
        at += 1;
    }
    sum
}

/// A matrix as the kernel reads it: block after block, in a block the inputs of each output side by side.
#[derive(Clone, Debug)]
pub struct Packed {
    pub blocks: Vec<[i8; BLOCK]>,
    /// Of each row 128 times its sum, by which a product with unsigned inputs is too large.
    pub excess: Vec<i32>,
    pub scales: Vec<f32>,
    pub columns: usize,
}

impl Packed {
    /// Packs a matrix; its sides are multiples of 16.
    pub fn new(matrix: &Quantised) -> Self {
        let columns = matrix.columns;
        let mut blocks = Vec::with_capacity(matrix.values.len() / BLOCK);
        for rows in matrix.values.chunks_exact(OUTPUTS * columns) {
            for first in (0..columns).step_by(INPUTS) {
                let (mut block, mut at) = ([0; BLOCK], 0);
                while at < BLOCK {
                    block[at] = rows[at / INPUTS * columns + first + at % INPUTS];
                    at += 1;
                }
                blocks.push(block);
            }
        }
        let excess = matrix.values.chunks_exact(columns).map(|row| sum(row) * 128).collect();
        Self { blocks, excess, scales: matrix.scales.clone(), columns }
    }
}
