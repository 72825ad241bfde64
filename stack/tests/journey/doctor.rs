//! `cargo stack doctor`: a problem is reported as `up` reports it, and a platform that runs is not in its own way.

use std::net::TcpListener;
use std::process::{Command, Output};

use nix::sys::signal::Signal;

use crate::journey::servers::Redis;
use crate::platform::{Platform, SERVICES, errors, home, stack};
use crate::reservations::PortReservations;

/// The lines of a report, blanks between verdict and sentence made one.
fn report(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// The line that begins so.
fn line<'a>(report: &'a [String], begins: &str) -> &'a str {
    let found = report.iter().find(|line| line.starts_with(begins));
    found.unwrap_or_else(|| panic!("no line begins with {begins} in {report:#?}"))
}

#[test]
fn a_taken_port_is_reported_with_its_owner_as_up_reports_it() {
    let home = home();
    let base = PortReservations::default().anywhere(|base| (base..base + 5).collect()).unwrap();
    let taken = TcpListener::bind(("127.0.0.1", base + 2)).unwrap();
    let (port, data) = (base.to_string(), home.path().join("data"));
    let arguments = ["--prebuilt", "--port-base", &port, "--data-dir", data.to_str().unwrap()];

    let taken_report = stack(&[&["doctor"][..], &arguments].concat());
    assert_eq!(taken_report.status.code(), Some(1));
    let owner = format!("problem port {} of interaction-service is in use by ", base + 2);
    let lines = report(&taken_report);
    let problem = line(&lines, &owner);
    assert!(problem.contains(&format!("(pid {}); ", std::process::id())), "{problem}");
    assert!(!data.exists(), "it changes nothing");
    let up = stack(&[&["up"][..], &arguments].concat());
    let sentence = problem.strip_prefix("problem ").unwrap();
    assert!(errors(&up).starts_with(&format!("error: {sentence}\n")), "{}", errors(&up));

    drop(taken);
    let free = stack(&[&["doctor"][..], &arguments].concat());
    assert_eq!(free.status.code(), Some(0), "{:#?}", report(&free));
    assert_eq!(line(&report(&free), "ok ports"), "ok ports are free");
    assert_eq!(report(&free).last().unwrap(), "No problem was found.");
}

#[test]
fn missing_programs_are_named_with_what_installs_them() {
    let home = home();
    let run = Command::new(env!("CARGO_BIN_EXE_stack"))
        .args(["doctor", "--port-base", "0", "--data-dir"])
        .arg(home.path())
        .env("PATH", home.path())
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(1));
    let lines = report(&run);
    let problem = lines.iter().find(|line| line.contains("Redis not found")).unwrap_or_else(|| panic!("{lines:#?}"));
    assert!(problem.starts_with("problem ") && problem.contains("install it yourself"), "{problem}");
}

#[test]
fn a_platform_that_runs_is_no_problem_and_what_a_service_lacks_is_reported() {
    let mut redis = Redis::start();
    let mut platform = Platform::up(&["--redis-url", &redis.url()]);
    let data = platform.data();
    let arguments = ["doctor", "--prebuilt", "--data-dir", data.to_str().unwrap()];
    let healthy = stack(&arguments);
    let lines = report(&healthy);
    assert_eq!(healthy.status.code(), Some(0), "{lines:#?}");
    for service in SERVICES {
        line(&lines, &format!("ok {service} is ready: http://127.0.0.1:"));
    }

    platform.signal_to("moderation-service", Signal::SIGSTOP);
    redis.stop();
    let sick = stack(&arguments);
    platform.signal_to("moderation-service", Signal::SIGCONT);
    assert_eq!(sick.status.code(), Some(1));
    let lines = report(&sick);
    let lacking = line(&lines, "problem post-service is not ready: it answers 503 ");
    assert!(lacking.contains("\"redis\":false"), "{lacking}");
    line(&lines, "problem moderation-service is not ready: it does not answer; its log is ");
    redis.start_again();
    platform.stop();
}

#[test]
fn what_a_killed_launcher_left_is_no_problem() {
    let mut platform = Platform::up(&[]);
    platform.signal(Signal::SIGKILL);
    platform.ended();
    let (port, data) = (platform.port_base().to_string(), platform.data());
    let run = stack(&["doctor", "--prebuilt", "--port-base", &port, "--data-dir", data.to_str().unwrap()]);
    let lines = report(&run);
    assert_eq!(run.status.code(), Some(0), "{lines:#?}");
    let left = line(&lines, "note a killed launcher left running: Postgres (pid ");
    assert!(left.ends_with("`cargo stack up` stops them first"), "{left}");
    assert_eq!(line(&lines, "ok ports"), "ok ports are free");
    assert!(stack(&["reset", "--data-dir", data.to_str().unwrap()]).status.success());
}
