//! The laws of the manifest, each a function from the manifest to its breaches.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::objects::{
    GATEWAY, Manifest, container, gateway_files, gateway_settings, list, named, port, settings, text, workloads,
};
use super::table::{policies_are_the_table, values};
use crate::shape::sources::{SERVICES, read, root};

/// What is expected, and what finds the breaches of it.
type Law = (&'static str, fn(&Manifest) -> Vec<String>);

pub const LAWS: &[Law] = &[
    ("the objects are there, and no others", objects_are_there),
    ("ports and selectors agree", ports_agree),
    ("settings exist, and secrets are files", settings_exist),
    ("images are pinned", images_are_pinned),
    ("probes ask for the right thing", probes_are_there),
    ("pods are restricted", pods_are_restricted),
    ("a rollout loses no request", rollouts_are_gentle),
    ("scaling has bounds", scaling_has_bounds),
    ("policies are the table", policies_are_the_table),
    ("the gateway is that of the folder", the_gateway_is_that_of_the_folder),
];

/// How long a service takes to end in order, at most, in seconds.
const LONGEST_END: u64 = 8;

/// The breaches of all of them.
pub fn breaches(manifest: &Manifest) -> Vec<String> {
    let all =
        LAWS.iter().flat_map(|(name, law)| law(manifest).into_iter().map(move |breach| format!("{name}: {breach}")));
    all.collect()
}

fn objects_are_there(manifest: &Manifest) -> Vec<String> {
    let mut expected: BTreeSet<String> = ["Namespace/social", "NetworkPolicy/deny-all"].map(str::to_owned).into();
    expected.extend(["templates", "pages"].map(|part| format!("ConfigMap/{GATEWAY}-{part}")));
    for name in workloads() {
        let kinds = ["Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"];
        expected.extend(kinds.map(|kind| format!("{kind}/{name}")));
    }
    expected.extend(SERVICES.map(|service| format!("HorizontalPodAutoscaler/{service}")));
    let found = manifest.names();
    let mut breaches: Vec<_> = expected.difference(&found).map(|name| format!("{name} is missing")).collect();
    breaches.extend(found.difference(&expected).map(|name| format!("{name} is of no use")));
    let stray = manifest.objects.iter().filter(|object| object["kind"] != "Namespace");
    let stray = stray.filter(|object| object["metadata"]["namespace"] != "social");
    breaches.extend(stray.map(|object| format!("{} is in another namespace", object["metadata"]["name"])));
    breaches
}

fn ports_agree(manifest: &Manifest) -> Vec<String> {
    let mut breaches = Vec::new();
    for (name, deployment) in manifest.of("Deployment") {
        let port = port(name).unwrap_or_default();
        if container(deployment)["ports"] != json!([{ "name": "http", "containerPort": port }]) {
            breaches.push(format!("Deployment/{name} does not have the port {port} of its image alone"));
        }
        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        let service = manifest.of("Service").get(name).copied().unwrap_or(&Value::Null);
        let at = &service["spec"]["ports"];
        if at[0]["port"] != port || at[0]["targetPort"] != "http" || list(at).len() != 1 {
            breaches.push(format!("Service/{name} does not lead to the port {port}"));
        }
        let budget = manifest.of("PodDisruptionBudget").get(name).map_or(Value::Null, |budget| budget["spec"].clone());
        let selectors = [
            ("Deployment", &deployment["spec"]["selector"]["matchLabels"]),
            ("Service", &service["spec"]["selector"]),
            ("PodDisruptionBudget", &budget["selector"]["matchLabels"]),
        ];
        for (kind, selector) in selectors {
            if selector != labels || labels["app.kubernetes.io/name"] != name {
                breaches.push(format!("{kind}/{name} selects other pods than its own"));
            }
        }
    }
    breaches
}

fn settings_exist(manifest: &Manifest) -> Vec<String> {
    let mut breaches = Vec::new();
    for (name, deployment) in manifest.of("Deployment") {
        let env = &container(deployment)["env"];
        let mut wrong = |what: String| breaches.push(format!("Deployment/{name}: {what}"));
        let names: BTreeSet<&str> = list(env).iter().map(|setting| text(&setting["name"])).collect();
        if names.len() != list(env).len() {
            wrong("a setting is there twice".to_owned());
        }
        for setting in list(env) {
            if setting["value"].as_str().is_none() {
                wrong(format!("{} has no text as its value", setting["name"]));
            }
            wrong_addresses(text(&setting["value"])).into_iter().for_each(&mut wrong);
        }
        if name == GATEWAY {
            let ours: BTreeSet<String> =
                names.iter().filter(|name| name.starts_with("GATEWAY_")).map(ToString::to_string).collect();
            let known = gateway_settings();
            ours.symmetric_difference(known).for_each(|name| wrong(format!("{name} and gateway/gateway.env differ")));
            for (setting, service) in ["AUTH", "POST", "INTERACTION", "MODERATION", "ENGAGEMENT"].iter().zip(SERVICES) {
                // nginx has no search list.
                let whole = format!("{service}.social.svc.cluster.local:{}", port(service).unwrap_or_default());
                if named(env, &format!("GATEWAY_{setting}"))["value"] != whole {
                    wrong(format!("GATEWAY_{setting} is not {whole}"));
                }
            }
            continue;
        }
        let known = settings(name);
        for setting in &names {
            match setting.strip_suffix("_FILE").map(|secret| (secret, known.get(secret))) {
                Some((secret, Some(true))) => {
                    let file = format!("/run/secrets/social/{secret}");
                    if named(env, setting)["value"] != file || !is_mounted(deployment, secret) {
                        wrong(format!("{setting} names no file of the mounted secret"));
                    }
                }
                _ if known.get(*setting) == Some(&false) => {}
                _ if known.contains_key(*setting) => wrong(format!("the secret {setting} is not a file")),
                _ => wrong(format!("{setting} is no setting of it")),
            }
        }
        for needed in ["DATABASE_URL_FILE", "REDIS_URL_FILE", "SERVICE_TOKEN_FILE", "PRODUCERS", "TRUSTED_PROXIES"] {
            if !names.contains(needed) {
                wrong(format!("{needed} is missing"));
            }
        }
        if known.contains_key("AUTHENTICATION_VERIFICATION_URL") && !names.contains("AUTHENTICATION_VERIFICATION_URL") {
            wrong("AUTHENTICATION_VERIFICATION_URL is missing".to_owned());
        }
        if named(env, "ENVIRONMENT")["value"] != "production" {
            wrong("a default of development is accepted".to_owned());
        }
    }
    breaches
}

/// The addresses of services in a setting that lead to another port than theirs.
fn wrong_addresses(setting: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for service in SERVICES {
        for (at, _) in setting.match_indices(&format!("http://{service}")) {
            let rest = &setting[at + "http://".len() + service.len()..];
            let digits: String = rest.trim_start_matches(':').chars().take_while(char::is_ascii_digit).collect();
            if digits.parse().ok() != port(service) {
                wrong.push(format!("{service} is not at {digits}"));
            }
        }
    }
    wrong
}

fn is_mounted(deployment: &Value, secret: &str) -> bool {
    let volume = &named(&deployment["spec"]["template"]["spec"]["volumes"], "secrets")["secret"];
    let mount = named(&container(deployment)["volumeMounts"], "secrets");
    let has_it = list(&volume["items"]).iter().any(|item| item["key"] == secret && item["path"] == secret);
    let is_its_own = volume["secretName"] == deployment["metadata"]["name"];
    has_it && is_its_own && mount["mountPath"] == "/run/secrets/social" && mount["readOnly"] == true
}

fn images_are_pinned(manifest: &Manifest) -> Vec<String> {
    let mut breaches = Vec::new();
    for (name, deployment) in manifest.of("Deployment") {
        let container = container(deployment);
        let image = text(&container["image"]);
        let file = image.rsplit('/').next().unwrap_or_default();
        let (file, digest) = file.split_once('@').unwrap_or((file, ""));
        let tag = file.split_once(':').map_or("", |(_, tag)| tag);
        let is_digest = digest.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64);
        let is_pinned = is_digest || (digest.is_empty() && tag != "latest" && tag.contains('.'));
        // Another registry's image is named by its digest, as in the compose file.
        let is_composed = || read(&root().join("docker-compose-local.yaml")).contains(&format!("image: {image}\n"));
        if !is_pinned || (name == GATEWAY && !is_composed()) || container["imagePullPolicy"] != "IfNotPresent" {
            breaches.push(format!("{name}: {image}"));
        }
    }
    breaches
}

