//! The gateway's configuration, filled in as the official image of nginx does it with `envsubst`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The end of the name of a file that is filled in.
const TEMPLATE: &str = ".template";
/// The beginning of a variable that is one of ours; nginx has variables of its own.
const OURS: &str = "${GATEWAY_";

/// The settings of a file of `NAME=value` lines.
pub fn defaults(file: &Path) -> Result<BTreeMap<String, String>> {
    let lines = read(file)?;
    let pairs = lines.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Every file of the templates under the name that it gets, filled in.
pub fn fill(templates: &Path, settings: &BTreeMap<String, String>) -> Result<Vec<(PathBuf, String)>> {
    let mut filled = Vec::new();
    for path in files(templates)? {
        let inside = path.strip_prefix(templates)?;
        let Some(name) = inside.to_string_lossy().strip_suffix(TEMPLATE).map(PathBuf::from) else { continue };
        let text = substitute(&read(&path)?, settings).with_context(|| path.display().to_string())?;
        filled.push((name, text));
    }
    Ok(filled)
}

fn substitute(text: &str, settings: &BTreeMap<String, String>) -> Result<String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(OURS) {
        let (before, variable) = rest.split_at(at);
        let end = variable.find('}').context("a variable does not end")?;
        let name = &variable["${".len()..end];
        filled.push_str(before);
        filled.push_str(settings.get(name).with_context(|| format!("there is no setting {name}"))?);
        rest = &variable[end + 1..];
    }
    filled.push_str(rest);
    Ok(filled)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() { files.extend(self::files(&path)?) } else { files.push(path) }
    }
    Ok(files)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::workspace;

    #[test]
    fn settings_are_filled_in_and_variables_of_nginx_stay() {
        let settings = BTreeMap::from([("GATEWAY_RUN".to_owned(), "/run".to_owned())]);
        let filled = substitute("pid ${GATEWAY_RUN}/pid; set $a ${b}$GATEWAY;", &settings).unwrap();
        assert_eq!(filled, "pid /run/pid; set $a ${b}$GATEWAY;");
        let error = substitute("${GATEWAY_NO}", &settings).unwrap_err().to_string();
        assert_eq!(error, "there is no setting GATEWAY_NO");
    }

    #[test]
    fn every_setting_has_a_default_and_a_use_and_is_explained() {
        let place = workspace::root().join("gateway");
        let settings = defaults(&place.join("gateway.env")).unwrap();
        let readme = read(&place.join("README.md")).unwrap();
        let texts: Vec<_> = files(&place.join("templates")).unwrap().iter().map(|path| read(path).unwrap()).collect();
        for name in settings.keys() {
            let variable = format!("${{{name}}}");
            assert!(texts.iter().any(|text| text.contains(&variable)), "{name} is not used");
            assert!(readme.contains(&format!("`{name}`")), "{name} is not explained");
        }
        // A setting without a default would be an error.
        let filled = fill(&place.join("templates"), &settings).unwrap();
        assert!(filled.iter().any(|(path, _)| path == Path::new("http/server.conf")), "{filled:?}");
    }
}
