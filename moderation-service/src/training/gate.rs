//! The regression gate: a model is not written when a figure of the dev split falls behind that of the model before it.
//!
//! Every figure that is promised of a model is compared: the AUC and the F1 of each head, Davidson's classes, the calibration error of each
//! head, false alarms at the thresholds of hiding, the gap between groups, and what sentences of each function are taken for. A figure may
//! fall behind by what two seeds differ by. Beside that, a [goal](GOALS) that the model before reaches is reached by the new one, so
//! that no row of small steps leads away from it.
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use serde::Deserialize;

use super::figures::Figures;

/// How far a share of right answers may fall: what two seeds differ by.
const TOLERANCE: f32 = 0.01;
/// The same of figures of few rows: of Davidson's dev rows 73 are hate.
const OF_FEW: f32 = 0.02;
/// How much a calibration error may grow.
const OF_CALIBRATION: f32 = 0.005;
/// How far a function may fall: it has one pattern or a few on the dev split, in some dozen sentences.
const OF_FUNCTION: f32 = 0.1;
/// By how many of the everyday sentences false alarms may grow: by none but the one that two halves differ by.
const OF_ALARMS: f32 = 1.0;

/// What is promised of a model, of figures of the dev split.
#[rustfmt::skip]
pub const GOALS: [(&str, f32); 10] = [
    ("davidson_by_class.weighted_f1",  0.905),
    ("davidson_by_class.hate_f1",      0.46),
    ("sexism.edos.macro_f1",           0.82),
    ("spam.sms_spam.macro_f1",         0.965),
    ("toxic.calibration_error",        0.04),
    ("hate.calibration_error",         0.04),
    ("sexism.calibration_error",       0.04),
    ("threat.calibration_error",       0.04),
    ("spam.calibration_error",         0.04),
    ("everyday_hidden",                0.003),
];

/// A figure that is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GatedFigure {
    pub value: f32,
    /// Whether more of it is worse.
    pub is_fault: bool,
    tolerance: f32,
}

impl GatedFigure {
    fn right(value: f32, tolerance: f32) -> Self {
        Self { value, is_fault: false, tolerance }
    }

    fn fault(value: f32, tolerance: f32) -> Self {
        Self { value, is_fault: true, tolerance }
    }

    /// Whether it is at least as good as a bound.
    pub fn reaches(self, bound: f32) -> bool {
        if self.is_fault { self.value <= bound } else { self.value >= bound }
    }

    /// Whether it is worse than before by more than two seeds differ by.
    fn falls_behind(self, before: Self) -> bool {
        let tolerance = before.tolerance.max(self.tolerance);
        !self.reaches(if self.is_fault { before.value + tolerance } else { before.value - tolerance })
    }
}

/// A report of a training, as far as it is compared. One of an earlier release lacks what was not measured then.
#[derive(Deserialize)]
struct Report {
    figures: ReportedFigures,
}

#[derive(Deserialize)]
struct ReportedFigures {
    summary: BTreeMap<String, f32>,
    heads: BTreeMap<String, ReportedHead>,
    davidson_by_labels: ReportedClasses,
    davidson_by_class: ReportedClasses,
    identity_gap: f32,
    #[serde(default)]
    functions: BTreeMap<String, f32>,
    everyday_rows: f32,
    everyday_hidden: f32,
}

#[derive(Deserialize)]
struct ReportedHead {
    calibration_error: f32,
    sources: BTreeMap<String, ReportedSource>,
}

#[derive(Deserialize)]
struct ReportedSource {
    accuracy: f32,
    specificity: f32,
}

#[derive(Deserialize)]
struct ReportedClasses {
    hate_f1: f32,
}

