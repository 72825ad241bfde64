//! The product of 8-bit matrices, with whatever instructions the processor has, and the same whole numbers on every one.
//!
//! A matrix is packed in blocks of 16 outputs by 4 inputs, 64 bytes: one vector of AVX-512, two of AVX2 ([`packed`]). An
//! [`InstructionSet`] is made by asking the processor, so code that has one may use its instructions: that is the whole argument for
//! the `unsafe` in `x86`, besides the exchange of vectors with arrays of their size. The scalar set is the reference, the
//! only one on other processors, and what a property test compares the others with.
pub mod packed;
#[cfg(target_arch = "x86_64")]
mod x86;

use self::packed::{BLOCK, INPUTS, InstructionSet, Instructions, OUTPUTS, Packed, Work};

/// Does work whose plain arithmetic is compiled for the instruction set as well.
pub fn run<W: Work>(set: InstructionSet, work: W) -> W::Output {
    match set.0 {
        Instructions::Scalar => work.run(),
        #[cfg(target_arch = "x86_64")]
        _ => x86::run(set, work),
    }
}

/// The products of rows of inputs, none of them -128, with every row of the matrix: a row of outputs for each.
pub fn multiply(matrix: &Packed, set: InstructionSet, inputs: &[i8], outputs: &mut [i32]) {
    let rows = matrix.scales.len();
    assert_eq!(inputs.len() / matrix.columns * rows, outputs.len(), "a row of outputs for each of inputs");
    match set.0 {
        Instructions::Scalar => multiply_scalar(matrix, inputs, outputs),
        #[cfg(target_arch = "x86_64")]
        _ => x86::multiply(matrix, set, inputs, outputs),
    }
}

fn multiply_scalar(matrix: &Packed, inputs: &[i8], outputs: &mut [i32]) {
    let steps = matrix.columns / INPUTS;
    for (inputs, outputs) in inputs.chunks_exact(matrix.columns).zip(outputs.chunks_exact_mut(matrix.scales.len())) {
        for (blocks, outputs) in matrix.blocks.chunks_exact(steps).zip(outputs.as_chunks_mut::<OUTPUTS>().0) {
            *outputs = multiply_blocks(blocks, inputs);
        }
    }
}

/// One block of outputs of a token.
fn multiply_blocks(blocks: &[[i8; BLOCK]], inputs: &[i8]) -> [i32; OUTPUTS] {
    let (inputs, _) = inputs.as_chunks::<INPUTS>();
    let mut sums = [0; OUTPUTS];
    let mut step = 0;
    while step < blocks.len() {
        let (block, inputs) = (&blocks[step], &inputs[step]);
        let mut output = 0;
        while output < OUTPUTS {
            let (mut products, mut input) = (0, 0);
            while input < INPUTS {
                products += i32::from(block[output * INPUTS + input]) * i32::from(inputs[input]);
                input += 1;
            }
            sums[output] += products;
            output += 1;
        }
        step += 1;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::super::artefact::Quantised;
    use super::*;

    /// Numbers without a pattern, from -127 to 127 with many at the ends.
    fn numbers(count: usize, mut seed: u64) -> Vec<i8> {
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            match (seed >> 33) % 8 {
                0 => 127,
                1 => -127,
                _ => i8::try_from(i64::try_from((seed >> 40) % 255).unwrap() - 127).unwrap(),
            }
        };
        (0..count).map(|_| next()).collect()
    }

    /// The definition, without packing.
    fn product(matrix: &Quantised, inputs: &[i8]) -> Vec<i32> {
        let rows = |inputs: &[i8]| -> Vec<i32> {
            let row = |row: &[i8]| row.iter().zip(inputs).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
            matrix.values.chunks_exact(matrix.columns).map(row).collect()
        };
        inputs.chunks_exact(matrix.columns).flat_map(rows).collect()
    }

    /// Every path computes the product to the last bit, for every shape, and where products are as large as they can be.
    #[test]
    fn all_paths_compute_the_same_numbers() {
        let shapes = [(16, 16), (16, 48), (48, 16), (384, 384), (1152, 384), (384, 1536), (1536, 384)];
        for (case, (rows, columns)) in shapes.into_iter().cycle().take(28).enumerate() {
            let seed = u64::try_from(case).unwrap();
            // The large ones are those of the real model, and slow without optimisation.
            let tokens = if rows > 300 { [1, 5, 9, 12][case / 7] } else { case + 1 };
            let extreme = case % 5 == 0;
            let fill = |count, seed| if extreme { vec![127; count] } else { numbers(count, seed) };
            let values = fill(rows * columns, seed);
            let inputs =
                if case % 10 == 0 { vec![-127; tokens * columns] } else { fill(tokens * columns, seed + 1000) };
            let matrix = Quantised { columns, values, scales: vec![1.0; rows] };
            let (packed, expected) = (Packed::new(&matrix), product(&matrix, &inputs));
            for path in InstructionSet::all() {
                let mut outputs = vec![1; tokens * rows];
                multiply(&packed, path, &inputs, &mut outputs);
                assert!(outputs == expected, "{path:?} of {tokens} x {columns} by {rows}");
            }
        }
    }
}
