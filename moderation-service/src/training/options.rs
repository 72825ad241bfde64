//! What a training is done with: the options of `moderation-service train`.
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

/// The parts of a batch that are learned side by side: as many as a small machine has cores.
pub const SHARDS: usize = 2;

/// What a training is done with.
#[derive(Args, Clone, Debug, Serialize)]
pub struct Training {
    /// The folder of the base model: config.json, vocab.txt, model.safetensors
    #[arg(long)]
    #[serde(skip)]
    pub base: PathBuf,

    /// The folder of the labelled texts
    #[arg(long)]
    #[serde(skip)]
    pub data: PathBuf,

    /// The file to write; its checkpoint (.checkpoint) and its figures (.json) are written beside it
    #[arg(long)]
    #[serde(skip)]
    pub out: PathBuf,

    /// Texts that must not be learned, one per line, up to a tab
    #[arg(long)]
    #[serde(skip)]
    pub exclude: Option<PathBuf>,

    /// What all randomness depends on
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// How often every row is learned
    #[arg(long, default_value_t = 2.0)]
    pub epochs: f32,

    /// Rows per step
    #[arg(long, default_value_t = 48)]
    pub batch: usize,

    /// The highest learning rate
    #[arg(long, default_value_t = 1.5e-4)]
    pub rate: f32,

    /// Leaves out the functional templates, to see what they contribute
    #[arg(long)]
    pub without_templates: bool,

    /// Texts that moderators have decided: a table of texts and labels, which are heads of the model or clean
    #[arg(long)]
    #[serde(skip)]
    pub extra: Option<PathBuf>,

    /// The figures of a model that the new one must not fall behind; if it does, no model is written
    #[arg(long)]
    #[serde(skip)]
    pub gate: Option<PathBuf>,
}
