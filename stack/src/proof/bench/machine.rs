//! The machine that figures come from, and what ran on it: without them a figure says nothing.

use std::{fmt, fs, process::Stdio};

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::host::workspace;
use crate::proof::bench::database::ask;
use crate::proof::bench::platform::Platform;

/// Everything that a figure depends on beside the code.
pub struct Machine {
    processor: String,
    cores: usize,
    memory: String,
    system: String,
    postgres: String,
    redis: String,
    build: String,
    date: String,
    load: String,
}

impl Machine {
    /// Looks at this machine and at the servers of a platform.
    pub async fn look(platform: &Platform<'_>, prebuilt: bool) -> Result<Machine> {
        let commit = said("git", &["describe", "--always", "--dirty"]).await;
        let (postgres, date): (String, String) =
            ask("select split_part(current_setting('server_version'), ' ', 1), to_char(now(), 'YYYY-MM-DD')")
                .fetch_one(&platform.tables)
                .await?;
        Ok(Machine {
            processor: processor().await,
            cores: std::thread::available_parallelism().context("the processors cannot be counted")?.get(),
            memory: memory(&fs::read_to_string("/proc/meminfo").unwrap_or_default()),
            system: said("uname", &["-sr"]).await,
            postgres,
            redis: platform.redis().await?.version().await?,
            build: if prebuilt {
                format!("an earlier release build; the sources are at {commit}")
            } else {
                format!("release build of {commit}")
            },
            date,
            load: load().await,
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { processor, cores, memory, system, postgres, redis, build, date, load } = self;
        write!(
            f,
            "Machine: {processor}, {cores} cores, {memory}; {system}.\n\
             Servers on it: PostgreSQL {postgres} (every commit synced), Redis {redis} (append-only file, synced every \
             second).\nServices: {build}. Measured on {date}; load average of the minute before: {load}."
        )
    }
}

async fn processor() -> String {
    let told = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| model(&text));
    match told {
        Some(model) => model,
        None if cfg!(target_os = "macos") => said("sysctl", &["-n", "machdep.cpu.brand_string"]).await,
        None => said("uname", &["-m"]).await,
    }
}

fn model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory(meminfo: &str) -> String {
    let kibibytes = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB"));
    match kibibytes.and_then(|kibibytes| kibibytes.trim().parse::<u64>().ok()) {
        Some(kibibytes) => format!("{} GiB of memory", kibibytes.div_ceil(1024 * 1024)),
        None => "memory not known".to_owned(),
    }
}

/// How many wanted to run in the last minute, on average.
async fn load() -> String {
    let told = said("uptime", &[]).await;
    told.rsplit_once("load average")
        .and_then(|(_, load)| load.trim_start_matches(['s', ':', ' ']).split([',', ' ']).next().map(str::to_owned))
        .unwrap_or(told)
}

/// What a program says about this machine; that it says nothing is no reason to measure nothing.
async fn said(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace::root()).stdin(Stdio::null());
    let answer = command.output().await.ok().filter(|answer| answer.status.success());
    let said = answer.map(|answer| String::from_utf8_lossy(&answer.stdout).trim().to_owned());
    said.filter(|said| !said.is_empty()).unwrap_or_else(|| format!("({program} does not say)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_and_memory_are_read_from_what_linux_says() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Fast Chip 3000 @ 2.1GHz\nprocessor\t: 1\nmodel name\t: Other\n";
        assert_eq!(model(cpuinfo).unwrap(), "Fast Chip 3000 @ 2.1GHz");
        assert_eq!(memory("MemTotal:       24580000 kB\nMemFree: 1 kB\n"), "24 GiB of memory");
        assert_eq!(memory(""), "memory not known");
    }
}
