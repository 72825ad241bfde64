//! A tiny model with weights that no training made, and what is true of every model.
use super::Calibration;
use super::artefact::{Affine, Artefact, Description, Dimensions, Norm, Quantised, Weights};
use super::encoder::Encoder;
use super::kernel::packed::InstructionSet;
use super::{Class, HEADS, Head, OUTPUTS};

/// The vocabulary of the tiny model.
pub const VOCABULARY: &str = "[UNK]\n[CLS]\n[SEP]\none\ntwo\nthree\n##s\n.\n,\na\nb\nc\nd\ne\nf\ng\n";

/// The weights of the tiny model.
fn artefact() -> Artefact {
    let dimensions = Dimensions { width: 32, inner: 64, layers: 2, heads: 2, positions: 14, words: 16 };
    let mut seed = 1u32;
    let mut numbers = |count: usize, spread: f32| -> Vec<f32> {
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (f32::from(u16::try_from(seed >> 16).unwrap()) / 65_536.0 - 0.5) * spread
        };
        (0..count).map(|_| next()).collect()
    };
    let mut affine = |rows: usize, columns: usize| Affine {
        matrix: Quantised::new(&numbers(rows * columns, 0.8), columns),
        bias: numbers(rows, 0.2),
    };
    let norm = || Norm { scale: vec![1.0; 32], bias: vec![0.0; 32] };
    let layers = (0..2).map(|_| Weights {
        qkv: affine(96, 32),
        out: affine(32, 32),
        norm1: norm(),
        up: affine(64, 32),
        down: affine(32, 64),
        norm2: norm(),
    });
    Artefact {
        layers: layers.collect(),
        vocabulary: VOCABULARY.to_owned(),
        norm: norm(),
        words: Quantised::new(&numbers(16 * 32, 2.0), 32),
        positions: numbers(14 * 32, 0.5),
        heads: numbers(OUTPUTS * 32, 2.0),
        heads_bias: numbers(OUTPUTS, 0.1),
        description: Description {
            name: "tiny".to_owned(),
            dimensions,
            heads: [Calibration { slope: 1.5, bias: -0.25, label: 0.5, hide: Some(0.9) }; HEADS],
            classes: [0.5, 0.0, 0.0],
        },
    }
}

/// The file of the tiny model.
pub fn tiny() -> Vec<u8> {
    artefact().to_bytes().unwrap()
}

#[test]
fn a_file_holds_the_model_and_is_the_same_each_time() {
    let file = tiny();
    assert_eq!(Artefact::from_bytes(&file).unwrap(), artefact());
    assert_eq!(tiny(), file);
}

/// A file that was cut, or whose parts do not fit together, is refused and never read beyond its end.
#[test]
fn damaged_files_are_refused() {
    let file = tiny();
    for length in [0, 7, 8, 100, file.len() / 2, file.len() - 1] {
        assert!(Artefact::from_bytes(&file[..length]).is_err(), "{length} bytes");
    }
    let refused = |change: &dyn Fn(&mut Artefact), expected: &str| {
        let mut artefact = artefact();
        change(&mut artefact);
        let error = Artefact::from_bytes(&artefact.to_bytes().unwrap()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    refused(&|artefact| artefact.description.dimensions.words = 17, "words is no 8-bit matrix of 17 x 32");
    refused(&|artefact| artefact.description.dimensions.layers = usize::MAX, "a size is out of bounds");
    refused(&|artefact| artefact.description.dimensions.width = 24, "multiples of 16");
    refused(&|artefact| artefact.norm.scale[3] = f32::NAN, "norm holds what is no number");
    refused(&|artefact| artefact.layers[1].up.matrix.values[5] = -128, "layers.1.up holds -128");
    refused(&|artefact| artefact.heads.truncate(9), "heads has 9 numbers instead of 256");
}

/// Every path gives the same bits, not only products that are the same.
#[test]
fn all_paths_say_the_same() {
    let pieces: [&[u32]; 4] =
        [&[1, 3, 4, 2], &[1, 2], &[1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 2], &[1, 15, 15, 2]];
    let reference = Encoder::new(artefact(), InstructionSet::SCALAR).read(&pieces).unwrap();
    assert!(reference.iter().flatten().all(|output| output.is_finite()));
    let bits = |rows: &[[f32; OUTPUTS]]| rows.iter().flatten().map(|output| output.to_bits()).collect::<Vec<_>>();
    assert_ne!(bits(&reference[..1]), bits(&reference[1..2]));
    for set in InstructionSet::all() {
        let outputs = Encoder::new(artefact(), set).read(&pieces).unwrap();
        assert_eq!(bits(&outputs), bits(&reference), "{set:?}");
    }
    let encoder = Encoder::new(artefact(), InstructionSet::best());
    assert_eq!(encoder.read(&[&[1, 16, 2]]).unwrap_err().to_string(), "a token is not of the vocabulary");
    assert_eq!(encoder.read(&[&[1; 15]]).unwrap_err().to_string(), "a piece has 15 tokens");
    assert_eq!(encoder.read(&[&[]]).unwrap_err().to_string(), "a piece has 0 tokens");
}

#[test]
fn heads_are_named_in_their_order() {
    assert_eq!(Head::ALL.map(Head::name), ["toxic", "hate", "sexism", "threat", "spam"]);
    assert!(Head::ALL.iter().enumerate().all(|(place, head)| *head as usize == place));
}

#[test]
fn the_class_is_the_most_likely_one() {
    let class = |outputs: [f32; 3], biases| {
        let mut all = [9.0; OUTPUTS];
        all[HEADS..].copy_from_slice(&outputs);
        Class::of(&all, &biases)
    };
    assert_eq!(class([1.0, 2.0, 0.0], [0.0; 3]), Class::Offensive);
    assert_eq!(class([1.0, 2.0, 0.0], [1.5, 0.0, 0.0]), Class::Hate);
    assert_eq!(class([-1.0, -2.0, 0.0], [0.5, 0.0, 0.0]), Class::Neither);
    assert_eq!(serde_json::json!(Class::Neither), "neither");
}
