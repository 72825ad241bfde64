//! The training of the text model: `moderation-service train` fine-tunes a base model on labelled texts and writes the model's file.
//!
//! It belongs to the cargo feature `train`, because the service needs none of it. The same seed, data and base give the same
//! weights, whether or not the training was interrupted: every random number depends on the seed and the step alone, a batch is
//! always learned in [`SHARDS`] parts, and the state is saved every [`SAVE_EVERY`] steps.
mod base;
mod classes;
mod data;
mod dice;
mod evasions;
mod export;
mod figures;
mod gate;
mod layout;
mod network;
mod operations;
mod optimiser;
mod options;
mod report;
mod statistics;
mod templates;

#[cfg(test)]
mod tests;

use std::io::IsTerminal;
use std::time::Instant;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use self::base::BaseModel;
use self::data::{Example, Examples};
use self::dice::Dice;
use self::network::Network;
use self::operations::Rows;
use self::optimiser::{Plan, Progress};
use self::options::SHARDS;
pub use self::options::Training;
use crate::text_model::cleaner::clean;
use crate::text_model::math::{sigmoid, softmax};
use crate::text_model::wordpiece::Tokenizer;
use crate::text_model::{HEADS, OUTPUTS};

/// Steps between two checkpoints: some minutes.
const SAVE_EVERY: usize = 100;
/// Rows whose lengths are sorted together, in batches: enough that a batch has texts of one length.
const SORTED_TOGETHER: usize = 32;
/// How far targets are from certainty.
const SMOOTHING: f32 = 0.02;
/// How much Davidson's three classes count beside the heads.
const CLASSES_WEIGHT: f32 = 0.8;
/// The share of activations that a step leaves out.
const DROPOUT: f32 = 0.1;

/// A text as tokens, and the number of its row.
type Item = (Vec<u32>, usize);

/// Trains, and writes the model and its figures.
pub fn run(training: &Training) -> anyhow::Result<()> {
    let started = Instant::now();
    let before = training.gate.as_deref().map(gate::read).transpose()?;
    let base = BaseModel::read(&training.base, DROPOUT, training.seed).context("the base model")?;
    let tokenizer = Tokenizer::new(&base.vocabulary)?;
    let examples = Examples::read(training)?;
    let Examples { excluded, everyday, repeated, .. } = &examples;
    eprintln!("{} rows; {excluded} excluded, {everyday} everyday, {repeated} repeated", examples.rows.len());
    let recipe = serde_json::json!({ "options": training, "base": base.hash, "files": examples.files }).to_string();
    let batches = batches(training, &examples, &tokenizer, base.longest_learned());
    eprintln!("{} steps", batches.len());
    let plan = Plan {
        steps: batches.len(),
        rate: training.rate,
        matrices: base.network.layout.matrices(),
        heads_from: base.network.layout.heads.start,
    };
    let checkpoint = training.out.with_extension("checkpoint");
    let state = Progress::load(&checkpoint, &recipe, base.weights.len())?;
    let mut state = state.unwrap_or_else(|| Progress::new(base.weights.clone()));
    learn(
        &base.network,
        &mut state,
        &plan,
        &batches,
        &examples.rows,
        |state| state.save(&checkpoint, &recipe),
        training.seed,
    )?;
    state.save(&checkpoint, &recipe)?;
    report::finish(training, &base, &examples, &state, &recipe, (before.as_ref(), started))
}

/// The batches of all epochs.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few thousand batches"
)]
fn batches(training: &Training, examples: &Examples, tokenizer: &Tokenizer, longest: usize) -> Vec<Vec<Item>> {
    let mut batches = Vec::new();
    let mut left = training.epochs;
    for epoch in 0.. {
        if left <= 0.0 {
            break;
        }
        let mut items: Vec<Item> = examples
            .epoch(Dice::new(&[training.seed, 3, epoch]))
            .into_iter()
            .map(|(text, row)| (tokens(&text, tokenizer, longest), row))
            .collect();
        let mut of_epoch = Vec::new();
        for together in items.chunks_mut(training.batch * SORTED_TOGETHER) {
            together.sort_by_key(|(tokens, _)| tokens.len());
            of_epoch.extend(together.chunks(training.batch).map(<[Item]>::to_vec));
        }
        Dice::new(&[training.seed, 4, epoch]).shuffle(&mut of_epoch);
        let count = of_epoch.len() as f32 * left.min(1.0);
        of_epoch.truncate(count.round() as usize);
        batches.extend(of_epoch);
        left -= 1.0;
    }
    batches
}

