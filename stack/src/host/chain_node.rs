//! The development node of a chain, on which the post service's tests mint tokens: `anvil`, installed from npm into the target folder
//! where it is missing.

use std::fs;

use crate::host::{console, npm, programs};

/// What npm installs. The version is fixed, so that a test that passes today passes tomorrow.
const PACKAGE: &str = "@foundry-rs/anvil@1.7.1";

/// Whether there is one, installed here, where the tests of the post service look for it, or on the PATH.
fn is_there() -> bool {
    let packages = fs::read_dir(npm::modules("").join("@foundry-rs")).into_iter().flatten().flatten();
    packages.into_iter().any(|package| package.path().join("bin/anvil").is_file())
        || programs::on_path("anvil").is_some()
}

/// Installs it where it is missing. Without it the tests that need it are skipped, or fail where `CI` is set.
pub async fn provide() {
    if !is_there()
        && let Err(cause) = npm::install("", PACKAGE).await
    {
        console::info(format_args!("Tests that mint tokens are skipped: {cause:#}"));
    }
}