fn probes_are_there(manifest: &Manifest) -> Vec<String> {
    let mut breaches = Vec::new();
    for (name, deployment) in manifest.of("Deployment") {
        // Not "ready": what all replicas share would take all of them out at once.
        let serves = if name == GATEWAY { "/health/live" } else { "/health/serve" };
        let probes = [("startupProbe", "/health/live"), ("livenessProbe", "/health/live"), ("readinessProbe", serves)];
        for (probe, path) in probes {
            let probe_of = &container(deployment)[probe];
            let asks = probe_of["httpGet"] == json!({ "path": path, "port": "http" });
            let number = |field: &str| probe_of[field].as_u64().unwrap_or_default();
            let is_patient =
                number("timeoutSeconds") >= 3 && number("failureThreshold") >= 2 && number("periodSeconds") >= 1;
            if !asks || !is_patient {
                breaches.push(format!("Deployment/{name}: {probe}"));
            }
        }
    }
    breaches
}

/// The rules of the Pod Security Standard "restricted", and the read-only root that the images are made for.
fn pods_are_restricted(manifest: &Manifest) -> Vec<String> {
    let mut breaches = Vec::new();
    let namespace = manifest.of("Namespace").get("social").map_or(Value::Null, |object| object["metadata"].clone());
    if namespace["labels"]["pod-security.kubernetes.io/enforce"] != "restricted" {
        breaches.push("the namespace enforces nothing".to_owned());
    }
    for (name, deployment) in manifest.of("Deployment") {
        let pod = &deployment["spec"]["template"]["spec"];
        let (outer, inner) = (&pod["securityContext"], &container(deployment)["securityContext"]);
        let shares = ["hostNetwork", "hostPID", "hostIPC", "hostUsers", "initContainers", "ephemeralContainers"];
        let volumes = list(&pod["volumes"]).iter();
        let kinds = ["configMap", "secret", "emptyDir", "persistentVolumeClaim", "projected"];
        let rules = [
            ("it has one container", list(&pod["containers"]).len() == 1),
            ("not as root", outer["runAsNonRoot"] == true && outer["runAsUser"].as_u64() > Some(0)),
            ("the default filter of system calls", outer["seccompProfile"]["type"] == "RuntimeDefault"),
            ("no token of the cluster", pod["automountServiceAccountToken"] == false),
            ("nothing of the host", shares.iter().all(|field| pod[field].is_null())),
            ("no path of the host", volumes.clone().all(|volume| kinds.iter().any(|kind| !volume[kind].is_null()))),
            ("no more privileges", inner["allowPrivilegeEscalation"] == false && inner["privileged"].is_null()),
            ("a read-only root", inner["readOnlyRootFilesystem"] == true),
            ("no capability", inner["capabilities"] == json!({ "drop": ["ALL"] })),
            ("nothing in its own name", ["runAsUser", "runAsNonRoot"].iter().all(|field| inner[field].is_null())),
            ("no port of the host", container(deployment)["ports"].to_string().find("hostPort").is_none()),
        ];
        let broken = rules.iter().filter(|(_, kept)| !kept);
        breaches.extend(broken.map(|(rule, _)| format!("Deployment/{name}: {rule}")));
    }
    breaches
}

