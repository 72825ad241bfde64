//! The kernel in the instructions of x86: AVX2, and AVX-512 with VNNI. The one file of the service with `unsafe`.
//!
//! What makes it sound: (1) a function with `#[target_feature]` is called only for an [`InstructionSet`] of that name, which exists only
//! when the processor was asked; (2) loads and stores go through references to arrays of exactly the vector's size.
#![expect(
    unsafe_code,
    reason = "vector instructions; the comment above has the argument, all_paths_compute_the_same_numbers the proof"
)]

use std::arch::x86_64::{
    __m256i, __m512i, _mm256_abs_epi8, _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_sign_epi8, _mm256_storeu_si256,
    _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_storeu_si512, _mm512_sub_epi32,
};

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
    // VNNI multiplies unsigned with signed numbers, so 128 is added to the inputs: the highest bit of each byte is turned.
    let turned = if is_unsigned { i32::from_le_bytes([0x80; INPUTS]) } else { 0 };
    let inputs: Vec<i32> = inputs
        .as_chunks::<INPUTS>()
        .0
        .iter()
        .map(|bytes| i32::from_le_bytes(bytes.map(i8::cast_unsigned)) ^ turned)
        .collect();
    let (steps, rows) = (matrix.columns / INPUTS, matrix.scales.len());
    for (number, blocks) in matrix.blocks.chunks_exact(steps).enumerate() {
        let excess = matrix.excess.as_chunks().0[number];
        let place = number * OUTPUTS;
        let (mut token, tokens) = (0, inputs.len() / steps);
        while token < tokens {
            let from = &inputs[token * steps..];
            let into = &mut outputs[token * rows + place..];
            // SAFETY: the set exists, so the processor has the instructions.
            token += unsafe {
                match (is_unsigned, tokens - token) {
                    (true, 8..) => vnni::<8>(blocks, &excess, from, into, rows),
                    (true, 4..) => vnni::<4>(blocks, &excess, from, into, rows),
                    (true, _) => vnni::<1>(blocks, &excess, from, into, rows),
                    (false, 4..) => avx2::<4>(blocks, from, into, rows),
                    (false, _) => avx2::<1>(blocks, from, into, rows),
                }
            };
        }
    }
}

/// The place of a token's outputs of one block.
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
    let mut sums = [_mm512_set1_epi32(0); N];
    for (step, block) in blocks.iter().enumerate() {
        let weights = load512(block);
        for (sum, inputs) in sums.iter_mut().zip(&inputs) {
            *sum = _mm512_dpbusd_epi32(*sum, _mm512_set1_epi32(inputs[step]), weights);
        }
    }
    // SAFETY: the array has the vector's 64 bytes.
    let excess = unsafe { _mm512_loadu_si512(excess.as_ptr().cast()) };
    for (token, sum) in sums.into_iter().enumerate() {
        let sum = _mm512_sub_epi32(sum, excess);
        // SAFETY: the array has the vector's 64 bytes.
        unsafe { _mm512_storeu_si512(place(outputs, token * rows).as_mut_ptr().cast(), sum) };
    }
    N
}

#[target_feature(enable = "avx512f")]
fn load512(block: &[i8; BLOCK]) -> __m512i {
    // SAFETY: the array has the vector's 64 bytes.
    unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }
}

/// One block of outputs of N tokens; returns N. A product of two bytes is that of the input's magnitude with the weight under the
/// input's sign; two of them are 2 * 127 * 127 at most, which 16 bits hold.
#[target_feature(enable = "avx2")]
fn avx2<const N: usize>(blocks: &[[i8; BLOCK]], inputs: &[i32], outputs: &mut [i32], rows: usize) -> usize {
    let steps = blocks.len();
    let inputs: [&[i32]; N] = std::array::from_fn(|token| &inputs[token * steps..][..steps]);
    let mut sums = [[_mm256_setzero_si256(); 2]; N];
    let ones = _mm256_set1_epi16(1);
    for (step, block) in blocks.iter().enumerate() {
        let weights = load256(block);
        for (sums, inputs) in sums.iter_mut().zip(&inputs) {
            let input = _mm256_set1_epi32(inputs[step]);
            let magnitude = _mm256_abs_epi8(input);
            for (sum, weights) in sums.iter_mut().zip(weights) {
                let pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(weights, input));
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, ones));
            }
        }
    }
    for (token, sums) in sums.into_iter().enumerate() {
        let (halves, _) = place(outputs, token * rows).as_chunks_mut::<8>();
        for (half, sum) in halves.iter_mut().zip(sums) {
            // SAFETY: the array has the vector's 32 bytes.
            unsafe { _mm256_storeu_si256(half.as_mut_ptr().cast(), sum) };
        }
    }
    N
}

#[target_feature(enable = "avx2")]
fn load256(block: &[i8; BLOCK]) -> [__m256i; 2] {
    let (halves, _) = block.as_chunks::<32>();
    // SAFETY: each array has the vector's 32 bytes.
    [0, 1].map(|half| unsafe { _mm256_loadu_si256(halves[half].as_ptr().cast()) })
}