/// A text as the network learns it, cut at its longest.
fn tokens(text: &str, tokenizer: &Tokenizer, longest: usize) -> Vec<u32> {
    let mut tokens = vec![tokenizer.start];
    tokens.extend(tokenizer.encode(&clean(text)).into_iter().take(longest - 2));
    tokens.push(tokenizer.end);
    tokens
}

/// Learns the batches that are left.
fn learn(
    network: &Network,
    state: &mut Progress,
    plan: &Plan,
    batches: &[Vec<Item>],
    rows: &[Example],
    save: impl Fn(&Progress) -> anyhow::Result<()>,
    seed: u64,
) -> anyhow::Result<()> {
    let bar = ProgressBar::new(plan.steps as u64).with_position(state.step as u64);
    bar.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} steps, {eta} left, loss {msg}")?);
    let mut gradients = vec![vec![0.0; state.weights.len()]; SHARDS];
    let mut average = None;
    while let Some(batch) = batches.get(state.step) {
        let loss = gradients_of(network, &state.weights, batch, rows, (seed, state.step), &mut gradients);
        let (total, parts) = gradients.split_first_mut().context("a batch has parts")?;
        for part in parts {
            total.iter_mut().zip(part.iter()).for_each(|(total, value)| *total += value);
        }
        state.learn(total, plan);
        anyhow::ensure!(loss.is_finite(), "the loss of step {} is no number", state.step);
        let smooth = average.map_or(loss, |average: f32| 0.98 * average + 0.02 * loss);
        average = Some(smooth);
        bar.set_message(format!("{smooth:.4}"));
        bar.inc(1);
        if state.step.is_multiple_of(SAVE_EVERY) {
            save(state)?;
            if !std::io::stderr().is_terminal() {
                eprintln!("step {} of {}: loss {smooth:.4}", state.step, plan.steps);
            }
        }
    }
    bar.finish();
    Ok(())
}

/// The loss of a batch; its parts' gradients replace those that are there.
#[expect(clippy::cast_precision_loss, reason = "a batch has some dozen rows")]
fn gradients_of(
    network: &Network,
    weights: &[f32],
    batch: &[Item],
    rows: &[Example],
    (seed, step): (u64, usize),
    gradients: &mut [Vec<f32>],
) -> f32 {
    std::thread::scope(|scope| {
        let parts = gradients.iter_mut().enumerate().map(|(shard, gradients)| {
            scope.spawn(move || {
                gradients.fill(0.0);
                let part: Vec<&Item> = batch.iter().skip(shard).step_by(SHARDS).collect();
                if part.is_empty() {
                    return 0.0;
                }
                let texts: Vec<&[u32]> = part.iter().map(|(tokens, _)| tokens.as_slice()).collect();
                let truths: Vec<&Example> = part.iter().map(|(_, row)| &rows[*row]).collect();
                let slopes = |outputs: &Rows| loss(outputs, &truths, 1.0 / batch.len() as f32);
                network.learn(weights, &texts, slopes, Dice::new(&[seed, 5, step as u64, shard as u64]), gradients)
            })
        });
        let parts: Vec<_> = parts.collect();
        // A panic of a part is the training's.
        parts.into_iter().map(|part| part.join().unwrap_or(f32::NAN)).sum()
    })
}

/// The loss of outputs, and its slopes: cross entropy of every head that the row says something about, and of the classes.
#[expect(clippy::cast_precision_loss, reason = "three classes")]
fn loss(outputs: &Rows, truths: &[&Example], scale: f32) -> (f32, Rows) {
    let (mut loss, mut slopes) = (0.0, Rows::zeros(outputs.raw_dim()));
    for ((outputs, mut slopes), truth) in outputs.rows().into_iter().zip(slopes.rows_mut()).zip(truths) {
        for (head, (target, weight)) in truth.targets.iter().enumerate() {
            let (said, target) = (sigmoid(outputs[head]), target * (1.0 - SMOOTHING) + SMOOTHING / 2.0);
            let cross = target * said.max(1e-7).ln() + (1.0 - target) * (1.0 - said).max(1e-7).ln();
            loss -= scale * weight * cross;
            slopes[head] = scale * weight * (said - target);
        }
        if let Some((class, weight)) = truth.class {
            let mut said: Vec<f32> = (HEADS..OUTPUTS).map(|output| outputs[output]).collect();
            softmax(&mut said);
            let weight = scale * CLASSES_WEIGHT * weight;
            let even = SMOOTHING / said.len() as f32;
            for (place, said) in said.iter().enumerate() {
                let target = even + if place == class { 1.0 - SMOOTHING } else { 0.0 };
                loss -= weight * target * said.max(1e-7).ln();
                slopes[HEADS + place] = weight * (said - target);
            }
        }
    }
    (loss, slopes)
}
