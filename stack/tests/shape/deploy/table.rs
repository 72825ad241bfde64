//! The table of connections: as the chart has it, as the policies have it, and as the documentation has it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

use super::objects::{GATEWAY, Manifest, list, port, text, workloads};
use crate::shape::assert_kept;
use crate::shape::events::EventCatalogue;
use crate::shape::sources::{SERVICES, read, root};

/// From, to.
type Connections = BTreeSet<(String, String)>;

/// The defaults of the chart.
pub fn values() -> &'static Value {
    static VALUES: LazyLock<Value> = LazyLock::new(|| {
        let text = read(&root().join("deploy/chart/values.yaml"));
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}"))
    });
    &VALUES
}

/// What the chart allows, among the workloads of the manifest.
fn allowed() -> Connections {
    let values = values();
    let mut allowed = Connections::new();
    for row in list(&values["network"]["connections"]) {
        for (from, to) in list(&row["from"]).iter().flat_map(|from| list(&row["to"]).iter().map(move |to| (from, to))) {
            allowed.insert((text(from).to_owned(), text(to).to_owned()));
        }
    }
    allowed.retain(|(from, to)| workloads().any(|name| name == from) && workloads().any(|name| name == to));
    allowed
}

/// The workload that a peer of a policy selects.
fn peer(rule: &Value, direction: &str) -> Option<String> {
    let labels = &rule[direction][0]["podSelector"]["matchLabels"];
    labels["app.kubernetes.io/name"].as_str().map(str::to_owned)
}

/// What the policies let in, and what they let out; to the port of the one that is called.
fn by_policy(manifest: &Manifest, rules: &str, direction: &str) -> Connections {
    let mut connections = Connections::new();
    for (name, policy) in manifest.of("NetworkPolicy") {
        for rule in list(&policy["spec"][rules]) {
            let Some(other) = peer(rule, direction) else { continue };
            let pair = if direction == "from" { (other, name.to_owned()) } else { (name.to_owned(), other) };
            let is_its_port =
                list(&rule["ports"]).iter().all(|at| at["port"].as_u64() == port(&pair.1) && at["protocol"] == "TCP");
            if is_its_port && list(&rule["ports"]).len() == 1 && list(&rule[direction]).len() == 1 {
                connections.insert(pair);
            }
        }
    }
    connections
}

/// What is different between the table and the policies.
pub fn policies_are_the_table(manifest: &Manifest) -> Vec<String> {
    let allowed = allowed();
    let mut breaches = Vec::new();
    for (rules, direction) in [("ingress", "from"), ("egress", "to")] {
        let found = by_policy(manifest, rules, direction);
        breaches.extend(allowed.difference(&found).map(|(from, to)| format!("{rules}: {from} to {to} is missing")));
        breaches.extend(found.difference(&allowed).map(|(from, to)| format!("{rules}: {from} to {to} is in no table")));
    }
    let policies = manifest.of("NetworkPolicy");
    for (name, policy) in &policies {
        let spec = &policy["spec"];
        if spec["policyTypes"] != serde_json::json!(["Ingress", "Egress"]) {
            breaches.push(format!("NetworkPolicy/{name} is not about both directions"));
        }
        let labels = &spec["podSelector"]["matchLabels"];
        let selects = labels["app.kubernetes.io/name"].as_str();
        if *name == "deny-all" {
            let rules = list(&spec["ingress"]).len() + list(&spec["egress"]).len();
            if selects.is_some() || rules > 0 || labels["app.kubernetes.io/part-of"] != "social" {
                breaches.push("NetworkPolicy/deny-all denies not all".to_owned());
            }
        } else if selects != Some(name) {
            breaches.push(format!("NetworkPolicy/{name} is of other pods"));
        }
        // Without peers a rule is for all the world: to the ports of stores and of what the chart names, and into the gateway.
        let open: Vec<u64> = list(&spec["egress"])
            .iter()
            .filter(|rule| rule["to"].is_null())
            .flat_map(|rule| list(&rule["ports"]))
            .filter_map(|at| at["port"].as_u64())
            .collect();
        let is_service = SERVICES.contains(name);
        let mut expected = if *name == "deny-all" { vec![] } else { vec![53, 53] };
        if is_service {
            let values = values();
            expected
                .extend([&values["postgres"]["port"], &values["redis"]["port"]].map(|port| port.as_u64().unwrap_or(0)));
            expected.extend(list(&values["services"][*name]["egressPorts"]).iter().filter_map(Value::as_u64));
        }
        if open != expected {
            breaches.push(format!("NetworkPolicy/{name} lets out to {open:?}, and {expected:?} is expected"));
        }
        let into = list(&spec["ingress"]).iter().filter(|rule| rule["from"].is_null()).count();
        if into != usize::from(*name == GATEWAY) {
            breaches.push(format!("NetworkPolicy/{name} lets all the world in"));
        }
    }
    breaches
}

#[test]
fn whoever_consumes_a_stream_may_ask_its_producer_for_what_redis_lost() {
    let catalogues: Vec<_> = SERVICES.iter().map(|service| (*service, EventCatalogue::of(service))).collect();
    let allowed = allowed();
    let mut breaches = Vec::new();
    for (consumer, catalogue) in &catalogues {
        for stream in catalogue.consumed.keys() {
            let producers = catalogues.iter().filter(|(_, other)| other.listed.contains_key(stream));
            for (producer, _) in producers {
                if !allowed.contains(&((*consumer).to_owned(), (*producer).to_owned())) {
                    breaches.push(format!("{consumer} consumes {stream} of {producer}"));
                }
            }
        }
    }
    assert_kept("network.connections in deploy/chart/values.yaml lacks:", &breaches);
}

#[test]
fn the_documentation_has_the_table_of_the_chart() {
    let page = read(&root().join("docs/kubernetes.md"));
    let names = |value: &Value| list(value).iter().map(text).collect::<Vec<_>>().join(", ");
    let values = values();
    let rows = list(&values["network"]["connections"]).iter();
    let rows =
        rows.map(|row| format!("| {} | {} | {} |", names(&row["from"]), names(&row["to"]), text(&row["reason"])));
    let missing: Vec<_> = rows.filter(|row| !page.contains(row)).collect();
    assert_kept("docs/kubernetes.md lacks rows of network.connections:", &missing);
    let section = page.split("## Who may connect to whom").nth(1).and_then(|rest| rest.split("\n## ").next());
    let rows = section.unwrap_or_default().lines().filter(|line| line.starts_with("| ") && line.contains("-service"));
    assert_eq!(
        rows.count(),
        list(&values["network"]["connections"]).iter().filter(|row| row.to_string().contains("-service")).count()
    );
}
