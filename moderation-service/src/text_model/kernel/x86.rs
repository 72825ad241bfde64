//! The kernel in the instructions of x86: AVX2, and AVX-512 with VNNI. The one file of the service with `unsafe`.
//!
//! What makes it sound: (1) a function with `#[target_feature]` is called only for an [`InstructionSet`] of that name, which exists only
//! when the processor was asked; (2) a vector is made from an array of integers and becomes one by a transmutation, for which the compiler
//! checks that they have one size, and every value of the one is a value of the other.
#![expect(
    unsafe_code,
    reason = "vector instructions; the comment above has the argument, all_paths_compute_the_same_numbers the proof"
)]

use std::arch::x86_64::{
    __m256i, __m512i, _mm_cvtsi32_si128, _mm256_abs_epi8, _mm256_add_epi32, _mm256_broadcastd_epi32, _mm256_madd_epi16,
    _mm256_maddubs_epi16, _mm256_setzero_si256, _mm256_sign_epi8, _mm512_broadcastd_epi32, _mm512_dpbusd_epi32,
    _mm512_setzero_si512, _mm512_sub_epi32,
};
use std::mem::transmute;

use super::packed::{BLOCK, INPUTS, InstructionSet, Instructions, OUTPUTS, Packed, Work};

/// Does work with the instructions of the set.
pub fn run<W: Work>(set: InstructionSet, work: W) -> W::Output {
    match set.0 {
        Instructions::Scalar => work.run(),
        // SAFETY: the set exists, so the processor has the instructions.
        Instructions::Avx2 | Instructions::Vnni => unsafe { run_avx2(work) },
    }
}

#[target_feature(enable = "avx2")]
fn run_avx2<W: Work>(work: W) -> W::Output {
    work.run()
}

/// Multiplies with the instructions of the set.
pub fn multiply(matrix: &Packed, set: InstructionSet, inputs: &[i8], outputs: &mut [i32]) {
    let is_unsigned = match set.0 {
        Instructions::Vnni => true,
        Instructions::Avx2 => false,
        Instructions::Scalar => unreachable!("the reference does not need this file"),
    };
    let inputs: &[i32] = &words(inputs, is_unsigned);
    let (steps, rows) = (matrix.columns / INPUTS, matrix.scales.len());
    let excess: &[[i32; OUTPUTS]] = matrix.excess.as_chunks().0;
    for (number, blocks) in matrix.blocks.chunks_exact(steps).enumerate() {
        let excess = &excess[number];
        let place = number * OUTPUTS;
        let (mut token, tokens) = (0, inputs.len() / steps);
        while token < tokens {
            let from = &inputs[token * steps..];
            let into = &mut outputs[token * rows + place..];
            // SAFETY: the set exists, so the processor has the instructions.
            token += unsafe {
                match (is_unsigned, tokens - token) {
                    (true, 8..) => vnni::<8>(blocks, excess, from, into, rows),
                    (true, 4..) => vnni::<4>(blocks, excess, from, into, rows),
                    (true, _) => vnni::<1>(blocks, excess, from, into, rows),
                    (false, 4..) => avx2::<4>(blocks, from, into, rows),
                    (false, _) => avx2::<1>(blocks, from, into, rows),
                }
            };
        }
    }
}

/// The inputs of each step as one word. VNNI multiplies unsigned with signed numbers, so 128 is added to each of them: the highest
/// bit of each byte is turned.
fn words(inputs: &[i8], is_unsigned: bool) -> Vec<i32> {
    let turned = if is_unsigned { i32::from_le_bytes([0x80; INPUTS]) } else { 0 };
    let (inputs, _) = inputs.as_chunks::<INPUTS>();
    let mut words = vec![0; inputs.len()];
    let into = words.as_mut_slice();
    let mut at = 0;
    while at < inputs.len() {
        let [a, b, c, d] = inputs[at];
        let bytes = [a.cast_unsigned(), b.cast_unsigned(), c.cast_unsigned(), d.cast_unsigned()];
        into[at] = i32::from_le_bytes(bytes) ^ turned;
        at += 1;
    }
    words
}

