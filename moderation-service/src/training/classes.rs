//! Davidson's three classes: how well the labels say them, and how well the outputs that were trained for them do.
use serde::Serialize;

use super::data::{CLASSES as NAMES, Measured};
use super::statistics::f1;
use crate::text_model::Calibration;
use crate::text_model::{CLASSES, Class, HEADS, Head};

/// The biases that are tried, in tenths.
const BIASES: std::ops::RangeInclusive<i8> = -25..=25;
/// How much the F1 of the rarest class counts beside the weighted one, when biases are chosen.
const RAREST: f32 = 0.5;

/// The figures of three classes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassFigures {
    pub rows: usize,
    /// The F1 of the classes by their shares of rows.
    pub weighted_f1: f32,
    pub hate_f1: f32,
    pub offensive_f1: f32,
    pub neither_f1: f32,
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
fn measure(rows: &[Measured], says: impl Fn(&Measured) -> Class) -> ClassFigures {
    let (mut said, mut there, mut hits) = ([0; CLASSES], [0; CLASSES], [0; CLASSES]);
    let mut count = 0;
    for row in rows {
        if let Some((class, _)) = row.0.class {
            let says = says(row) as usize;
            said[says] += 1;
            there[class] += 1;
            hits[class] += usize::from(says == class);
            count += 1;
        }
    }
    let f1: [f32; CLASSES] = std::array::from_fn(|class| f1(hits[class], said[class], there[class]));
    let weighted = f1.iter().zip(there).map(|(f1, there)| f1 * there as f32).sum::<f32>();
    let weighted_f1 = if count > 0 { weighted / count as f32 } else { 0.0 };
    ClassFigures { rows: count, weighted_f1, hate_f1: f1[0], offensive_f1: f1[1], neither_f1: f1[2] }
}

/// By labels: hate where that label is, offensive where only `toxic` is, else neither.
pub fn by_labels(rows: &[Measured], heads: &[Calibration; HEADS]) -> ClassFigures {
    let has = |row: &Measured, head: Head| {
        let calibration = &heads[head as usize];
        calibration.probability(row.1[head as usize]) >= calibration.label
    };
    measure(rows, |row| match (has(row, Head::Hate), has(row, Head::Toxic)) {
        (true, _) => Class::Hate,
        (_, true) => Class::Offensive,
        _ => Class::Neither,
    })
}

/// By the outputs of the classes.
pub fn by_class(rows: &[Measured], biases: [f32; CLASSES]) -> ClassFigures {
    measure(rows, |row| Class::of(&row.1, &biases))
}

/// What is added to the outputs of the classes so that the dev rows are separated best.
pub fn biases(rows: &[Measured]) -> [f32; CLASSES] {
    let rows: Vec<Measured> = rows.iter().filter(|row| row.0.class.is_some()).copied().collect();
    let mut best = ([0.0; CLASSES], f32::MIN);
    for hate in BIASES {
        for offensive in BIASES {
            let biases = [f32::from(hate) / 10.0, f32::from(offensive) / 10.0, 0.0];
            let figures = by_class(&rows, biases);
            let score = figures.weighted_f1 + RAREST * figures.hate_f1;
            if score > best.1 {
                best = (biases, score);
            }
        }
    }
    best.0
}

// The order of the classes in the sets is that of the outputs.
const _: () = assert!(NAMES.len() == CLASSES && Class::Hate as usize == 0 && Class::Neither as usize == 2);
