//! What a command line is taken for.

use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn up_starts_at_port_8000_with_one_process_per_service() {
    let Command::Up(up) = parse("stack up").unwrap().command else { panic!("not up") };
    assert_eq!((up.port_base, up.replicas, up.build.release, up.build.prebuilt), (8000, 1, false, false));
    assert_eq!(up.place.data_dir, None);
}

#[test]
fn what_follows_test_goes_to_the_runner() {
    let Command::Test { arguments } = parse("stack test -p auth-service --no-capture sign_in").unwrap().command else {
        panic!("not test")
    };
    assert_eq!(arguments, ["-p", "auth-service", "--no-capture", "sign_in"]);
}

#[test]
fn addresses_of_another_kind_are_refused() {
    let error = parse("stack up --postgres-url mysql://h/x").unwrap_err().to_string();
    assert!(error.contains("it must begin with postgres:// or postgresql://"), "{error}");
    assert!(parse("stack up --redis-url redis://localhost:6379").is_ok());
}

#[test]
fn chaos_breaks_everything_unless_told_what() {
    let faults = |line: &str| match parse(line).unwrap().command {
        Command::Chaos(chaos) => chaos.faults,
        other => panic!("{other:?}"),
    };
    assert_eq!(faults("stack chaos"), Fault::all().collect::<Vec<_>>());
    assert_eq!(faults("stack chaos --faults flushall,kill-redis"), [Fault::Flushall, Fault::KillRedis]);
    assert!(parse("stack chaos --minutes 0").is_err());
}

#[test]
fn a_setting_is_for_one_service_and_its_value_may_hold_anything() {
    let set = |text: &str| match parse(&format!("stack up --set {text}")) {
        Ok(Cli { command: Command::Up(up) }) => Ok(up.set),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.to_string()),
    };
    let expected = Setting { service: "post-service", name: "DATABASE_URL".into(), value: "a://b.c/d?e=f".into() };
    assert_eq!(set("post-service.DATABASE_URL=a://b.c/d?e=f").unwrap(), [expected]);
    assert!(set("LOG=debug").unwrap_err().contains("it must be like"));
    assert!(set("mail-service.LOG=debug").unwrap_err().contains("there is no service mail-service"));
}

#[test]
fn services_are_a_port_apart_and_behind_a_gateway_none() {
    let place = |line: &str| match parse(line).unwrap().command {
        Command::Demo(entrance) => (entrance.place().0.to_string(), entrance.place().1),
        other => panic!("{other:?}"),
    };
    assert_eq!(place("stack demo"), ("http://127.0.0.1:8000/".to_owned(), 1));
    assert_eq!(place("stack demo --gateway-url http://g"), ("http://g/".to_owned(), 0));
    assert!(parse("stack demo --gateway-url http://g --base-url http://s").is_err());
}

#[test]
fn a_platform_of_no_replicas_is_refused() {
    assert!(parse("stack up --replicas 0").is_err());
}
