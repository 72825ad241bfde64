//! The laws of the containers: five images made alike, and one page that starts them as the launcher would.

use super::assert_kept;
use super::sources::{SERVICES, read, root};

/// What only one service's files have, each with its reason.
const ONLY: &[(&str, &str)] = &[("auth-service", "mail"), ("post-service", "media")];
/// The port of the first service; each of the others has the next.
const FIRST_PORT: u16 = 8000;

/// The lines of a service's file, with its name and port taken out, and without what only it has.
fn alike(service: &str, file: &str) -> Vec<String> {
    let place = SERVICES.iter().position(|other| *other == service).unwrap_or_default();
    let port = (usize::from(FIRST_PORT) + place).to_string();
    let text = read(&root().join(service).join(file)).to_lowercase();
    let own = ONLY.iter().filter(|(who, _)| *who == service).map(|(_, what)| *what).collect::<Vec<_>>();
    let lines = text.lines().filter(|line| !own.iter().any(|what| line.contains(what)) && !line.is_empty());
    lines.map(|line| line.replace(service, "SERVICE").replace(&port, "PORT")).collect()
}

#[test]
fn the_five_images_are_made_alike() {
    let model = alike(SERVICES[1], "Dockerfile");
    let mut breaches = Vec::new();
    for service in SERVICES {
        let lines = alike(service, "Dockerfile");
        let same = lines.iter().zip(&model).take_while(|(one, two)| one == two).count();
        if same < lines.len().max(model.len()) {
            let line = lines.get(same).map_or("it ends", String::as_str);
            breaches.push(format!("{service}/Dockerfile differs from post-service's at: {line}"));
        }
    }
    assert_kept("An image differs from the others by its service's name and port alone:", &breaches);
}

/// The text of a service in the compose file of the platform.
fn composed(service: &str) -> String {
    let text = read(&root().join("docker-compose-local.yaml"));
    let begin = text.find(&format!("\n  {service}:\n")).unwrap_or_else(|| panic!("{service} is not composed"));
    let rest = &text[begin + 1..];
    let end = rest.match_indices("\n  ").map(|(at, _)| at).find(|at| !rest[at + 3..].starts_with(' '));
    rest[..end.unwrap_or(rest.len())].to_owned()
}

#[test]
fn the_composed_platform_is_that_of_the_launcher() {
    let roles = read(&root().join("postgres/roles.sql"));
    let mut breaches = Vec::new();
    for (port, service) in (FIRST_PORT..).zip(SERVICES) {
        let noun = service.trim_end_matches("-service");
        let mut expect = |text: &str, what: &str| {
            if !text.contains(what) {
                breaches.push(format!("{service}: {what}"));
            }
        };
        let text = composed(service);
        expect(&text, &format!("dockerfile: {service}/Dockerfile"));
        expect(&text, &format!("postgres://{noun}:"));
        expect(&text, &format!("redis://{noun}:"));
        expect(&text, &format!("[\"127.0.0.1:{port}:{port}\"]"));
        expect(&roles, &format!("create role {noun} login password :'password';"));
        expect(&roles, &format!("create schema authorization {noun};"));
        let alone = read(&root().join(service).join("docker-compose.yaml"));
        expect(&alone, &format!("127.0.0.1:{port}:{port}"));
        expect(&alone, &format!("redis://{noun}:"));
        expect(&alone, &format!("{}_REDIS_PASSWORD", noun.to_uppercase()));
        expect(&alone, "command: [/redis/start.sh]");
    }
    assert_kept("Each service is composed with its port, its role, its schema and its user of Redis:", &breaches);
}

#[test]
fn the_services_trust_the_address_of_the_gateway_alone() {
    let text = read(&root().join("docker-compose-local.yaml"));
    let address = "${GATEWAY_ADDRESS:-172.30.80.200}";
    assert!(text.contains(&format!("TRUSTED_PROXIES: {address}\n")), "{text}");
    assert!(composed("gateway").contains(&format!("ipv4_address: \"{address}\"")), "{}", composed("gateway"));
}

/// Images that have no digest yet: none could be looked up when the others were pinned. Dependabot adds one.
const WITHOUT_DIGEST: &[&str] = &["jaegertracing/jaeger:2.10.0", "maildev/maildev:2.2.1"];

/// Whether a text ends in that many hexadecimal digits behind a mark.
fn is_pinned(name: &str, mark: &str, digits: usize) -> bool {
    name.split_once(mark).is_some_and(|(_, pin)| pin.len() == digits && pin.chars().all(|c| c.is_ascii_hexdigit()))
}

#[test]
fn images_and_actions_are_pinned() {
    let mut breaches = Vec::new();
    let folders = SERVICES.iter().copied();
    let files = folders.clone().map(|service| format!("{service}/Dockerfile"));
    let files = files.chain(folders.map(|service| format!("{service}/docker-compose.yaml")));
    let workflows = ["ci", "kubernetes", "release"].map(|name| format!(".github/workflows/{name}.yml"));
    let more = ["web-client/Dockerfile", "docker-compose-local.yaml", "observe/docker-compose.yaml"].map(str::to_owned);
    for file in files.chain(more).chain(workflows) {
        let text = read(&root().join(&file));
        for line in text.lines().map(|line| line.trim().trim_start_matches("- ")) {
            let name = |keyword: &str| line.strip_prefix(keyword)?.split_whitespace().next();
            let image = name("FROM ").or_else(|| name("image: ")).filter(|image| *image != "scratch");
            if image.is_some_and(|image| !is_pinned(image, "@sha256:", 64) && !WITHOUT_DIGEST.contains(&image)) {
                breaches.push(format!("{file}: {line}"));
            }
            if name("uses: ").is_some_and(|action| !is_pinned(action, "@", 40)) {
                breaches.push(format!("{file}: {line}"));
            }
        }
    }
    assert_kept("An image is named by its digest, an action by its commit:", &breaches);
}
