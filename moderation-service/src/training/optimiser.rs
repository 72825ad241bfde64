//! `AdamW` with a warm-up, a linear decay and a bound on the gradient's length; its state is the training's checkpoint.
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, ensure};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::text_model::artefact::floats;
use crate::text_model::artefact::writing::floats_to_bytes;

const MOMENTUM: f32 = 0.9;
const SPREAD: f32 = 0.98;
const DECAY: f32 = 0.01;
const EPSILON: f32 = 1e-8;
/// The longest gradient; a longer one is shortened to it.
const CLIP: f32 = 1.0;
/// The share of steps in which the rate rises.
const WARM_UP: f32 = 0.06;
/// How much faster the heads learn, which begin with nothing.
const HEADS: f32 = 10.0;
/// The header's key of what a checkpoint belongs to.
const RECIPE: &str = "recipe";
const STEP: &str = "step";

/// The weights and the moments of their gradients.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Steps done.
    pub step: usize,
    pub weights: Vec<f32>,
    momentum: Vec<f32>,
    spread: Vec<f32>,
}

/// What a step needs besides the gradients.
#[derive(Clone, Debug)]
pub struct Plan {
    pub steps: usize,
    pub rate: f32,
    /// The places of weights that decay.
    pub matrices: Vec<Range<usize>>,
    /// From here on, weights are the heads'.
    pub heads_from: usize,
}

impl Progress {
    pub fn new(weights: Vec<f32>) -> Self {
        let zeros = vec![0.0; weights.len()];
        Self { step: 0, weights, momentum: zeros.clone(), spread: zeros }
    }

    /// Moves the weights against the gradients; returns the gradients' length before it was bounded.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_wrap,
        clippy::cast_possible_truncation,
        reason = "thousands of steps"
    )]
    pub fn learn(&mut self, gradients: &[f32], plan: &Plan) -> f32 {
        let length = crate::text_model::math::dot(gradients, gradients).sqrt();
        let clip = if length > CLIP { CLIP / length } else { 1.0 };
        let (done, warm) = (self.step as f32, plan.steps as f32 * WARM_UP);
        let schedule =
            if done < warm { (done + 1.0) / warm } else { (plan.steps as f32 - done) / (plan.steps as f32 - warm) };
        self.step += 1;
        let (first, second) = (1.0 - MOMENTUM.powi(self.step as i32), 1.0 - SPREAD.powi(self.step as i32));
        let mut from = 0;
        let mut parts: Vec<(Range<usize>, f32)> = Vec::new();
        for matrix in &plan.matrices {
            parts.push((from..matrix.start, 0.0));
            parts.push((matrix.clone(), DECAY));
            from = matrix.end;
        }
        parts.push((from..gradients.len(), 0.0));
        for (place, decay) in parts {
            let rate = plan.rate * schedule * if place.start >= plan.heads_from { HEADS } else { 1.0 };
            let moments = self.momentum[place.clone()].iter_mut().zip(&mut self.spread[place.clone()]);
            let weights = self.weights[place.clone()].iter_mut().zip(moments);
            for ((weight, (momentum, spread)), gradient) in weights.zip(&gradients[place.clone()]) {
                let gradient = gradient * clip;
                *momentum = MOMENTUM * *momentum + (1.0 - MOMENTUM) * gradient;
                *spread = SPREAD * *spread + (1.0 - SPREAD) * gradient * gradient;
                let step = (*momentum / first) / ((*spread / second).sqrt() + EPSILON);
                *weight -= rate * (step + decay * *weight);
            }
        }
        length
    }

    /// Writes the state beside the recipe that it belongs to; a reader sees the old file or the new one.
    pub fn save(&self, file: &Path, recipe: &str) -> anyhow::Result<()> {
        let parts = [("weights", &self.weights), ("momentum", &self.momentum), ("spread", &self.spread)];
        let parts = parts.map(|(name, numbers)| (name, floats_to_bytes(numbers)));
        let tensors =
            parts.iter().map(|(name, bytes)| Ok((*name, TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes)?)));
        let tensors: Vec<_> = tensors.collect::<Result<_, safetensors::SafeTensorError>>()?;
        let header = [(RECIPE.to_owned(), recipe.to_owned()), (STEP.to_owned(), self.step.to_string())];
        let bytes = safetensors::serialize(tensors, Some(HashMap::from(header)))?;
        let next = file.with_extension("next");
        std::fs::write(&next, bytes)
            .and_then(|()| std::fs::rename(&next, file))
            .with_context(|| file.display().to_string())
    }

    /// Reads a checkpoint, if there is one; that of another recipe is refused.
    pub fn load(file: &Path, recipe: &str, size: usize) -> anyhow::Result<Option<Self>> {
        let bytes = match std::fs::read(file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.with_context(|| file.display().to_string())?,
        };
        let (_, header) = SafeTensors::read_metadata(&bytes).context("the checkpoint is damaged")?;
        let header = header.metadata().clone().unwrap_or_default();
        let same = header.get(RECIPE).is_some_and(|found| found == recipe);
        ensure!(same, "{} belongs to a training with other options or data; delete it to begin anew", file.display());
        let step = header.get(STEP).context("the checkpoint has no step")?.parse()?;
        let tensors = SafeTensors::deserialize(&bytes)?;
        let read = |name: &str| -> anyhow::Result<Vec<f32>> {
            let numbers = floats(&tensors.tensor(name)?)?;
            ensure!(numbers.len() == size, "the checkpoint is of another network");
            Ok(numbers)
        };
        Ok(Some(Self { step, weights: read("weights")?, momentum: read("momentum")?, spread: read("spread")? }))
    }
}
