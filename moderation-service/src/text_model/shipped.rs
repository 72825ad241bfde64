//! The model that is part of the service.
//!
//! Its file is inside the binary: so a container from scratch, `cargo run` and a copied binary read texts with the same model and
//! without a setting, and code and model cannot be of different versions. That costs 23 MB of a binary, whose pages the system
//! drops again once the model is unpacked. A file of another model can be named instead.
use std::path::Path;

use super::kernel::packed::InstructionSet;
use super::mini_lm::MiniLm;

/// The file, as `train` wrote it.
static FILE: &[u8] = include_bytes!("../../model/text.safetensors");

/// The model of a file, or the shipped one.
pub fn open(file: Option<&Path>) -> anyhow::Result<MiniLm> {
    match file {
        Some(file) => MiniLm::open(file),
        None => MiniLm::new(FILE, InstructionSet::best()),
    }
}

#[cfg(test)]
mod tests;
