//! The launcher's promises: it says what is wrong in a sentence, leaves nothing running, and cleans up after a killed one.

use std::net::TcpListener;

use nix::sys::signal::Signal;

use crate::platform::{Platform, alive, errors, home, stack};
use crate::reservations::PortReservations;

#[test]
fn a_running_platform_keeps_others_out_and_leaves_nothing() {
    let mut platform = Platform::up(&["--replicas", "2"]);
    let data = platform.data();
    let data = data.to_str().unwrap();
    assert_eq!(platform.processes().len(), 2 + 2 * 5);

    let second = stack(&["up", "--prebuilt", "--data-dir", data]);
    assert_eq!(second.status.code(), Some(1));
    assert!(errors(&second).contains("is running (pid "), "{}", errors(&second));
    let reset = stack(&["reset", "--data-dir", data]);
    assert_eq!(reset.status.code(), Some(1));
    assert!(errors(&reset).contains("is running (pid "), "{}", errors(&reset));

    platform.stop();
    let reset = stack(&["reset", "--data-dir", data]);
    assert!(reset.status.success(), "{}", errors(&reset));
    assert!(!platform.data().exists());
}

#[test]
fn what_a_killed_launcher_left_is_stopped_by_the_next() {
    let mut first = Platform::up(&[]);
    let left = first.processes();
    first.signal(Signal::SIGKILL);
    first.ended();
    assert_eq!(alive(&left).len(), left.len(), "nobody was there to stop them");

    let home = std::mem::replace(&mut first.home, home());
    let mut second = Platform::up_in(home, &[]);
    assert_eq!(alive(&left), Vec::<String>::new());
    second.stop();
}

#[test]
fn a_service_that_dies_is_named_and_takes_the_platform_with_it() {
    let mut platform = Platform::up(&[]);
    let processes = platform.processes();
    platform.signal_to("moderation-service", Signal::SIGKILL);

    let status = platform.ended();

    assert_eq!(status.code(), Some(1));
    let said = platform.stderr();
    assert!(said.contains("error: moderation-service ended (signal: 9 (SIGKILL)); the last lines of "), "{said}");
    assert_eq!(alive(&processes), Vec::<String>::new());
}

#[test]
fn a_port_in_use_is_named_before_anything_starts() {
    let home = home();
    let base = PortReservations::default().anywhere(|base| (base..base + 5).collect()).unwrap();
    let _taken = TcpListener::bind(("127.0.0.1", base + 2)).unwrap();
    let data = home.path().join("data");
    let run = stack(&["up", "--prebuilt", "--port-base", &base.to_string(), "--data-dir", data.to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(1));
    let said = errors(&run);
    assert!(said.starts_with(&format!("error: port {} of interaction-service is in use by ", base + 2)), "{said}");
    let [_, hint] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
    assert!(hint.starts_with("`cargo stack doctor` "), "{said}");
    assert!(!data.join("postgres").exists());
}
