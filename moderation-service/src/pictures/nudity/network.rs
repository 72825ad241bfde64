//! The image model: a file in the format ONNX, run by tract.
//!
//! It has one input, of pictures as [`super::preparation`] makes them (1 × 224 × 224 × 3), and one output, two probabilities: that there
//! is nothing to see, and that there is. This is Open-NSFW's shape. A file of another one, or that is none, is refused when the service
//! starts: it is run once on a grey picture.
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};
use tract_onnx::prelude::*;

use super::preparation::{SIDE, prepare};
use crate::ledger::hex;

/// Bytes of a file's SHA-256 in its version: enough that no two files of a platform share them.
const VERSION_BYTES: usize = 6;
/// The largest file of a model, in bytes: its weights are held in memory twice for a moment.
const LARGEST_FILE: u64 = 512 << 20;

/// A model that looks at pictures.
pub struct NudityModel {
    version: String,
    plan: Arc<TypedRunnableModel>,
}

impl NudityModel {
    /// Loads the model of a file. An error says what is wrong with it.
    pub fn open(file: &Path) -> anyhow::Result<Self> {
        let named = || format!("MODERATION_IMAGE_MODEL: {}", file.display());
        let bytes = std::fs::metadata(file).with_context(named)?.len();
        ensure!(bytes <= LARGEST_FILE, "{}: a model has at most {LARGEST_FILE} bytes", named());
        let content = std::fs::read(file).with_context(named)?;
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self::new(&name, &content).with_context(named)
    }

    fn new(name: &str, content: &[u8]) -> anyhow::Result<Self> {
        let hash: [u8; 32] = Sha256::digest(content).into();
        let hash = hex(&hash[..VERSION_BYTES]);
        let model = tract_onnx::onnx().model_for_read(&mut &*content).context("it is no ONNX model")?;
        ensure!(
            model.inputs.len() == 1 && model.outputs.len() == 1,
            "a model with one input and one output is expected"
        );
        let model = model.with_input_fact(0, f32::fact([1, SIDE, SIDE, 3]).into());
        let plan = model.and_then(|model| model.into_optimized()?.into_runnable());
        let plan = plan.context("a model that reads 1 × 224 × 224 × 3 numbers is expected")?;
        let model = Self { version: format!("{name}@{hash}"), plan };
        model.run(&vec![0.0; SIDE * SIDE * 3]).context("it does not score a grey picture")?;
        Ok(model)
    }

    /// The name of its file and the beginning of the file's SHA-256.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How likely a picture shows nudity, 0 to 1; it takes some ten milliseconds of computing. An error: its file cannot be read.
    pub fn score(&self, file: &[u8]) -> anyhow::Result<f64> {
        self.run(&prepare(file)?)
    }

    fn run(&self, prepared: &[f32]) -> anyhow::Result<f64> {
        let input = Tensor::from_shape(&[1, SIDE, SIDE, 3], prepared)?;
        let output = self.plan.run(tvec!(input.into()))?;
        let output = output.first().context("no output")?.to_plain_array_view::<f32>()?;
        let scores: Vec<f32> = output.iter().copied().collect();
        let &[_, nudity] = &scores[..] else { anyhow::bail!("{} numbers instead of two", scores.len()) };
        ensure!((0.0..=1.0).contains(&nudity), "{nudity} is no probability");
        Ok(f64::from(nudity))
    }
}
