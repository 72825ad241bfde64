//! The registry of models: which are loaded, from where on their scores mean something, the figures of their trainings, and what came
//! of what they have read.
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::models::{ModelCount, ShadowCount};
use super::schemas::{ModelCountOut, ShadowCountOut};
use crate::text_model::{Head, TextModel};

/// The figures of the shipped text model, as its training wrote them.
const SHIPPED: &str = include_str!("../../model/figures.json");

/// What a model is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ModelRole {
    /// It reads texts, and policies judge by it
    Text,
    /// It reads texts beside the other one, without consequences
    Shadow,
    /// It looks at pictures
    Image,
}

/// A model that is loaded.
#[derive(Clone, Debug)]
pub struct LoadedModel {
    pub version: String,
    pub role: ModelRole,
    /// By head: from where on it labels, and hides; none of an image model, whose thresholds are those of rules.
    pub thresholds: Option<Value>,
    /// What its training has reached, as that wrote it; none where there is no such file beside the model.
    pub figures: Option<Box<RawValue>>,
}

/// The part of a training's report that is shown, and by which the report is known to be that of a model.
#[derive(Deserialize)]
struct FiguresFile {
    model_sha256: String,
    figures: Box<RawValue>,
}

/// The figures of a report, where it is that of a model with this version: its version has the beginning of its hash.
fn figures(report: &str, version: &str) -> Option<Box<RawValue>> {
    let report: FiguresFile = serde_json::from_str(report).ok()?;
    let hash = version.rsplit('-').next().filter(|hash| hash.len() >= 12)?;
    report.model_sha256.starts_with(hash).then_some(report.figures)
}

impl LoadedModel {
    /// A text model; `file` is its file, where it is not the shipped one: `train` writes its report beside it.
    pub fn text(model: &dyn TextModel, role: ModelRole, file: Option<&Path>) -> Self {
        let version = model.version().to_owned();
        let report = file
            .map_or_else(|| Some(SHIPPED.to_owned()), |file| std::fs::read_to_string(file.with_extension("json")).ok());
        let of_head = |head: &Head| {
            let calibration = &model.calibrations()[*head as usize];
            let [label, hide] = [Some(calibration.label), calibration.hide].map(|from| from.map(rounded));
            (head.name().to_owned(), json!({ "label": label, "hide": hide }))
        };
        let thresholds: Map<String, Value> = Head::ALL.iter().map(of_head).collect();
        let figures = report.and_then(|report| figures(&report, &version));
        Self { version, role, thresholds: Some(Value::Object(thresholds)), figures }
    }

    /// An image model.
    pub fn image(version: String) -> Self {
        Self { version, role: ModelRole::Image, thresholds: None, figures: None }
    }
}

/// A text model, and its file where it is not the shipped one.
type ModelAndFile<'a> = (Option<&'a dyn TextModel>, Option<&'a Path>);

/// The models that are loaded, the one that policies judge by first.
#[derive(Clone, Debug)]
pub struct LoadedModels(Arc<[LoadedModel]>);

impl LoadedModels {
    /// The text model, the one in shadow, and the version of the image model.
    pub fn new(text: ModelAndFile<'_>, shadow: ModelAndFile<'_>, image: Option<String>) -> Self {
        let read = |(model, file): ModelAndFile<'_>, role| model.map(|model| LoadedModel::text(model, role, file));
        let texts = [read(text, ModelRole::Text), read(shadow, ModelRole::Shadow)];
        Self(texts.into_iter().flatten().chain(image.map(LoadedModel::image)).collect())
    }

    /// The version of the image model that looks at pictures; none: there is none.
    pub fn image(&self) -> Option<String> {
        self.0.iter().find(|model| model.role == ModelRole::Image).map(|model| model.version.clone())
    }
}

/// A model that reads texts or looks at pictures
#[derive(Serialize, ToSchema)]
pub struct ModelOut {
    pub version: String,
    /// What it is loaded for; null: it is not loaded, and has read before
    #[schema(inline)]
    pub role: Option<ModelRole>,
    /// By head of a text model: from where on it labels (`label`), and may hide (`hide`, null: never)
    #[schema(value_type = Option<Object>)]
    pub thresholds: Option<Value>,
    /// What its training has reached on the dev split; null: there is no report of it beside its file
    #[schema(value_type = Option<Object>)]
    pub figures: Option<Box<RawValue>>,
    /// What it has read, and what came of it; null: nothing in this time
    pub work: Option<ModelCountOut>,
    /// What it has read in shadow, beside each other model
    pub in_shadow: Vec<ShadowCountOut>,
}

impl ModelOut {
    /// Those that are loaded, and then the others that have read, by their versions.
    pub fn list(loaded: &LoadedModels, counts: Vec<ModelCount>, shadows: Vec<ShadowCount>) -> Vec<Self> {
        let mut models: Vec<Self> = loaded.0.iter().map(Self::loaded).collect();
        for count in counts {
            let version = count.model_version.clone();
            Self::of(&mut models, &version).work = Some(count.into());
        }
        for shadow in shadows {
            let version = shadow.shadow_version.clone();
            Self::of(&mut models, &version).in_shadow.push(shadow.into());
        }
        models
    }

    fn loaded(model: &LoadedModel) -> Self {
        let LoadedModel { version, role, thresholds, figures } = model.clone();
        Self { version, role: Some(role), thresholds, figures, work: None, in_shadow: Vec::new() }
    }

    /// The model of a version, which is added where it is not among them.
    fn of<'a>(models: &'a mut Vec<Self>, version: &str) -> &'a mut Self {
        let place = models.iter().position(|model| model.version == version).unwrap_or_else(|| {
            let (role, thresholds, figures, work) = (None, None, None, None);
            models.push(Self { version: version.to_owned(), role, thresholds, figures, work, in_shadow: Vec::new() });
            models.len() - 1
        });
        &mut models[place]
    }
}

/// A threshold to six digits, which is what it was written with.
fn rounded(threshold: f32) -> f64 {
    (f64::from(threshold) * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_very_model() {
        let report = json!({ "model_sha256": "0123456789abcdef", "figures": { "identity_gap": 0.1 } }).to_string();
        let found = figures(&report, "text-0123456789ab").unwrap();
        assert_eq!(found.get(), r#"{"identity_gap":0.1}"#);
        for other in ["text-0123456789ac", "text-0123", "words-1", ""] {
            assert!(figures(&report, other).is_none(), "{other}");
        }
        assert!(figures("{}", "text-0123456789ab").is_none());
    }
}
