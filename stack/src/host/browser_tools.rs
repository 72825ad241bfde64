//! What the tests of pages need of this machine: Chromium with its driver, from the system's packages, and `axe`, which finds what
//! keeps people from using a page, from npm.

use crate::host::programs::{self, Program};
use crate::host::{console, npm};

/// What npm installs. It is run by tests and is part of nothing that is shipped.
const AXE: &str = "axe-core@4.14.1";

/// Installs what is missing of them. Without them the tests of pages are skipped, or fail where `CI` is set.
pub async fn provide() {
    if let Err(cause) = programs::provide(&[Program::Chromium, Program::ChromeDriver]).await {
        return console::info(format_args!("Tests in a browser are skipped: {cause:#}"));
    }
    if !npm::modules("axe").join("axe-core/axe.min.js").is_file()
        && let Err(cause) = npm::install("axe", AXE).await
    {
        console::info(format_args!("Tests in a browser are skipped: {cause:#}"));
    }
}
