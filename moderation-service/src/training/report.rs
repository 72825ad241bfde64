//! The end of a training: the model is measured as it will be read, compared with the one before it, and written with its figures.
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use serde::Serialize;

use super::base::BaseModel;
use super::classes;
use super::data::{Example, Examples, Measured, chooses_thresholds};
use super::export;
use super::figures::{self, Figures};
use super::gate::{self, GatedFigure};
use super::optimiser::Progress;
use super::options::{SHARDS, Training};
use crate::text_model::Calibration;
use crate::text_model::kernel::packed::InstructionSet;
use crate::text_model::mini_lm::MiniLm;
use crate::text_model::{CLASSES, HEADS, OUTPUTS, everyday, hex};

/// The calibration that changes nothing, with which a model is measured to be calibrated.
const PLAIN: Calibration = Calibration { slope: 1.0, bias: 0.0, label: 0.5, hide: None };

/// What was done, as it is written beside the model.
#[derive(Debug, Serialize)]
struct TrainingReport {
    recipe: serde_json::Value,
    rows: usize,
    dev_rows: usize,
    excluded: usize,
    everyday: usize,
    repeated: usize,
    steps: usize,
    seconds: u64,
    model_sha256: String,
    model_bytes: usize,
    heads: [Calibration; HEADS],
    classes: [f32; CLASSES],
    figures: Figures,
}

/// Measures the model on the dev split, compares it with the figures before, and writes its file and its figures.
pub fn finish(
    training: &Training,
    base: &BaseModel,
    examples: &Examples,
    state: &Progress,
    recipe: &str,
    (before, started): (Option<&BTreeMap<String, GatedFigure>>, Instant),
) -> anyhow::Result<()> {
    let dev: Vec<&Example> = examples.rows.iter().filter(|row| row.is_dev).collect();
    let plain = export::artefact(base, &state.weights, [PLAIN; HEADS], [0.0; CLASSES]).to_bytes()?;
    let model = MiniLm::new(&plain, InstructionSet::best())?;
    let texts: Vec<&str> = dev.iter().map(|row| row.text.as_str()).collect();
    let measured: Vec<Measured> = dev.iter().copied().zip(outputs(&model, &texts)?).collect();
    let (choosing, counting): (Vec<&str>, Vec<&str>) = everyday().partition(|text| chooses_thresholds(text));
    let heads = figures::calibrate(&measured, &outputs(&model, &choosing)?);
    let classes = classes::biases(&measured);
    let figures = figures::figures(&measured, &outputs(&model, &counting)?, &heads, classes);
    let bytes = export::artefact(base, &state.weights, heads, classes).to_bytes()?;
    let fallen = before.map(|before| gate::fallen(before, &figures)).transpose()?;
    let report = TrainingReport {
        recipe: serde_json::from_str(recipe)?,
        rows: examples.rows.len() - dev.len(),
        dev_rows: dev.len(),
        excluded: examples.excluded,
        everyday: examples.everyday,
        repeated: examples.repeated,
        steps: state.step,
        seconds: started.elapsed().as_secs(),
        model_sha256: hex(&<sha2::Sha256 as sha2::Digest>::digest(&bytes)),
        model_bytes: bytes.len(),
        heads,
        classes,
        figures,
    };
    write(&training.out.with_extension("json"), serde_json::to_string_pretty(&report)?.as_bytes())?;
    let fallen = fallen.unwrap_or_default();
    ensure!(fallen.is_empty(), "no model is written, because it falls behind: {}", fallen.join("; "));
    write(&training.out, &bytes)
}

/// The outputs of the model for texts, computed side by side.
fn outputs(model: &MiniLm, texts: &[&str]) -> anyhow::Result<Vec<[f32; OUTPUTS]>> {
    let parts: anyhow::Result<Vec<Vec<_>>> = std::thread::scope(|scope| {
        let parts = texts.chunks(texts.len().div_ceil(SHARDS).max(1));
        let parts: Vec<_> = parts.map(|part| scope.spawn(move || model.outputs(part))).collect();
        parts.into_iter().map(|part| part.join().map_err(|_| anyhow::anyhow!("a thread has panicked"))?).collect()
    });
    Ok(parts?.concat())
}

fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(file, bytes).with_context(|| file.display().to_string())
}
