//! What every page stands on: settings, logs, files, and small words.
pub mod assets;
pub mod log;
pub mod pictures;
pub mod returns;
pub mod settings;
pub mod shutdown;
pub mod words;
