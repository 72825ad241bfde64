//! What a trained model reaches on the dev split: probabilities that mean what they say, thresholds, and figures per source.
//!
//! Everything is measured with the 8-bit model as it is shipped. A head is calibrated on what people have labelled ([`CALIBRATING`]); its
//! label's threshold is chosen on the sources that say most about it ([`DECIDING`]), and the threshold of hiding by the precision on all
//! and by the alarms among one half of the everyday sentences, which were never learned. The false alarms that are reported are those among
//! the other half, which has chosen nothing.
use std::collections::BTreeMap;

use serde::Serialize;

use super::classes::{self, ClassFigures};
use super::data::{Example, Measured};
use super::statistics::{Pair, auc, calibration_error, macro_f1, platt};
use crate::text_model::Calibration;
use crate::text_model::math::sigmoid;
use crate::text_model::{CLASSES, HEADS, Head, OUTPUTS};

/// Sources per head.
type Sources = [(Head, &'static [&'static str]); HEADS];

/// The sources by which a head is calibrated: a probability is one about texts that people wrote, where there are such.
const CALIBRATING: Sources = [
    (Head::Toxic, &["davidson", "moderators"]),
    (Head::Hate, &["davidson", "hatemoji", "moderators"]),
    (Head::Sexism, &["edos", "moderators"]),
    (Head::Threat, &["templates", "moderators"]),
    (Head::Spam, &["sms_spam", "youtube_spam", "moderators"]),
];
/// The sources by which the threshold of its label is chosen, as far as they have both sides.
const DECIDING: Sources = [
    (Head::Toxic, &["davidson", "templates", "moderators"]),
    (Head::Hate, &["davidson", "hatemoji", "templates", "moderators"]),
    (Head::Sexism, &["edos", "moderators"]),
    (Head::Threat, &["templates", "moderators"]),
    (Head::Spam, &["sms_spam", "youtube_spam", "moderators"]),
];
/// The heads that may hide a text; the others rank what people look at.
const HIDING: [Head; 3] = [Head::Hate, Head::Threat, Head::Spam];
/// The least weight of a row that takes part in figures: weaker ones say too little about the head.
const LEAST_WEIGHT: f32 = 0.2;
/// The least share of dev rows above a threshold of hiding that have the label.
const PRECISION: f32 = 0.9;
/// The share of everyday sentences that one head may hide; the three together thus stay below 0.2 %.
const ALARMS: f32 = 0.0006;
/// The least probability at which anything is hidden.
const LEAST_HIDE: f32 = 0.8;

/// The figures of a head on a source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceFigures {
    pub rows: usize,
    pub positive: usize,
    pub auc: f32,
    pub accuracy: f32,
    pub macro_f1: f32,
    /// The share of negative rows that are right.
    pub specificity: f32,
}

/// The figures of a head.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeadFigures {
    /// How far probabilities are from the shares that are true, on the rows by which it was calibrated.
    pub calibration_error: f32,
    pub sources: BTreeMap<String, SourceFigures>,
    /// Of the dev rows above the threshold of hiding, the share that has the label; and the share of those that it finds.
    pub hiding_precision: f32,
    pub hiding_recall: f32,
    /// The everyday sentences with the label, and above the threshold of hiding.
    pub everyday_labelled: usize,
    pub everyday_hidden: usize,
}

/// All figures of a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    pub heads: BTreeMap<&'static str, HeadFigures>,
    /// Davidson's three classes, as labels say them and as the model's own classes do.
    pub davidson_by_labels: ClassFigures,
    pub davidson_by_class: ClassFigures,
    /// The share of template sentences about each group with the right label of hate, and the distance of the extremes.
    pub groups: BTreeMap<&'static str, f32>,
    pub identity_gap: f32,
    /// The share of template sentences of each function with the right label of hate.
    pub functions: BTreeMap<&'static str, f32>,
    /// Everyday sentences that have chosen no threshold, and those of them that any head would hide.
    pub everyday_rows: usize,
    pub everyday_hidden: usize,
    /// The figures that a later training must not fall behind, all of which are better when they are higher.
    pub summary: BTreeMap<String, f32>,
}

