//! `cargo stack doctor`: what is in the way is named with its mend, and a platform that runs is not in its own way.

use std::{
    net::TcpListener,
    process::{Command, Output},
};

use nix::sys::signal::Signal;

use crate::{
    claims::Claims,
    platform::{Platform, home, stack},
    servers::Redis,
};

/// The lines of a report, blanks between its columns made one.
fn report(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// What the report says about something, and the line beneath that.
fn line<'a>(report: &'a [String], about: &str) -> (&'a str, &'a str) {
    let at = report.iter().position(|line| line.contains(about));
    let at = at.unwrap_or_else(|| panic!("nothing about {about} in {report:#?}"));
    (&report[at], report.get(at + 1).map_or("", String::as_str))
}

#[test]
fn a_taken_port_is_named_with_its_owner_and_its_mend() {
    let home = home();
    let base = Claims::default().anywhere(|base| (base..base + 5).collect()).unwrap();
    let taken = TcpListener::bind(("127.0.0.1", base + 2)).unwrap();
    let (port, data) = (base.to_string(), home.path().join("data"));
    let arguments = ["doctor", "--prebuilt", "--port-base", &port, "--data-dir", data.to_str().unwrap()];

    let sick = stack(&arguments);
    assert_eq!(sick.status.code(), Some(1));
    let told = report(&sick);
    let (problem, mend) = line(&told, &format!("port {}", base + 2));
    let owner = format!("problem port {} of interaction-service is in use by ", base + 2);
    assert!(problem.starts_with(&owner) && problem.ends_with(&format!("(pid {})", std::process::id())), "{problem}");
    assert_eq!(
        mend,
        format!(
            "→ stop it: kill {}; or choose other ports with --port-base (0 takes any that are free)",
            std::process::id()
        )
    );
    assert!(!data.exists(), "it looks, and makes nothing");

    drop(taken);
    let well = stack(&arguments);
    assert_eq!(well.status.code(), Some(0), "{:#?}", report(&well));
    assert_eq!(
        line(&report(&well), &format!("ports {base}–{}", base + 4)).0,
        format!("ok ports {base}–{} free", base + 4)
    );
    assert_eq!(report(&well).last().unwrap(), "Nothing is in the way.");
}

#[test]
fn missing_programs_are_named_with_what_brings_them() {
    let home = home();
    let run = Command::new(env!("CARGO_BIN_EXE_stack"))
        .args(["doctor", "--port-base", "0", "--data-dir"])
        .arg(home.path())
        .env("PATH", home.path())
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(1));
    let told = report(&run);
    assert_eq!(line(&told, "Rust").0, "problem Rust not installed");
    assert!(line(&told, "Rust").1.contains("https://rustup.rs"));
    assert_eq!(line(&told, "Redis").0, "problem Redis not installed");
    assert!(line(&told, "Redis").1.contains("install it yourself"));
    assert_eq!(
        line(&told, "cargo-nextest").0,
        "note cargo-nextest not installed: `cargo stack test` runs slower without it"
    );
}

#[test]
fn a_platform_that_runs_is_no_conflict_and_what_a_service_lacks_is_said() {
    let mut redis = Redis::start();
    let mut platform = Platform::up(&["--redis-url", &redis.url()]);
    let data = platform.data();
    // By its folder, and by its ports alone.
    let (port, elsewhere) = (platform.port_base.to_string(), platform.home.path().join("none"));
    let by_folder = ["doctor", "--prebuilt", "--data-dir", data.to_str().unwrap()];
    let by_ports = ["doctor", "--prebuilt", "--port-base", &port, "--data-dir", elsewhere.to_str().unwrap()];
    for arguments in [&by_folder[..], &by_ports[..]] {
        let well = stack(arguments);
        let told = report(&well);
        assert_eq!(well.status.code(), Some(0), "{told:#?}");
        for service in
            ["auth-service", "post-service", "interaction-service", "moderation-service", "engagement-service"]
        {
            assert!(line(&told, service).0.starts_with(&format!("ok {service} runs and is ready: ")), "{told:#?}");
        }
        assert_eq!(told.last().unwrap(), "The platform runs, and is whole.");
    }

    platform.signal_to("moderation-service", Signal::SIGSTOP);
    redis.stop();
    let sick = stack(&by_folder);
    platform.signal_to("moderation-service", Signal::SIGCONT);
    assert_eq!(sick.status.code(), Some(1));
    let told = report(&sick);
    assert!(line(&told, "post-service").0.starts_with("problem post-service runs and lacks Redis: "), "{told:#?}");
    assert!(line(&told, "post-service").1.starts_with("→ see to Redis; "), "{told:#?}");
    let silent = "problem moderation-service runs and does not answer: ";
    assert!(line(&told, "moderation-service").0.starts_with(silent), "{told:#?}");
    redis.start_again();
    platform.stop();
}

#[test]
fn what_a_killed_launcher_left_is_no_conflict() {
    let mut platform = Platform::up(&[]);
    platform.signal(Signal::SIGKILL);
    platform.ended();
    let (port, data) = (platform.port_base.to_string(), platform.data());
    let run = stack(&["doctor", "--prebuilt", "--port-base", &port, "--data-dir", data.to_str().unwrap()]);
    let told = report(&run);
    assert_eq!(run.status.code(), Some(0), "{told:#?}");
    let (left, mend) = line(&told, "data folder");
    assert!(left.starts_with("note data folder a launcher that was killed left running: Postgres (pid "), "{left}");
    assert!(mend.starts_with("→ `cargo stack up` stops them first"), "{mend}");
    let (port, _) = line(&told, &format!("port {port}"));
    assert!(port.ends_with("which a killed launcher left"), "{port}");
    assert!(stack(&["reset", "--data-dir", data.to_str().unwrap()]).status.success());
}
