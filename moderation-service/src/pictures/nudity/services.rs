//! Which image model is loaded.
use std::path::PathBuf;

use clap::Args;

/// Which model looks at pictures.
#[derive(Args, Clone, Debug)]
pub struct NuditySettings {
    /// The ONNX file of a model that says how likely a picture shows nudity, of Open-NSFW's shape; without one no picture is looked at
    #[arg(long, env = "MODERATION_IMAGE_MODEL")]
    pub moderation_image_model: Option<PathBuf>,
}
