//! The system on one page: what runs, which data each owns, where each listens, and what each asks for.
//!
//! ```text
//! Postgres  one database `social`; every service its own role and schema, both named like its noun
//! Redis     database 0; one stream per event type
//!
//! service              port     asks over HTTP     its own settings
//! auth-service         base+0   -                  SECRET_KEY, MAIL_DIR, PUBLIC_URL
//! post-service         base+1   auth, mod., inter. MODERATION_URL, MEDIA_STORE, MEDIA_URL, PUBLIC_URL
//! interaction-service  base+2   auth, post, mod.   POST_SERVICE_URL, MODERATION_URL
//! moderation-service   base+3   auth               -
//! engagement-service   base+4   auth               PUBLIC_URL
//! gateway              8080     all five           GATEWAY_*
//! web-client           base+5   the gateway        API_URL, TRUSTED_PROXIES
//! ```
//!
//! No service waits for a neighbour in order to start: one that misses a neighbour reports it in `/health/ready`
//! and heals by itself. Replica k of a service listens 100·k above its first one.

/// The database that holds the five schemas.
pub const DATABASE: &str = "social";

/// The gateway before the services, which is no service: nginx.
pub const GATEWAY: &str = "gateway";

/// The pages before the gateway, which are no service: a client of it like any other.
pub const WEB: &str = "web-client";

/// The port of the pages, counted from the base of the services.
pub const WEB_OFFSET: u16 = 5;

/// Distance in ports between two replicas of one service.
pub const REPLICA_STEP: u16 = 100;

/// What runs as a process of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Service {
    /// Its noun: the name of its schema and its role.
    pub noun: &'static str,
    /// Its crate and its binary.
    pub package: &'static str,
    /// Its port, counted from the base.
    pub offset: u16,
    /// The settings that it needs beyond those of every service.
    pub needs: &'static [Need],
}

/// A setting that only some services have.
#[derive(Debug, PartialEq, Eq)]
pub enum Need {
    /// `SECRET_KEY`: signs what the service hands out.
    SecretKey,
    /// `MAIL_DIR`, `PUBLIC_URL`: where mails go, and the address that is written in them.
    Mail,
    /// `PUBLIC_URL`: the address of links in mails that another service sends, and of the metadata of NFTs.
    Links,
    /// `AUTHENTICATION_VERIFICATION_URL`: where the tokens of its callers are checked.
    Verification,
    /// `POST_SERVICE_URL`: where posts are fetched whose events have not arrived yet.
    Posts,
    /// `MEDIA_STORE`, `MEDIA_URL`: where pictures are stored, and the address before their paths.
    Media,
    /// `MODERATION_URL`: where texts are checked before they are published, once `PRE_PUBLISH` is on.
    Moderation,
}

/// The five services, in the order in which they are started and listed.
pub const SERVICES: [Service; 5] = [AUTH, POST, INTERACTION, MODERATION, ENGAGEMENT];

pub const AUTH: Service =
    Service { noun: "auth", package: "auth-service", offset: 0, needs: &[Need::SecretKey, Need::Mail] };
pub const POST: Service = Service {
    noun: "post",
    package: "post-service",
    offset: 1,
    needs: &[Need::Verification, Need::Moderation, Need::Media, Need::Links],
};
pub const INTERACTION: Service = Service {
    noun: "interaction",
    package: "interaction-service",
    offset: 2,
    needs: &[Need::Verification, Need::Posts, Need::Moderation],
};
pub const MODERATION: Service =
    Service { noun: "moderation", package: "moderation-service", offset: 3, needs: &[Need::Verification] };
pub const ENGAGEMENT: Service =
    Service { noun: "engagement", package: "engagement-service", offset: 4, needs: &[Need::Verification, Need::Links] };

impl Service {
    /// The port of a replica; none when it would lie beyond the last port.
    pub fn port(&self, base: u16, replica: u16) -> Option<u16> {
        REPLICA_STEP.checked_mul(replica)?.checked_add(base)?.checked_add(self.offset)
    }

    /// The address of a replica, without a path.
    pub fn url(&self, base: u16, replica: u16) -> String {
        format!("http://127.0.0.1:{}", base + REPLICA_STEP * replica + self.offset)
    }

    /// The variable by which sqlx's macros find this service's database while it is compiled.
    pub fn database_variable(&self) -> String {
        format!("{}_DATABASE_URL", self.package.to_uppercase().replace('-', "_"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_its_own_port_in_the_order_of_the_list() {
        let ports: Vec<_> = SERVICES.iter().map(|service| service.port(8000, 0)).collect();
        assert_eq!(ports, [Some(8000), Some(8001), Some(8002), Some(8003), Some(8004)]);
    }

    #[test]
    fn replicas_are_a_hundred_ports_apart() {
        assert_eq!(POST.port(8000, 2), Some(8201));
        assert_eq!(POST.url(8000, 2), "http://127.0.0.1:8201");
    }

    #[test]
    fn a_port_beyond_the_last_is_none() {
        assert_eq!(ENGAGEMENT.port(65_532, 0), None);
        assert_eq!(AUTH.port(8000, 1000), None);
    }

    #[test]
    fn the_compile_time_variable_is_named_like_the_package() {
        assert_eq!(INTERACTION.database_variable(), "INTERACTION_SERVICE_DATABASE_URL");
    }

    #[test]
    fn nouns_are_what_the_packages_are_named_after() {
        for service in &SERVICES {
            assert_eq!(format!("{}-service", service.noun), service.package);
        }
    }
}