/// The figures of a report that are compared, by their names.
pub fn gated(report: &str) -> anyhow::Result<BTreeMap<String, GatedFigure>> {
    let Report { figures } = serde_json::from_str(report)?;
    ensure!(!figures.summary.is_empty(), "it has no figures");
    let mut all: BTreeMap<String, GatedFigure> = BTreeMap::new();
    for (name, value) in figures.summary {
        all.insert(name, GatedFigure::right(value, TOLERANCE));
    }
    for (name, classes) in [("by_labels", &figures.davidson_by_labels), ("by_class", &figures.davidson_by_class)] {
        all.insert(format!("davidson_{name}.hate_f1"), GatedFigure::right(classes.hate_f1, OF_FEW));
    }
    for (name, head) in &figures.heads {
        let error = GatedFigure::fault(head.calibration_error, OF_CALIBRATION);
        all.insert(format!("{name}.calibration_error"), error);
    }
    // What the functional tests of the field ask for: all cases, and those that are not hateful.
    if let Some(templates) = figures.heads.get("hate").and_then(|hate| hate.sources.get("templates")) {
        all.insert("hate.templates.accuracy".to_owned(), GatedFigure::right(templates.accuracy, TOLERANCE));
        all.insert("hate.templates.specificity".to_owned(), GatedFigure::right(templates.specificity, TOLERANCE));
        all.insert("identity_gap".to_owned(), GatedFigure::fault(figures.identity_gap, OF_FEW));
    }
    for (function, share) in figures.functions {
        all.insert(format!("function \"{function}\""), GatedFigure::right(share, OF_FUNCTION));
    }
    let rows = figures.everyday_rows.max(1.0);
    all.insert("everyday_hidden".to_owned(), GatedFigure::fault(figures.everyday_hidden / rows, OF_ALARMS / rows));
    Ok(all)
}

/// The figures of a file with which a model is compared. It is read before the training, which takes hours.
pub fn read(gate: &Path) -> anyhow::Result<BTreeMap<String, GatedFigure>> {
    let place = || gate.display().to_string();
    gated(&std::fs::read_to_string(gate).with_context(place)?).with_context(place)
}

/// What fell behind the figures of the model before, each in words.
pub fn fallen(before: &BTreeMap<String, GatedFigure>, figures: &Figures) -> anyhow::Result<Vec<String>> {
    Ok(compare(before, &gated(&serde_json::json!({ "figures": figures }).to_string())?))
}