/// The outputs of a head with the truth, per source.
fn pairs<'a>(rows: &'a [Measured], head: Head) -> BTreeMap<&'a str, Vec<Pair>> {
    let mut pairs: BTreeMap<&str, Vec<Pair>> = BTreeMap::new();
    for (row, outputs) in rows {
        let (target, weight) = row.targets[head as usize];
        if weight >= LEAST_WEIGHT {
            pairs.entry(row.source).or_default().push((outputs[head as usize], target > 0.5));
        }
    }
    pairs
}

fn is_of(all: &Sources, head: Head, source: &str) -> bool {
    all.iter().any(|(of, sources)| *of == head && sources.contains(&source))
}

/// The rows by which a head is calibrated.
fn calibrating(head: Head, sources: &BTreeMap<&str, Vec<Pair>>) -> Vec<Pair> {
    let sources = sources.iter().filter(|(source, _)| is_of(&CALIBRATING, head, source));
    sources.flat_map(|(_, pairs)| pairs).copied().collect()
}

fn is_mixed(pairs: &[Pair]) -> bool {
    pairs.iter().any(|pair| pair.1) && pairs.iter().any(|pair| !pair.1)
}

/// The calibration and thresholds of every head; `everyday` are the sentences by which thresholds are chosen.
pub fn calibrate(rows: &[Measured], everyday: &[[f32; OUTPUTS]]) -> [Calibration; HEADS] {
    Head::ALL.map(|head| {
        let sources = pairs(rows, head);
        let (slope, bias) = platt(&calibrating(head, &sources));
        let probability = |output: f32| sigmoid(slope * output + bias);
        let mixed = sources.iter().filter(|(source, pairs)| is_of(&DECIDING, head, source) && is_mixed(pairs));
        let mixed: Vec<_> = mixed.map(|(_, pairs)| pairs).collect();
        let mut label = (0.5, f32::MIN);
        for percent in 5..=95u8 {
            let threshold = f32::from(percent) / 100.0;
            let score: f32 = mixed.iter().map(|pairs| macro_f1(pairs, |output| probability(output) >= threshold)).sum();
            if score > label.1 {
                label = (threshold, score);
            }
        }
        let label = label.0;
        let all: Vec<Pair> = sources.values().flatten().map(|pair| (probability(pair.0), pair.1)).collect();
        let mut alarms: Vec<f32> = everyday.iter().map(|outputs| probability(outputs[head as usize])).collect();
        alarms.sort_by(|a, b| b.total_cmp(a));
        let quiet = alarms.get(share(alarms.len(), ALARMS)).map_or(0.0, |highest| highest + 1e-4);
        let thresholds = (800..1000u16).map(|permille| f32::from(permille) / 1000.0);
        let mut thresholds = thresholds.filter(|threshold| *threshold >= quiet.max(label).max(LEAST_HIDE));
        let hide = thresholds.find(|threshold| precision(&all, *threshold).0 >= PRECISION);
        Calibration { slope, bias, label, hide: hide.filter(|_| HIDING.contains(&head)) }
    })
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few thousand rows"
)]
fn share(count: usize, share: f32) -> usize {
    (count as f32 * share) as usize
}

/// Of the rows above a threshold the share that is positive, and the share of all positive ones.
#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
fn precision(pairs: &[Pair], threshold: f32) -> (f32, f32) {
    let above = pairs.iter().filter(|pair| pair.0 >= threshold).count() as f32;
    let right = pairs.iter().filter(|pair| pair.0 >= threshold && pair.1).count() as f32;
    let positive = pairs.iter().filter(|pair| pair.1).count() as f32;
    (if above > 0.0 { right / above } else { 0.0 }, if positive > 0.0 { right / positive } else { 0.0 })
}

