//! What would fail in a cluster, one mistake at a time, each of which a law must notice.

use serde_json::Value;

use super::objects::{Manifest, text};

/// A mistake in an object.
#[derive(Debug)]
pub struct Mutation {
    /// `kind/name`; the object itself is deleted where there is no place.
    pub object: &'static str,
    /// From the object to the field; an element of a list by its number or its name.
    pub place: &'static str,
    /// As JSON; empty: the field is deleted.
    pub value: &'static str,
}

const fn of(object: &'static str, place: &'static str, value: &'static str) -> Mutation {
    Mutation { object, place, value }
}

const POST: &str = "Deployment/post-service";

pub const MUTATIONS: &[Mutation] = &[
    // An object is missing, or elsewhere.
    of("NetworkPolicy/deny-all", "", ""),
    of("NetworkPolicy/engagement-service", "", ""),
    of("PodDisruptionBudget/auth-service", "", ""),
    of("HorizontalPodAutoscaler/post-service", "", ""),
    of("Service/moderation-service", "", ""),
    of("Service/gateway", "metadata/namespace", "\"default\""),
    of("Service/gateway", "metadata/name", "\"entrance\""),
    // Ports and labels.
    of(POST, "spec/template/spec/containers/0/ports/0/containerPort", "8002"),
    of(POST, "spec/template/spec/containers/0/ports/0/hostPort", "8001"),
    of("Service/post-service", "spec/ports/0/port", "80"),
    of("Service/post-service", "spec/ports/0/targetPort", "\"web\""),
    of("Service/auth-service", "spec/selector/app.kubernetes.io~1name", "\"post-service\""),
    of(POST, "spec/selector/matchLabels/app.kubernetes.io~1instance", "\"other\""),
    of("PodDisruptionBudget/post-service", "spec/selector/matchLabels/app.kubernetes.io~1name", "\"gateway\""),
    // Settings.
    of(POST, "spec/template/spec/containers/0/env/DATABASE_POOL/name", "\"DATABASE_POOLS\""),
    of(POST, "spec/template/spec/containers/0/env/DATABASE_URL_FILE/name", "\"DATABASE_URL\""),
    of(POST, "spec/template/spec/containers/0/env/DATABASE_URL_FILE/value", "\"/run/secrets/DATABASE_URL\""),
    of(POST, "spec/template/spec/containers/0/env/MODERATION_URL/value", "\"http://moderation-service:8002\""),
    of(POST, "spec/template/spec/containers/0/env/PRODUCERS", ""),
    of(POST, "spec/template/spec/containers/0/env/AUTHENTICATION_VERIFICATION_URL", ""),
    of(POST, "spec/template/spec/containers/0/env/ENVIRONMENT/value", "\"development\""),
    of(POST, "spec/template/spec/containers/0/env/DATABASE_POOL/value", "5"),
    of(POST, "spec/template/spec/volumes/secrets/secret/items/0", ""),
    of(POST, "spec/template/spec/volumes/secrets/secret/secretName", "\"auth-service\""),
    of(POST, "spec/template/spec/containers/0/volumeMounts/secrets/readOnly", "false"),
    of("Deployment/gateway", "spec/template/spec/containers/0/env/GATEWAY_AUTH/value", "\"auth-service:8000\""),
    of("Deployment/gateway", "spec/template/spec/containers/0/env/GATEWAY_RATE", ""),
    // Images.
    of(POST, "spec/template/spec/containers/0/image", "\"ghcr.io/example/social/post-service:latest\""),
    of(POST, "spec/template/spec/containers/0/image", "\"ghcr.io/example/social/post-service\""),
    of("Deployment/gateway", "spec/template/spec/containers/0/image", "\"nginx:1.30-trixie\""),
    // Probes.
    of(POST, "spec/template/spec/containers/0/readinessProbe", ""),
    of(POST, "spec/template/spec/containers/0/readinessProbe/httpGet/path", "\"/health/ready\""),
    of(POST, "spec/template/spec/containers/0/livenessProbe/httpGet/path", "\"/health/serve\""),
    of(POST, "spec/template/spec/containers/0/startupProbe/httpGet/port", "8000"),
    of(POST, "spec/template/spec/containers/0/livenessProbe/failureThreshold", "1"),
    // Rights.
    of("Namespace/social", "metadata/labels/pod-security.kubernetes.io~1enforce", "\"baseline\""),
    of(POST, "spec/template/spec/securityContext/runAsNonRoot", "false"),
    of(POST, "spec/template/spec/securityContext/runAsUser", "0"),
    of(POST, "spec/template/spec/securityContext/seccompProfile", ""),
    of(POST, "spec/template/spec/automountServiceAccountToken", "true"),
    of(POST, "spec/template/spec/hostNetwork", "true"),
    of(POST, "spec/template/spec/containers/0/securityContext/allowPrivilegeEscalation", ""),
    of(POST, "spec/template/spec/containers/0/securityContext/readOnlyRootFilesystem", "false"),
    of(POST, "spec/template/spec/containers/0/securityContext/capabilities/add", "[\"NET_ADMIN\"]"),
    of(POST, "spec/template/spec/containers/0/securityContext/privileged", "true"),
    of("Deployment/gateway", "spec/template/spec/volumes/run", "{\"name\":\"run\",\"hostPath\":{\"path\":\"/tmp\"}}"),
    // Rollouts and drains.
    of(POST, "spec/strategy/rollingUpdate/maxUnavailable", "1"),
    of(POST, "spec/template/spec/containers/0/lifecycle", ""),
    of(POST, "spec/template/spec/terminationGracePeriodSeconds", "10"),
    of(POST, "spec/template/spec/topologySpreadConstraints/0/whenUnsatisfiable", "\"DoNotSchedule\""),
    of(POST, "spec/template/spec/topologySpreadConstraints/1", ""),
    of("PodDisruptionBudget/gateway", "spec/maxUnavailable", "0"),
    of("PodDisruptionBudget/gateway", "spec/unhealthyPodEvictionPolicy", ""),
    // Scaling.
    of("HorizontalPodAutoscaler/post-service", "spec/maxReplicas", "40"),
    of("HorizontalPodAutoscaler/post-service", "spec/minReplicas", "1"),
    of("HorizontalPodAutoscaler/post-service", "spec/scaleTargetRef/name", "\"auth-service\""),
    of(POST, "spec/replicas", "2"),
    of(POST, "spec/template/spec/containers/0/resources/requests/cpu", ""),
    of(POST, "spec/template/spec/containers/0/resources/limits", ""),
    // The network.
    of("NetworkPolicy/deny-all", "spec/ingress", "[{}]"),
    of("NetworkPolicy/deny-all", "spec/policyTypes", "[\"Ingress\"]"),
    of("NetworkPolicy/auth-service", "spec/ingress/0", ""),
    of("NetworkPolicy/auth-service", "spec/ingress/0/from", ""),
    of("NetworkPolicy/auth-service", "spec/ingress/0/ports/0/port", "8001"),
    of("NetworkPolicy/moderation-service", "spec/egress/0", ""),
    of("NetworkPolicy/moderation-service", "spec/egress/1/to", ""),
    of("NetworkPolicy/gateway", "spec/egress/1/to/0/podSelector/matchLabels/app.kubernetes.io~1name", "\"postgres\""),
    of("NetworkPolicy/post-service", "spec/podSelector/matchLabels/app.kubernetes.io~1name", "\"gateway\""),
    // The gateway.
    of("ConfigMap/gateway-templates", "data/http__routes.conf.template", "\"\""),
    of("ConfigMap/gateway-pages", "data/index.html", ""),
    of("Deployment/gateway", "spec/template/spec/volumes/templates/configMap/items/0/path", "\"elsewhere\""),
    of("Deployment/gateway", "spec/template/spec/volumes/run/emptyDir/medium", ""),
];