fn compare(before: &BTreeMap<String, GatedFigure>, now: &BTreeMap<String, GatedFigure>) -> Vec<String> {
    let fallen = before.iter().filter_map(|(name, before)| {
        let Some(now) = now.get(name) else {
            return Some(format!("{name} was {:.3} and was not measured", before.value));
        };
        if now.falls_behind(*before) {
            return Some(format!("{name} from {:.3} to {:.3}", before.value, now.value));
        }
        let goal = GOALS.iter().find(|(goal, _)| goal == name).map(|(_, bound)| *bound)?;
        let is_missed = before.reaches(goal) && !now.reaches(goal);
        is_missed.then(|| format!("{name} misses the goal of {goal} with {:.4}", now.value))
    });
    fallen.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A report with a figure of each kind.
    fn report() -> Value {
        let head = |error: f32| {
            let sources = json!({ "templates": { "accuracy": 0.836, "specificity": 0.874, "auc": null } });
            json!({ "calibration_error": error, "sources": sources })
        };
        let heads = json!({ "toxic": head(0.015), "hate": head(0.038) });
        json!({ "figures": {
            "summary": { "davidson_by_class.weighted_f1": 0.917, "sexism.edos.macro_f1": 0.828, "hate.hatemoji.auc": 0.717 },
            "heads": heads, "davidson_by_labels": { "hate_f1": 0.448 }, "davidson_by_class": { "hate_f1": 0.503 },
            "identity_gap": 0.132, "functions": { "counter-speech": 0.9 }, "everyday_rows": 1000, "everyday_hidden": 2,
        } })
    }

    /// What falls when one figure of the report is another.
    fn after(pointer: &str, value: f64) -> Vec<String> {
        let mut now = report();
        *now.pointer_mut(&format!("/figures{pointer}")).unwrap() = json!(value);
        compare(&gated(&report().to_string()).unwrap(), &gated(&now.to_string()).unwrap())
    }

    /// Each figure that is promised refuses a model alone, and what two seeds differ by refuses none.
    #[test]
    fn every_figure_refuses_a_model_that_falls_behind() {
        for (pointer, near, far, name) in [
            ("/summary/hate.hatemoji.auc", 0.708, 0.706, "hate.hatemoji.auc"),
            ("/summary/davidson_by_class.weighted_f1", 0.908, 0.904, "davidson_by_class.weighted_f1"),
            ("/davidson_by_class/hate_f1", 0.484, 0.48, "davidson_by_class.hate_f1"),
            ("/davidson_by_labels/hate_f1", 0.43, 0.42, "davidson_by_labels.hate_f1"),
            ("/heads/toxic/calibration_error", 0.0199, 0.0205, "toxic.calibration_error"),
            ("/heads/hate/sources/templates/accuracy", 0.827, 0.825, "hate.templates.accuracy"),
            ("/heads/hate/sources/templates/specificity", 0.865, 0.86, "hate.templates.specificity"),
            ("/identity_gap", 0.15, 0.16, "identity_gap"),
            ("/functions/counter-speech", 0.81, 0.79, "function \"counter-speech\""),
            ("/everyday_hidden", 3.0, 4.0, "everyday_hidden"),
        ] {
            assert_eq!(after(pointer, near), [""; 0], "{pointer}");
            let fallen = after(pointer, far);
            assert_eq!(fallen.len(), 1, "{pointer}: {fallen:?}");
            assert!(fallen[0].starts_with(&format!("{name} from ")), "{pointer}: {fallen:?}");
        }
        assert_eq!(after("/identity_gap", 0.01), [""; 0], "less of a fault is better");
    }

    /// A goal that was reached stays so, however small the step over it is; one that was missed is no reason.
    #[test]
    fn a_goal_that_was_reached_is_not_given_up() {
        assert_eq!(
            after("/heads/hate/calibration_error", 0.0405),
            ["hate.calibration_error misses the goal of 0.04 with 0.0405"]
        );
        let edos = after("/summary/sexism.edos.macro_f1", 0.8195);
        assert_eq!(edos, ["sexism.edos.macro_f1 misses the goal of 0.82 with 0.8195"]);
        let mut before = report();
        before["figures"]["summary"]["sexism.edos.macro_f1"] = json!(0.8195);
        let before = gated(&before.to_string()).unwrap();
        assert_eq!(compare(&before, &before), [""; 0]);
    }

    /// What is not measured any more has fallen; what was not measured before has not.
    #[test]
    fn a_figure_that_is_missing_has_fallen() {
        let all = gated(&report().to_string()).unwrap();
        let mut fewer = all.clone();
        fewer.remove("identity_gap");
        assert_eq!(compare(&all, &fewer), ["identity_gap was 0.132 and was not measured"]);
        assert_eq!(compare(&fewer, &all), [""; 0]);
        let mut empty = report();
        empty["figures"]["summary"] = json!({});
        assert!(gated(&empty.to_string()).is_err());
    }

    /// The figures of the shipped model can be compared with, and reach every goal of the dev split.
    #[test]
    fn the_shipped_model_reaches_its_goals() {
        let shipped = gated(include_str!("../../model/figures.json")).unwrap();
        for (name, goal) in GOALS {
            let figure = shipped.get(name).unwrap_or_else(|| panic!("{name} was not measured"));
            assert!(figure.reaches(goal), "{name}: {figure:?} misses {goal}");
        }
        assert!(shipped.len() > 25 && shipped.contains_key("identity_gap"), "{:?}", shipped.keys());
    }
}
