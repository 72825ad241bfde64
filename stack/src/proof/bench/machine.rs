//! The machine that figures come from, and what ran on it: without them a figure means nothing.

use std::fs;
use std::process::Stdio;

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::host::workspace;
use crate::proof::bench::database::ask;
use crate::proof::bench::platform::MeasuredPlatform;

/// This machine and the servers of a platform, as the head of a report.
pub async fn describe(platform: &MeasuredPlatform<'_>, prebuilt: bool) -> Result<String> {
    let (postgres, date): (String, String) =
        ask("select split_part(current_setting('server_version'), ' ', 1), to_char(now(), 'YYYY-MM-DD')")
            .fetch_one(&platform.tables)
            .await?;
    let redis = platform.redis().await?.version().await?;
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "processor not known".to_owned());
    let cores = std::thread::available_parallelism().context("the processors cannot be counted")?;
    let memory = memory(field("/proc/meminfo", "MemTotal").as_deref());
    let system = output("uname", &["-sr"]).await;
    let build = if prebuilt { "an earlier release build; the sources are at" } else { "release build of" };
    let commit = output("git", &["describe", "--always", "--dirty"]).await;
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    Ok(format!(
        "Machine: {processor}, {cores} cores, {memory}; {system}.\n\
         Servers on it: PostgreSQL {postgres} (every commit synced), Redis {redis} (append-only file, synced every \
         second).\nServices: {build} {commit}. Measured on {date}; load average of the minute before: {load}."
    ))
}

/// The first value of a name in a file of `name: value` lines, as Linux has them.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let (_, value) = text.lines().find(|line| line.starts_with(name))?.split_once(':')?;
    Some(value.trim().to_owned())
}

fn memory(total: Option<&str>) -> String {
    let kibibytes = total.and_then(|total| total.strip_suffix("kB")?.trim().parse::<u64>().ok());
    kibibytes.map_or("memory not known".to_owned(), |total| format!("{} GiB of memory", total.div_ceil(1024 * 1024)))
}

/// The output of a program; a machine on which it fails can be measured all the same.
async fn output(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace::root()).stdin(Stdio::null());
    let output = command.output().await.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    output.ok().filter(|text| !text.is_empty()).unwrap_or_else(|| format!("({program} reports nothing)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_rounded_up_to_gibibytes() {
        assert_eq!(memory(Some("24580000 kB")), "24 GiB of memory");
        assert_eq!(memory(None), "memory not known");
    }
}
