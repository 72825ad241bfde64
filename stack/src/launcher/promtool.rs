//! The folder `observe/`, checked by Prometheus' own promtool: configuration, rules and their tests, and the queries of the
//! dashboards.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::host::shutdown::Shutdown;
use crate::host::{console, programs, workspace};

/// The checks of files as they are, from the folder of the configuration.
const CHECKS: [&[&str]; 3] =
    [&["check", "config", "prometheus.yml"], &["check", "config", "local.yml"], &["test", "rules", "tests.yml"]];

/// Whether all is well; none when there is no promtool here.
pub async fn check(shutdown: &mut Shutdown) -> Result<Option<bool>> {
    let Some(promtool) = programs::on_path("promtool") else { return Ok(None) };
    let observe = workspace::root().join("observe");
    let rules = as_rules(&queries(&observe.join("grafana/dashboards"))?)?;
    let rules = rules.path().to_string_lossy().into_owned();
    let dashboards: &[&str] = &["check", "rules", &rules];
    let mut passed = true;
    for (name, arguments) in
        CHECKS.map(|check| (check.join(" "), check)).into_iter().chain([("dashboards".into(), dashboards)])
    {
        console::info(format_args!("\n== watching: promtool, {name}"));
        let mut run = Command::new(&promtool);
        let run = run.args(arguments).current_dir(observe.join("prometheus")).stdin(Stdio::null());
        passed &= workspace::run(run, shutdown).await?.success();
    }
    Ok(Some(passed))
}

/// Every query of the dashboards in a folder, by file and panel.
fn queries(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut queries = Vec::new();
    for file in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = file?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let board: Value = serde_json::from_slice(&fs::read(&path)?).with_context(|| path.display().to_string())?;
        for panel in board["panels"].as_array().into_iter().flatten() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let expr = target["expr"]
                    .as_str()
                    .with_context(|| format!("{name}: {}: a target has no expr", panel["title"]))?;
                queries.push((format!("{name}: {}", panel["title"]), expr.to_owned()));
            }
        }
    }
    Ok(queries)
}

/// The queries as a file of rules, since that is what promtool reads. What Grafana puts in is put in.
fn as_rules(queries: &[(String, String)]) -> Result<tempfile::NamedTempFile> {
    let rule = |(place, expr): &(String, String)| {
        let expr = expr.replace("$__rate_interval", "1m").replace("$service", ".*").replace("$stream", ".*");
        // Two panels may have the same query; the place makes the rules different, and shows where a mistake is.
        json!({ "record": "query", "expr": expr, "labels": { "place": place, "query": expr } })
    };
    let rules: Vec<Value> = queries.iter().map(rule).collect();
    let mut file = tempfile::Builder::new().suffix(".yml").tempfile()?;
    // JSON is YAML.
    write!(file, "{}", json!({ "groups": [{ "name": "dashboards", "rules": rules }] }))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queries_of_a_dashboard_become_rules() {
        let folder = tempfile::tempdir().unwrap();
        let board = json!({ "panels": [
            { "title": "a row" },
            { "title": "requests", "targets": [{ "expr": "rate(x{service=~\"$service\"}[$__rate_interval])" }, { "expr": "up" }] },
        ] });
        fs::write(folder.path().join("board.json"), board.to_string()).unwrap();
        let queries = queries(folder.path()).unwrap();
        assert_eq!(queries.iter().map(|(place, _)| place.as_str()).collect::<Vec<_>>(), ["board: \"requests\""; 2]);
        let rules: Value = serde_json::from_slice(&fs::read(as_rules(&queries).unwrap().path()).unwrap()).unwrap();
        let rules = &rules["groups"][0]["rules"];
        assert_eq!(rules[0]["expr"], "rate(x{service=~\".*\"}[1m])");
        assert_eq!(rules[1]["expr"], "up");
    }
}