/// Makes the mistake. Fails where there is no such place, since then nothing would be tried.
pub fn mutate(manifest: &mut Manifest, mutation: &Mutation) {
    let (kind, name) = mutation.object.split_once('/').unwrap_or_default();
    let is_it = |object: &Value| object["kind"] == kind && text(&object["metadata"]["name"]) == name;
    let at = manifest.objects.iter().position(is_it).unwrap_or_else(|| panic!("there is no {}", mutation.object));
    let Some((last, path)) = mutation.place.split('/').collect::<Vec<_>>().split_last().map(|(l, p)| (*l, p.to_vec()))
    else {
        panic!("no place")
    };
    if mutation.place.is_empty() {
        manifest.objects.remove(at);
        return;
    }
    let mut value = &mut manifest.objects[at];
    for part in path {
        value =
            step(value, part).unwrap_or_else(|| panic!("{}: {part} is not there: {}", mutation.object, mutation.place));
    }
    let new =
        || serde_json::from_str::<Value>(mutation.value).unwrap_or_else(|error| panic!("{}: {error}", mutation.value));
    let key = last.replace("~1", "/");
    match value {
        Value::Array(elements) => {
            let at = index(elements, &key).unwrap_or_else(|| panic!("{}: {key} is not there", mutation.object));
            if mutation.value.is_empty() { drop(elements.remove(at)) } else { elements[at] = new() }
        }
        Value::Object(fields) if mutation.value.is_empty() => {
            assert!(fields.remove(&key).is_some(), "{}: {} is not there", mutation.object, mutation.place);
        }
        Value::Object(fields) => drop(fields.insert(key, new())),
        _ => panic!("{}: {} has no fields", mutation.object, mutation.place),
    }
}

fn step<'a>(value: &'a mut Value, part: &str) -> Option<&'a mut Value> {
    match value {
        Value::Array(elements) => index(elements, part).and_then(|at| elements.get_mut(at)),
        other => other.get_mut(part.replace("~1", "/")),
    }
}

fn index(elements: &[Value], part: &str) -> Option<usize> {
    part.parse().ok().or_else(|| elements.iter().position(|element| element["name"] == part))
}
