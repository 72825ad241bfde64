//! How a model becomes a file, which only its training does.
use std::borrow::Cow;
use std::collections::HashMap;

use safetensors::tensor::Dtype;

use super::{Artefact, DESCRIPTION, Norm, Quantised, quantise};

impl Quantised {
    /// The nearest 8-bit matrix: the largest number of a row becomes 127.
    pub fn new(weights: &[f32], columns: usize) -> Self {
        let mut values = vec![0; weights.len()];
        let rows = weights.chunks_exact(columns).zip(values.chunks_exact_mut(columns));
        let scales = rows.map(|(row, into)| quantise(row, into)).collect();
        Self { columns, values, scales }
    }
}

/// A tensor that is on its way into a file.
struct Stored<'a>(Dtype, Vec<usize>, Cow<'a, [u8]>);

impl safetensors::View for Stored<'_> {
    fn dtype(&self) -> Dtype {
        self.0
    }
    fn shape(&self) -> &[usize] {
        &self.1
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.2)
    }
    fn data_len(&self) -> usize {
        self.2.len()
    }
}

/// Numbers as the bytes of a file.
pub fn floats_to_bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

impl Artefact {
    /// The bytes of its file: the same ones for the same model.
    pub fn to_bytes(&self) -> anyhow::Result<Vec<u8>> {
        let mut tensors = vec![("vocabulary".to_owned(), bytes(Dtype::U8, self.vocabulary.as_bytes().into()))];
        put_matrix(&mut tensors, "words", &self.words);
        put(&mut tensors, "positions", &self.positions);
        put_norm(&mut tensors, "norm", &self.norm);
        for (number, layer) in self.layers.iter().enumerate() {
            let name = |part: &str| format!("layers.{number}.{part}");
            for (part, affine) in [("qkv", &layer.qkv), ("out", &layer.out), ("up", &layer.up), ("down", &layer.down)] {
                put_matrix(&mut tensors, &name(part), &affine.matrix);
                put(&mut tensors, &format!("{}.bias", name(part)), &affine.bias);
            }
            put_norm(&mut tensors, &name("norm1"), &layer.norm1);
            put_norm(&mut tensors, &name("norm2"), &layer.norm2);
        }
        put(&mut tensors, "heads", &self.heads);
        put(&mut tensors, "heads.bias", &self.heads_bias);
        let header = HashMap::from([(DESCRIPTION.to_owned(), serde_json::to_string(&self.description)?)]);
        Ok(safetensors::serialize(tensors, Some(header))?)
    }
}

fn bytes(kind: Dtype, data: Cow<'_, [u8]>) -> Stored<'_> {
    Stored(kind, vec![data.len()], data)
}

fn put(tensors: &mut Vec<(String, Stored<'_>)>, name: &str, numbers: &[f32]) {
    tensors.push((name.to_owned(), Stored(Dtype::F32, vec![numbers.len()], floats_to_bytes(numbers).into())));
}

fn put_norm(tensors: &mut Vec<(String, Stored<'_>)>, name: &str, norm: &Norm) {
    put(tensors, name, &norm.scale);
    put(tensors, &format!("{name}.bias"), &norm.bias);
}

fn put_matrix(tensors: &mut Vec<(String, Stored<'_>)>, name: &str, matrix: &Quantised) {
    let data: Vec<u8> = matrix.values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let shape = vec![matrix.scales.len(), matrix.columns];
    tensors.push((name.to_owned(), Stored(Dtype::I8, shape, data.into())));
    put(tensors, &format!("{name}.scale"), &matrix.scales);
}
