//! The processes of the services: several of each, what they are called, where they listen, who stands in for whom.

use anyhow::{Context, Result};

use crate::system::{SERVICES, Service};

/// Every process of every service, service by service.
pub fn processes(replicas: u16) -> impl Iterator<Item = (&'static Service, u16)> {
    SERVICES.iter().flat_map(move |service| (0..replicas).map(move |replica| (service, replica)))
}

/// What a process is called: in lists, and its log.
pub fn name(service: &Service, replica: u16) -> String {
    if replica == 0 { service.package.to_owned() } else { format!("{}-{}", service.package, replica + 1) }
}

/// Where all of them listen, by name.
pub fn ports(base: u16, replicas: u16) -> Result<Vec<(String, u16)>> {
    processes(replicas)
        .map(|(service, replica)| {
            let port = service.port(base, replica);
            let name = name(service, replica);
            let port = port.with_context(|| format!("{name} would need a port beyond 65535; lower --port-base"))?;
            Ok((name, port))
        })
        .collect()
}

/// The names of all processes that do what a process does, itself among them; none for a server.
pub fn kin(process: &str, replicas: u16) -> Vec<String> {
    let found = processes(replicas).find(|(service, replica)| name(service, *replica) == process);
    found.map_or(Vec::new(), |(service, _)| (0..replicas).map(|replica| name(service, replica)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_replica_wants_a_port_and_has_a_name() {
        let wanted = ports(9000, 2).unwrap();
        assert_eq!(wanted.len(), 10);
        assert_eq!(wanted[2], ("post-service".to_owned(), 9001));
        assert_eq!(wanted[3], ("post-service-2".to_owned(), 9101));
    }

    #[test]
    fn ports_that_do_not_exist_are_refused() {
        let error = ports(65_533, 1).unwrap_err().to_string();
        assert_eq!(error, "moderation-service would need a port beyond 65535; lower --port-base");
    }

    #[test]
    fn replicas_stand_in_for_each_other_and_nobody_for_a_server() {
        assert_eq!(kin("post-service-2", 2), ["post-service", "post-service-2"]);
        assert_eq!(kin("Redis", 2), Vec::<String>::new());
    }
}
