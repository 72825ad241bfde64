//! The manifest as the laws read it, and what the repository says about the same things.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirEntry};
use std::sync::LazyLock;

use serde_json::Value;

use crate::shape::sources::{SERVICES, read, root, sources};

/// The workloads of the manifest.
pub const GATEWAY: &str = "gateway";

/// The objects of a manifest.
#[derive(Debug, Clone)]
pub struct Manifest {
    pub objects: Vec<Value>,
}

impl Manifest {
    /// The committed one.
    pub fn read() -> Manifest {
        let text = read(&root().join("deploy/kubernetes.yaml"));
        let objects: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{error}"));
        Manifest { objects: objects.into_iter().filter(|object| !object.is_null()).collect() }
    }

    /// The objects of a kind, by name.
    pub fn of(&self, kind: &str) -> BTreeMap<&str, &Value> {
        let of_kind = self.objects.iter().filter(|object| object["kind"] == kind);
        of_kind.map(|object| (text(&object["metadata"]["name"]), object)).collect()
    }

    /// `kind/name` of every object.
    pub fn names(&self) -> BTreeSet<String> {
        let name = |object: &Value| format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"]));
        self.objects.iter().map(name).collect()
    }
}

/// A text, and nothing where there is none.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The elements of a list, and none where there is no list.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The element of a list that has this name.
pub fn named<'a>(value: &'a Value, name: &str) -> &'a Value {
    list(value).iter().find(|element| element["name"] == name).unwrap_or(&Value::Null)
}

/// The one container of a Deployment.
pub fn container(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["spec"]["containers"][0]
}

/// The ports that the images of the workloads are made for.
static PORTS: LazyLock<BTreeMap<&str, u64>> = LazyLock::new(|| {
    let exposed = |service: &str| {
        let image = read(&root().join(service).join("Dockerfile"));
        let port = image.lines().find_map(|line| line.strip_prefix("EXPOSE ")?.trim().parse().ok());
        port.unwrap_or_else(|| panic!("{service} exposes no port"))
    };
    SERVICES.map(|service| (service, exposed(service))).into_iter().chain([(GATEWAY, 8080)]).collect()
});

/// The port of a workload; none where there is no such workload.
pub fn port(workload: &str) -> Option<u64> {
    PORTS.get(workload).copied()
}

/// The settings of each service by its sources, and whether each is a secret, which can be given as a file.
static SETTINGS: LazyLock<BTreeMap<&str, BTreeMap<String, bool>>> =
    LazyLock::new(|| SERVICES.map(|service| (service, declared(service))).into());

/// Those of one service; none where there is no such service.
pub fn settings(service: &str) -> BTreeMap<String, bool> {
    SETTINGS.get(service).cloned().unwrap_or_default()
}

fn declared(service: &str) -> BTreeMap<String, bool> {
    let mut settings = BTreeMap::new();
    for file in sources(service) {
        let code = &file.text[..file.tests_from().unwrap_or(file.text.len())];
        for argument in code.split("#[arg(").skip(1) {
            let argument = argument.split(")]").next().unwrap_or_default();
            let name = argument.split_once("env = \"").and_then(|(_, rest)| rest.split('"').next());
            if let Some(name) = name {
                settings.insert(name.to_owned(), argument.contains("hide_env_values"));
            }
        }
    }
    settings
}

/// The settings of the gateway.
pub fn gateway_settings() -> &'static BTreeSet<String> {
    static NAMES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
        let file = read(&root().join("gateway/gateway.env"));
        let lines = file.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect()
    });
    &NAMES
}

/// The files of the gateway's folder that nginx reads: the part of the folder, the path in it, the text.
pub fn gateway_files() -> &'static [(&'static str, String, String)] {
    static FILES: LazyLock<Vec<(&str, String, String)>> = LazyLock::new(|| {
        let mut files = Vec::new();
        for (part, folder) in [("templates", ""), ("templates", "http/"), ("templates", "snippets/"), ("pages", "")] {
            let path = root().join("gateway").join(part).join(folder);
            let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let entries = entries.flatten().filter(|entry| entry.path().is_file());
            let name = |entry: &DirEntry| format!("{folder}{}", entry.file_name().to_string_lossy());
            files.extend(entries.map(|entry| (part, name(&entry), read(&entry.path()))));
        }
        files
    });
    &FILES
}

/// The five services and the gateway.
pub fn workloads() -> impl Iterator<Item = &'static str> {
    SERVICES.into_iter().chain([GATEWAY])
}

#[test]
fn settings_are_found_where_they_are_declared() {
    let post = settings("post-service");
    assert_eq!(post.get("DATABASE_URL"), Some(&true));
    assert_eq!(post.get("MEDIA_STORE"), Some(&false));
    assert_eq!(post.get("SMTP_URL"), None);
    assert!(gateway_settings().contains("GATEWAY_RESOLVER"), "{:?}", gateway_settings());
}
