//! In which order the parts of a platform are started. Any order will do, for no service waits for a neighbour in order to
//! start; the usual one is merely the quickest, and others are there to try that promise.

use crate::system::{SERVICES, Service};

/// What is started as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The server, and in it what the services own: roles, a database, schemas.
    Postgres,
    Redis,
    /// All replicas of a service.
    Service(&'static Service),
}

impl Part {
    /// The servers first, then the services as they are listed.
    fn usual() -> impl Iterator<Item = Part> {
        [Part::Postgres, Part::Redis].into_iter().chain(SERVICES.iter().map(Part::Service))
    }

    fn name(self) -> &'static str {
        match self {
            Part::Postgres => "postgres",
            Part::Redis => "redis",
            Part::Service(service) => service.package,
        }
    }

    /// The part of that name; the error names them all.
    pub fn named(name: &str) -> Result<Part, String> {
        let names = || Part::usual().map(Part::name).collect::<Vec<_>>().join(", ");
        Part::usual().find(|part| part.name() == name).ok_or_else(|| format!("it must be one of {}", names()))
    }
}

/// All parts, each of them once: those that somebody wants first, then the others in the usual order.
pub fn complete(wanted: &[Part]) -> Vec<Part> {
    let mut order = Vec::new();
    for part in wanted.iter().copied().chain(Part::usual()) {
        if !order.contains(&part) {
            order.push(part);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(wanted: &[&str]) -> Vec<&'static str> {
        let wanted: Vec<_> = wanted.iter().map(|name| Part::named(name).unwrap()).collect();
        complete(&wanted).into_iter().map(Part::name).collect()
    }

    #[test]
    fn servers_come_first_unless_somebody_wants_it_otherwise() {
        let usual = ["postgres", "redis", "auth-service", "post-service", "interaction-service"];
        assert_eq!(names(&[])[..5], usual);
        let wanted = ["redis", "engagement-service", "post-service", "redis"];
        let [first, second, third, rest @ ..] = &names(&wanted)[..] else { panic!("too few") };
        assert_eq!([*first, *second, *third], wanted[..3]);
        assert_eq!(rest, ["postgres", "auth-service", "interaction-service", "moderation-service"]);
    }

    #[test]
    fn a_part_that_does_not_exist_is_answered_with_those_that_do() {
        let error = Part::named("mail-service").unwrap_err();
        assert!(error.starts_with("it must be one of postgres, redis, auth-service, "), "{error}");
    }
}