/// The figures of a calibrated model; `everyday` are sentences that have chosen no threshold.
pub fn figures(
    rows: &[Measured],
    everyday: &[[f32; OUTPUTS]],
    heads: &[Calibration; HEADS],
    biases: [f32; CLASSES],
) -> Figures {
    let of_heads: BTreeMap<_, _> =
        Head::ALL.map(|head| (head.name(), of_head(head, rows, everyday, heads))).into_iter().collect();
    let is_hidden = |outputs: &&[f32; OUTPUTS]| {
        let mut heads = heads.iter().zip(outputs.iter());
        heads.any(|(head, output)| head.hide.is_some_and(|hide| head.probability(*output) >= hide))
    };
    let groups = right_by(rows, &heads[Head::Hate as usize], |row| row.group);
    let functions = right_by(rows, &heads[Head::Hate as usize], |row| row.function);
    let extremes = groups.values().fold((1.0f32, 0.0f32), |(low, high), share| (low.min(*share), high.max(*share)));
    let by_labels = classes::by_labels(rows, heads);
    let by_class = classes::by_class(rows, biases);
    let mut summary = BTreeMap::from([
        ("davidson_by_labels.weighted_f1".to_owned(), by_labels.weighted_f1),
        ("davidson_by_class.weighted_f1".to_owned(), by_class.weighted_f1),
    ]);
    for (head, figures) in &of_heads {
        let of = Head::ALL.into_iter().find(|of| of.name() == *head);
        for (source, figures) in &figures.sources {
            if of.is_some_and(|of| is_of(&DECIDING, of, source)) && figures.auc.is_finite() {
                summary.insert(format!("{head}.{source}.auc"), figures.auc);
                summary.insert(format!("{head}.{source}.macro_f1"), figures.macro_f1);
            }
        }
    }
    Figures {
        heads: of_heads,
        davidson_by_labels: by_labels,
        davidson_by_class: by_class,
        identity_gap: (extremes.1 - extremes.0).max(0.0),
        groups,
        functions,
        everyday_rows: everyday.len(),
        everyday_hidden: everyday.iter().filter(is_hidden).count(),
        summary,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
fn of_head(head: Head, rows: &[Measured], everyday: &[[f32; OUTPUTS]], heads: &[Calibration; HEADS]) -> HeadFigures {
    let calibration = &heads[head as usize];
    let says = |probability: f32| probability >= calibration.label;
    let mut sources = pairs(rows, head);
    sources.values_mut().flatten().for_each(|pair| pair.0 = calibration.probability(pair.0));
    let measure = |pairs: &Vec<Pair>| {
        let negative: Vec<&Pair> = pairs.iter().filter(|pair| !pair.1).collect();
        let right = |pairs: &mut dyn Iterator<Item = &Pair>| pairs.filter(|pair| says(pair.0) == pair.1).count() as f32;
        SourceFigures {
            rows: pairs.len(),
            positive: pairs.len() - negative.len(),
            auc: auc(pairs),
            accuracy: right(&mut pairs.iter()) / pairs.len().max(1) as f32,
            macro_f1: macro_f1(pairs, says),
            specificity: right(&mut negative.iter().copied()) / negative.len().max(1) as f32,
        }
    };
    let all: Vec<Pair> = sources.values().flatten().copied().collect();
    let (hiding_precision, hiding_recall) = calibration.hide.map_or((0.0, 0.0), |hide| precision(&all, hide));
    let alarms = |threshold: f32| {
        everyday.iter().filter(|outputs| calibration.probability(outputs[head as usize]) >= threshold).count()
    };
    HeadFigures {
        calibration_error: calibration_error(&calibrating(head, &sources)),
        sources: sources.iter().map(|(source, pairs)| ((*source).to_owned(), measure(pairs))).collect(),
        hiding_precision,
        hiding_recall,
        everyday_labelled: alarms(calibration.label),
        everyday_hidden: calibration.hide.map_or(0, alarms),
    }
}

/// The share of sentences with the right label of hate, by what is asked of each row.
#[expect(clippy::cast_precision_loss, reason = "some dozen sentences")]
fn right_by(
    rows: &[Measured],
    hate: &Calibration,
    of: impl Fn(&Example) -> Option<&'static str>,
) -> BTreeMap<&'static str, f32> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (row, outputs) in rows.iter().copied() {
        let (target, weight) = row.targets[Head::Hate as usize];
        if let Some(name) = of(row).filter(|_| weight >= LEAST_WEIGHT) {
            let is_right = (hate.probability(outputs[Head::Hate as usize]) >= hate.label) == (target > 0.5);
            let (right, all) = counts.entry(name).or_default();
            *right += usize::from(is_right);
            *all += 1;
        }
    }
    counts.into_iter().map(|(name, (right, all))| (name, right as f32 / all as f32)).collect()
}