fn rollouts_are_gentle(manifest: &Manifest) -> Vec<String> {
    let mut breaches = Vec::new();
    for (name, deployment) in manifest.of("Deployment") {
        let (spec, pod) = (&deployment["spec"], &deployment["spec"]["template"]["spec"]);
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        let pause = number(&container(deployment)["lifecycle"]["preStop"]["sleep"]["seconds"]);
        let spread = |key: &str| {
            let constraint = list(&pod["topologySpreadConstraints"]).iter().find(|one| one["topologyKey"] == key);
            constraint.is_some_and(|one| {
                one["whenUnsatisfiable"] == "ScheduleAnyway"
                    && one["labelSelector"]["matchLabels"] == spec["selector"]["matchLabels"]
            })
        };
        let rules = [
            (
                "one more before one less",
                spec["strategy"]["rollingUpdate"] == json!({ "maxSurge": 1, "maxUnavailable": 0 }),
            ),
            ("a new pod proves itself", number(&spec["minReadySeconds"]) >= 5),
            ("its address is withdrawn first", pause >= 5),
            ("time to end in order", number(&pod["terminationGracePeriodSeconds"]) >= pause + LONGEST_END),
            ("apart by zone", spread("topology.kubernetes.io/zone")),
            ("apart by machine", spread("kubernetes.io/hostname")),
        ];
        let broken = rules.iter().filter(|(_, kept)| !kept);
        breaches.extend(broken.map(|(rule, _)| format!("Deployment/{name}: {rule}")));
    }
    for (name, budget) in manifest.of("PodDisruptionBudget") {
        let spec = &budget["spec"];
        let is_kind = spec["maxUnavailable"] == 1 && spec["minAvailable"].is_null();
        if !is_kind || spec["unhealthyPodEvictionPolicy"] != "AlwaysAllow" {
            breaches.push(format!("PodDisruptionBudget/{name} forbids to drain a node"));
        }
    }
    breaches
}