/// The place of a token's outputs of one block.
#[inline]
fn place(outputs: &mut [i32], at: usize) -> &mut [i32; OUTPUTS] {
    outputs[at..].first_chunk_mut().expect("the caller has checked the size of the outputs")
}

/// One block of outputs of N tokens; returns N.
#[target_feature(enable = "avx512f,avx512vnni")]
fn vnni<const N: usize>(
    blocks: &[[i8; BLOCK]],
    excess: &[i32; OUTPUTS],
    inputs: &[i32],
    outputs: &mut [i32],
    rows: usize,
) -> usize {
    let steps = blocks.len();
    let inputs: [&[i32]; N] = std::array::from_fn(|token| &inputs[token * steps..][..steps]);
    let mut sums = [_mm512_setzero_si512(); N];
    let mut step = 0;
    while step < steps {
        // SAFETY: the array has the vector's 64 bytes, and any bytes are a vector.
        let weights = unsafe { transmute::<[i8; BLOCK], __m512i>(blocks[step]) };
        let mut token = 0;
        while token < N {
            // `_mm512_set1_epi32` is the same, but made of what is generic in the standard library (see `math`).
            let input = _mm512_broadcastd_epi32(_mm_cvtsi32_si128(inputs[token][step]));
            sums[token] = _mm512_dpbusd_epi32(sums[token], input, weights);
            token += 1;
        }
        step += 1;
    }
    // SAFETY: the array has the vector's 64 bytes, and any bytes are a vector.
    let excess = unsafe { transmute::<[i32; OUTPUTS], __m512i>(*excess) };
    let mut token = 0;
    while token < N {
        let sum = _mm512_sub_epi32(sums[token], excess);
        // SAFETY: the array has the vector's 64 bytes, and any bytes are integers.
        *place(outputs, token * rows) = unsafe { transmute::<__m512i, [i32; OUTPUTS]>(sum) };
        token += 1;
    }
    N
}

/// One block of outputs of N tokens; returns N. A product of two bytes is that of the input's magnitude with the weight under the
/// input's sign; two of them are 2 * 127 * 127 at most, which 16 bits hold.
#[target_feature(enable = "avx2")]
fn avx2<const N: usize>(blocks: &[[i8; BLOCK]], inputs: &[i32], outputs: &mut [i32], rows: usize) -> usize {
    let steps = blocks.len();
    let inputs: [&[i32]; N] = std::array::from_fn(|token| &inputs[token * steps..][..steps]);
    let mut sums = [[_mm256_setzero_si256(); 2]; N];
    // SAFETY: the array has the vector's 32 bytes, and any bytes are a vector.
    let ones = unsafe { transmute::<[i16; 16], __m256i>([1; 16]) };
    let mut step = 0;
    while step < steps {
        // SAFETY: the array has the two vectors' 64 bytes, and any bytes are vectors.
        let weights = unsafe { transmute::<[i8; BLOCK], [__m256i; 2]>(blocks[step]) };
        let mut token = 0;
        while token < N {
            let input = _mm256_broadcastd_epi32(_mm_cvtsi32_si128(inputs[token][step]));
            let magnitude = _mm256_abs_epi8(input);
            let mut half = 0;
            while half < 2 {
                let pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(weights[half], input));
                sums[token][half] = _mm256_add_epi32(sums[token][half], _mm256_madd_epi16(pairs, ones));
                half += 1;
            }
            token += 1;
        }
        step += 1;
    }
    let mut token = 0;
    while token < N {
        // SAFETY: the array has the two vectors' 64 bytes, and any bytes are integers.
        *place(outputs, token * rows) = unsafe { transmute::<[__m256i; 2], [i32; OUTPUTS]>(sums[token]) };
        token += 1;
    }
    N
}
