//! `docs/benchmarks.md`: a section per bench, each replaced by the next run of its bench and by nothing else.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::host::workspace;
use crate::servers::folder::read_if_there;

/// How the document begins.
const HEAD: &str = "# Benchmarks

What the platform does on one machine, with its servers and the load beside it. Each section is written by its own command
and names the machine; figures of two machines, or of a busy and an idle one, say nothing about each other.
";
/// What a section begins with.
const SECTION: &str = "## ";

/// Puts a section into the document, in place of the one with the same title; says where the document is.
pub fn write(section: &str) -> Result<PathBuf> {
    let path = workspace::root().join("docs/benchmarks.md");
    write_to(&path, section).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}

fn write_to(path: &Path, section: &str) -> Result<()> {
    let document = read_if_there(path)?;
    Ok(fs::write(path, replace(document.as_deref().unwrap_or(HEAD), section))?)
}

/// The document with this section instead of the one with the same title, or behind all others.
fn replace(document: &str, section: &str) -> String {
    let title = |section: &str| section.lines().next().map(str::to_owned);
    let mut parts: Vec<String> = vec![String::new()];
    for line in document.lines() {
        if line.starts_with(SECTION) {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
    match parts.iter_mut().skip(1).find(|part| title(part) == title(section)) {
        Some(old) => section.clone_into(old),
        None => parts.push(section.to_owned()),
    }
    let parts: Vec<&str> = parts.iter().map(|part| part.trim_end()).collect();
    parts.join("\n\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_replaces_its_former_self_and_leaves_the_others() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("benchmarks.md");
        write_to(&path, "## Events\n\nold\n\n### Part\n\nold too\n").unwrap();
        write_to(&path, "## Graph\n\nkept\n").unwrap();
        write_to(&path, "## Events\n\nnew\n").unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), format!("{HEAD}\n## Events\n\nnew\n\n## Graph\n\nkept\n"));
    }
}