fn scaling_has_bounds(manifest: &Manifest) -> Vec<String> {
    let mut breaches = Vec::new();
    let (mut connections, deployments) = (0, manifest.of("Deployment"));
    for (name, deployment) in &deployments {
        let resources = &container(deployment)["resources"];
        let has = |part: &str, what: &str| resources[part][what].as_str().is_some();
        if !(has("requests", "cpu") && has("requests", "memory") && has("limits", "memory")) {
            breaches.push(format!("Deployment/{name} asks for nothing, or has no bound"));
        }
        let fixed = deployment["spec"]["replicas"].as_u64();
        if (*name == GATEWAY) != (fixed >= Some(2)) {
            breaches.push(format!("Deployment/{name}: its replicas are the autoscaler's, the gateway's are two"));
        }
    }
    for (name, scaler) in manifest.of("HorizontalPodAutoscaler") {
        let spec = &scaler["spec"];
        let (least, most) = (spec["minReplicas"].as_u64().unwrap_or(0), spec["maxReplicas"].as_u64().unwrap_or(0));
        let metric = &spec["metrics"][0]["resource"];
        if spec["scaleTargetRef"]["name"] != name || least < 2 || most < least || metric["name"] != "cpu" {
            breaches.push(format!("HorizontalPodAutoscaler/{name}: two of its own at least, by CPU"));
        }
        let pool = deployments
            .get(name)
            .map(|deployment| named(&container(deployment)["env"], "DATABASE_POOL")["value"].clone());
        let pool =
            pool.as_ref().and_then(Value::as_str).and_then(|pool| pool.parse::<u64>().ok()).unwrap_or(u64::MAX / 1000);
        // One more while it is rolled, and in each the connection of its leases.
        connections += (most + 1) * (pool + 1);
    }
    let most = values()["postgres"]["maxConnections"].as_u64().unwrap_or_default();
    if connections + 10 > most {
        breaches.push(format!("{connections} connections to Postgres, of {most}"));
    }
    breaches
}

fn the_gateway_is_that_of_the_folder(manifest: &Manifest) -> Vec<String> {
    let mut breaches = Vec::new();
    let maps = manifest.of("ConfigMap");
    let data = |part: &str| maps.get(format!("{GATEWAY}-{part}").as_str()).map_or(&Value::Null, |map| &map["data"]);
    let Some(deployment) = manifest.of("Deployment").get(GATEWAY).copied() else { return vec!["no gateway".into()] };
    let volumes = &deployment["spec"]["template"]["spec"]["volumes"];
    let items = &named(volumes, "templates")["configMap"]["items"];
    for (part, name, content) in gateway_files() {
        let key = name.replace('/', "__");
        let is_mounted = *part == "pages" || list(items).iter().any(|item| item["key"] == key && item["path"] == *name);
        if data(part)[&key].as_str() != Some(content) || !is_mounted {
            breaches.push(format!("gateway/{part}/{name} is another one, or is not mounted"));
        }
    }
    let held: usize =
        ["templates", "pages"].map(|part| data(part).as_object().map_or(0, serde_json::Map::len)).iter().sum();
    if held != gateway_files().len() {
        breaches.push(format!("{held} files are held, and the folder has {}", gateway_files().len()));
    }
    let mounts = &container(deployment)["volumeMounts"];
    let run = named(volumes, "run");
    if named(mounts, "run")["mountPath"] != "/tmp" || run["emptyDir"]["medium"] != "Memory" {
        breaches.push("verdicts about tokens are kept in memory, at /tmp".to_owned());
    }
    breaches
}
