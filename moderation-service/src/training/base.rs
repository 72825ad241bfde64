//! The base model as Hugging Face publishes it: `config.json`, `vocab.txt` and `model.safetensors` of a BERT encoder.
use std::path::Path;

use anyhow::{Context, ensure};
use safetensors::SafeTensors;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::dice::Dice;
use super::layout::Layout;
use super::network::{Embeddings, Network};
use crate::text_model::artefact::{Dimensions, floats};
use crate::text_model::hex;

/// The longest piece of text that the model reads, in tokens; the base model knows 512.
const POSITIONS: usize = 128;
/// The longest text that is learned, in tokens.
const LONGEST: usize = 64;
/// The spread of the new heads' first weights.
const HEAD_SPREAD: f32 = 0.02;

/// What is read of the configuration.
#[derive(Deserialize)]
struct Config {
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    max_position_embeddings: usize,
    vocab_size: usize,
    hidden_act: String,
}

/// A base model with new heads.
pub struct BaseModel {
    pub network: Network,
    pub weights: Vec<f32>,
    pub vocabulary: String,
    /// The SHA-256 of its weights' file.
    pub hash: String,
}

impl BaseModel {
    /// How many tokens of a text are learned at most.
    pub fn longest_learned(&self) -> usize {
        LONGEST.min(self.network.dimensions.positions)
    }

    /// Reads a folder; the heads are drawn by the seed.
    pub fn read(folder: &Path, dropout: f32, seed: u64) -> anyhow::Result<Self> {
        let open =
            |name: &str| std::fs::read(folder.join(name)).with_context(|| folder.join(name).display().to_string());
        let config: Config = serde_json::from_slice(&open("config.json")?).context("config.json")?;
        ensure!(config.hidden_act == "gelu", "the activation {} is not GELU", config.hidden_act);
        let dimensions = Dimensions {
            width: config.hidden_size,
            inner: config.intermediate_size,
            layers: config.num_hidden_layers,
            heads: config.num_attention_heads,
            positions: config.max_position_embeddings.min(POSITIONS),
            words: config.vocab_size,
        };
        dimensions.check()?;
        let file = open("model.safetensors")?;
        let tensors = SafeTensors::deserialize(&file).context("model.safetensors")?;
        let read = |name: String, length: usize| -> anyhow::Result<Vec<f32>> {
            let mut numbers = floats(&tensors.tensor(&name)?).with_context(|| name.clone())?;
            ensure!(numbers.len() >= length, "{name} has {} numbers and not {length}", numbers.len());
            numbers.truncate(length);
            Ok(numbers)
        };
        let (width, inner) = (dimensions.width, dimensions.inner);
        let embedding = |name: &str, length| read(format!("embeddings.{name}"), length);
        let mut positions = embedding("position_embeddings.weight", dimensions.positions * width)?;
        let segment = embedding("token_type_embeddings.weight", width)?;
        for position in positions.chunks_exact_mut(width) {
            position.iter_mut().zip(&segment).for_each(|(value, segment)| *value += segment);
        }
        let embeddings = Embeddings {
            words: embedding("word_embeddings.weight", dimensions.words * width)?,
            positions,
            norm: embedding("LayerNorm.weight", width)?,
            norm_bias: embedding("LayerNorm.bias", width)?,
        };
        let layout = Layout::new(&dimensions);
        let mut weights = vec![0.0; layout.size];
        for (number, places) in layout.layers.iter().enumerate() {
            let part = |name: &str, length| read(format!("encoder.layer.{number}.{name}"), length);
            let joined = |kind: &str, length: usize| -> anyhow::Result<Vec<f32>> {
                let parts =
                    ["query", "key", "value"].map(|name| part(&format!("attention.self.{name}.{kind}"), length));
                Ok(parts.into_iter().collect::<anyhow::Result<Vec<_>>>()?.concat())
            };
            let mut put =
                |place: &std::ops::Range<usize>, numbers: Vec<f32>| weights[place.clone()].copy_from_slice(&numbers);
            put(&places.qkv, joined("weight", width * width)?);
            put(&places.qkv_bias, joined("bias", width)?);
            put(&places.out, part("attention.output.dense.weight", width * width)?);
            put(&places.out_bias, part("attention.output.dense.bias", width)?);
            put(&places.norm1, part("attention.output.LayerNorm.weight", width)?);
            put(&places.norm1_bias, part("attention.output.LayerNorm.bias", width)?);
            put(&places.up, part("intermediate.dense.weight", inner * width)?);
            put(&places.up_bias, part("intermediate.dense.bias", inner)?);
            put(&places.down, part("output.dense.weight", width * inner)?);
            put(&places.down_bias, part("output.dense.bias", width)?);
            put(&places.norm2, part("output.LayerNorm.weight", width)?);
            put(&places.norm2_bias, part("output.LayerNorm.bias", width)?);
        }
        let mut dice = Dice::new(&[seed, 2]);
        for weight in &mut weights[layout.heads.clone()] {
            // The sum of four even numbers is near enough to a bell.
            *weight = (0..4).map(|_| dice.unit() - 0.5).sum::<f32>() * 1.7 * HEAD_SPREAD;
        }
        let vocabulary = String::from_utf8(open("vocab.txt")?).context("vocab.txt")?;
        let network = Network { dimensions, layout, embeddings, dropout };
        Ok(Self { network, weights, vocabulary, hash: hex(&Sha256::digest(&file)) })
    }
}
