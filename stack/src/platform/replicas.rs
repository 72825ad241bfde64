//! The processes of the services: several of each, their names, ports and siblings.

use anyhow::{Context, Result};

use crate::system::{SERVICES, Service};

/// One process of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replica {
    pub service: &'static Service,
    /// From 0.
    pub number: u16,
}

impl Replica {
    /// Its name in lists, which is that of its log too.
    pub fn name(self) -> String {
        let package = self.service.package;
        if self.number == 0 { package.to_owned() } else { format!("{package}-{}", self.number + 1) }
    }

    /// Its address without a path.
    pub fn url(self, port_base: u16) -> String {
        self.service.url(port_base, self.number)
    }
}

/// Every process of every service, service by service.
pub fn all(replicas: u16) -> impl Iterator<Item = Replica> {
    SERVICES.iter().flat_map(move |service| (0..replicas).map(move |number| Replica { service, number }))
}

/// The ports of all of them, by name.
pub fn ports(base: u16, replicas: u16) -> Result<Vec<(String, u16)>> {
    let ports = all(replicas).map(|replica| {
        let port = replica.service.port(base, replica.number);
        let name = replica.name();
        let port = port.with_context(|| format!("{name} would need a port beyond 65535; lower --port-base"))?;
        Ok((name, port))
    });
    ports.collect()
}

/// The names of all replicas of the service that a process belongs to, itself included; none for a server.
pub fn siblings(process: &str, replicas: u16) -> Vec<String> {
    let found = all(replicas).find(|replica| replica.name() == process);
    let siblings = all(replicas).filter(|replica| found.is_some_and(|found| found.service == replica.service));
    siblings.map(Replica::name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_replica_has_a_name_and_a_port() {
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
    fn replicas_are_siblings_and_servers_have_none() {
        assert_eq!(siblings("post-service-2", 2), ["post-service", "post-service-2"]);
        assert_eq!(siblings("Redis", 2), Vec::<String>::new());
    }
}
