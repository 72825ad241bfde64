//! Perspective's API as its users have it: Google's client library for Python, unchanged, against the moderation service.
//!
//! The journey needs `python3` with `venv` (Debian: `python3-venv`) and `PyPI`, from which it installs the pinned library into the
//! platform's own folder.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::platform::Platform;

/// The place of the moderation service in the table.
const MODERATION: u16 = 3;

/// Runs a program to its end; what it wrote.
fn run(program: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("{} cannot be run: this journey needs it", program.display()))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} {arguments:?}: {errors}", program.display());
    Ok(String::from_utf8(output.stdout)?)
}

#[tokio::test]
async fn googles_client_library_runs_unchanged() -> Result<()> {
    let mut platform = Platform::up(&["--set", "moderation-service.PERSPECTIVE_KEYS=forum=a-key"]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journey");
    let (environment, file) = (platform.data().join("python"), |name: &str| folder.join(name).display().to_string());
    run(Path::new("python3"), &["-m", "venv", &environment.display().to_string()])?;
    let python = environment.join("bin/python");
    run(&python, &["-m", "pip", "install", "--quiet", "--no-deps", "--requirement", &file("perspective.txt")])?;

    let said = run(&python, &[&file("perspective.py"), &platform.url(0, MODERATION), "a-key"])?;
    let said: Value = serde_json::from_str(&said)?;
    let refused = |name: &str| (said[name]["status"].as_u64(), said[name]["reason"].as_str().unwrap_or_default());
    let error_type = |name: &str| said[name]["details"][0]["errorType"].clone();
    let answer = &said["analyze"]["answer"];
    for attribute in ["TOXICITY", "INSULT"] {
        let scores = &answer["attributeScores"][attribute];
        let summary = scores["summaryScore"]["value"].as_f64().with_context(|| format!("a score: {said}"))?;
        ensure!((0.0..=1.0).contains(&summary), "{said}");
        let places: Vec<_> = scores["spanScores"].as_array().context("spans")?.iter().collect();
        let places: Vec<_> = places.iter().map(|span| (span["begin"].as_u64(), span["end"].as_u64())).collect();
        assert_eq!(places, [(Some(0), Some(31)), (Some(32), Some(56))], "{said}");
    }
    assert_eq!((&answer["clientToken"], &answer["languages"]), (&json!("t"), &json!(["en"])));
    ensure!(answer["model_version"].as_str().is_some_and(|version| version.starts_with("text-")), "{said}");
    assert_eq!(refused("unknown"), (Some(400), "Unknown requested attribute: FLIRTATION"), "{said}");
    assert_eq!(refused("empty"), (Some(400), "Comment must be non-empty."), "{said}");
    assert_eq!(error_type("empty"), "COMMENT_EMPTY", "{said}");
    assert_eq!(said["suggest"]["answer"]["clientToken"], "comment-53922", "{said}");
    assert_eq!(refused("stranger"), (Some(400), "API key not valid. Please pass a valid API key."), "{said}");
    platform.stop();
    Ok(())
}
