//! The order in which the components of a platform are started. Any order works, because no service waits for a neighbour;
//! the default is the fastest, and others exist to test that promise.

use crate::system::{SERVICES, Service};

/// What is started as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// The server, and in it what the services own: roles, a database, schemas.
    Postgres,
    Redis,
    /// All replicas of a service.
    Service(&'static Service),
}

impl Component {
    /// The servers first, then the services as they are listed.
    fn default_order() -> impl Iterator<Item = Component> {
        [Component::Postgres, Component::Redis].into_iter().chain(SERVICES.iter().map(Component::Service))
    }

    fn name(self) -> &'static str {
        match self {
            Component::Postgres => "postgres",
            Component::Redis => "redis",
            Component::Service(service) => service.package,
        }
    }

    /// The component of that name; the error lists all names.
    pub fn parse(name: &str) -> Result<Component, String> {
        let names = || Component::default_order().map(Component::name).collect::<Vec<_>>().join(", ");
        let found = Component::default_order().find(|component| component.name() == name);
        found.ok_or_else(|| format!("it must be one of {}", names()))
    }
}

/// Every component once: those that are given first, then the others in the default order.
pub fn complete(first: &[Component]) -> Vec<Component> {
    let mut order = Vec::new();
    for component in first.iter().copied().chain(Component::default_order()) {
        if !order.contains(&component) {
            order.push(component);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(first: &[&str]) -> Vec<&'static str> {
        let first: Vec<_> = first.iter().map(|name| Component::parse(name).unwrap()).collect();
        complete(&first).into_iter().map(Component::name).collect()
    }

    #[test]
    fn servers_come_first_by_default() {
        let default = ["postgres", "redis", "auth-service", "post-service", "interaction-service"];
        assert_eq!(names(&[])[..5], default);
        let wanted = ["redis", "engagement-service", "post-service", "redis"];
        let [first, second, third, rest @ ..] = &names(&wanted)[..] else { panic!("too few") };
        assert_eq!([*first, *second, *third], wanted[..3]);
        assert_eq!(rest, ["postgres", "auth-service", "interaction-service", "moderation-service"]);
    }

    #[test]
    fn an_unknown_component_is_answered_with_the_known_ones() {
        let error = Component::parse("mail-service").unwrap_err();
        assert!(error.starts_with("it must be one of postgres, redis, auth-service, "), "{error}");
    }
}
