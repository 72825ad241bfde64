//! The laws of the deployment: the committed manifest, object by object, against the services, the gateway and the table of
//! who may connect to whom.
//!
//! They need no tool and no cluster: `deploy/kubernetes.yaml` is read as it is. That it is what the chart renders, that the
//! chart's other settings render, and that the objects are valid by the schemas of Kubernetes, is checked by `cargo stack check`
//! with Helm. [`mutations`] has what each law must notice.

mod laws;
mod mutations;
mod objects;
mod table;

use std::collections::BTreeSet;

use super::assert_kept;
use super::sources::{read, root};

use laws::{LAWS, breaches};
use mutations::{MUTATIONS, mutate};
use objects::{Manifest, text};
use table::values;

#[test]
fn the_manifest_keeps_the_laws_of_the_deployment() {
    assert_kept("deploy/kubernetes.yaml (deploy/render.sh writes it):", &breaches(&Manifest::read()));
}

#[test]
fn each_law_notices_what_would_fail_in_a_cluster() {
    let manifest = Manifest::read();
    let (mut unnoticed, mut broken) = (Vec::new(), BTreeSet::new());
    for mutation in MUTATIONS {
        let mut spoiled = manifest.clone();
        mutate(&mut spoiled, mutation);
        let noticed: Vec<_> = LAWS.iter().filter(|(_, law)| !law(&spoiled).is_empty()).map(|(name, _)| *name).collect();
        if noticed.is_empty() {
            unnoticed.push(format!("{} {}: {}", mutation.object, mutation.place, mutation.value));
        }
        broken.extend(noticed);
    }
    assert!(MUTATIONS.len() >= 30, "a list of {}", MUTATIONS.len());
    assert_kept("A law notices each of these:", &unnoticed);
    let idle: Vec<_> = LAWS.iter().map(|(name, _)| *name).filter(|name| !broken.contains(name)).collect();
    assert!(idle.is_empty(), "no mistake of the list breaks these laws: {idle:?}");
}

#[test]
fn the_chart_is_of_this_version_and_its_stores_are_those_of_the_compose_file() {
    let manifest = read(&root().join("Cargo.toml"));
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = ")).unwrap_or_default();
    let chart = read(&root().join("deploy/chart/Chart.yaml"));
    assert!(chart.contains(&format!("\nappVersion: {version}\n")), "{version} is not the version of {chart}");
    let composed = read(&root().join("docker-compose-local.yaml"));
    for store in ["postgresImage", "redisImage"] {
        let image = text(&values()["dev"][store]);
        assert!(composed.contains(&format!("    image: {image}\n")), "{store}: {image}");
    }
}
