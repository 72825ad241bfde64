//! `docs/benchmarks.md`: a section per benchmark, each replaced by the next run of its benchmark and by nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::host::workspace;

/// What a section begins with.
const SECTION: &str = "## ";

/// Puts a section into the document, in place of the one with the same title; the path of the document.
pub fn write(section: &str) -> Result<PathBuf> {
    let path = workspace::root().join("docs/benchmarks.md");
    write_to(&path, section).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}

fn write_to(path: &Path, section: &str) -> Result<()> {
    Ok(fs::write(path, replace(&fs::read_to_string(path)?, section))?)
}

/// The document with this section instead of the one with the same title, or behind all others.
fn replace(document: &str, section: &str) -> String {
    let title = section.lines().next();
    let (head, sections) = document.split_once(SECTION).unwrap_or((document, ""));
    let separator = format!("\n{SECTION}");
    let sections = sections.split(&separator).filter(|old| !old.is_empty());
    let mut parts: Vec<String> = sections.map(|old| format!("{SECTION}{}", old.trim_end())).collect();
    match parts.iter_mut().find(|part| part.lines().next() == title) {
        Some(old) => section.trim_end().clone_into(old),
        None => parts.push(section.trim_end().to_owned()),
    }
    format!("{}\n\n{}\n", head.trim_end(), parts.join("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_replaces_its_former_self_and_leaves_the_others() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("benchmarks.md");
        fs::write(&path, "# Benchmarks\n\nText.\n").unwrap();
        write_to(&path, "## Events\n\nold\n\n### Part\n\nold too\n").unwrap();
        write_to(&path, "## Graph\n\nkept\n").unwrap();
        write_to(&path, "## Events\n\nnew\n").unwrap();
        assert_eq!(
            fs::read_to_string(path).unwrap(),
            "# Benchmarks\n\nText.\n\n## Events\n\nnew\n\n## Graph\n\nkept\n"
        );
    }
}
