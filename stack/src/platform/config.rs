//! The configuration of a platform, and the environment of each of its processes that follows from it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use reqwest::Url;

use crate::platform::replicas::Replica;
use crate::servers::redis_url::RedisUrl;
use crate::servers::state::Secrets;
use crate::system::{AUTH, DATABASE, GATEWAY, MODERATION, Need, POST, SERVICES, Service, WEB};

/// An environment variable for all processes of one service, or a setting of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub service: &'static str,
    pub name: String,
    pub value: String,
}

impl Setting {
    /// Reads `service.NAME=value`.
    pub fn parse(text: &str) -> Result<Setting, String> {
        let parts = text.split_once('.').and_then(|(service, rest)| Some((service, rest.split_once('=')?)));
        let (service, (name, value)) = parts.ok_or("it must be like post-service.LOG=debug")?;
        let known = SERVICES.iter().map(|known| known.package).chain([GATEWAY, WEB]).find(|known| *known == service);
        let service = known.ok_or_else(|| format!("there is no service {service}"))?;
        Ok(Setting { service, name: name.to_owned(), value: value.to_owned() })
    }
}

/// Everything that the environments of the services are made of.
#[derive(Debug)]
pub struct PlatformConfig {
    pub port_base: u16,
    /// The superuser's address; every service gets its own role in its place.
    pub postgres: Url,
    /// The port of a transaction pooler before it.
    pub pooler: Option<u16>,
    /// As operators use it.
    pub redis: RedisUrl,
    /// Whether it has a user for each service.
    pub redis_users: bool,
    pub secrets: Secrets,
    /// The folder that mails are written to instead of being sent.
    pub mail: PathBuf,
    /// The folder that pictures are stored in.
    pub media: PathBuf,
    pub rate_limits: bool,
}

impl PlatformConfig {
    /// The environment of one process of a service.
    pub fn environment(&self, replica: Replica) -> Result<Vec<(&'static str, String)>> {
        let Replica { service, number } = replica;
        let port = service.port(self.port_base, number).with_context(|| format!("no port for {}", replica.name()))?;
        let mut environment = vec![
            ("HOST", "127.0.0.1".to_owned()),
            ("PORT", port.to_string()),
            ("DATABASE_URL", self.pooled_database(service)?.to_string()),
            ("REDIS_URL", self.redis(service)?.to_string()),
            ("SERVICE_TOKEN", self.secrets.service_token.clone()),
            ("PRODUCERS", self.producers(number)),
            ("ENVIRONMENT", "development".to_owned()),
            ("LOG_FORMAT", "pretty".to_owned()),
            // The logs are files.
            ("NO_COLOR", "1".to_owned()),
        ];
        if self.pooler.is_some() {
            environment.push(("DATABASE_DIRECT_URL", self.database(service)?.to_string()));
        }
        if !self.rate_limits {
            environment.push(("RATE_LIMITS", "off".to_owned()));
        }
        let auth = AUTH.url(self.port_base, number);
        for need in service.needs {
            match need {
                Need::SecretKey => environment.push(("SECRET_KEY", self.secrets.secret_key.clone())),
                Need::Mail => {
                    environment.push(("MAIL_DIR", self.mail.to_string_lossy().into_owned()));
                    environment.push(("PUBLIC_URL", auth.clone()));
                }
                Need::Links => environment.push(("PUBLIC_URL", service.url(self.port_base, number))),
                Need::Verification => {
                    environment.push(("AUTHENTICATION_VERIFICATION_URL", format!("{auth}/api/v1/auth/verify-token")));
                }
                Need::Media => {
                    environment.push(("MEDIA_STORE", self.media.to_string_lossy().into_owned()));
                    environment.push(("MEDIA_URL", service.url(self.port_base, number)));
                }
                Need::Moderation => environment.push(("MODERATION_URL", MODERATION.url(self.port_base, number))),
                Need::Posts => environment.push(("POST_SERVICE_URL", POST.url(self.port_base, number))),
            }
        }
        Ok(environment)
    }

    /// Where a replica fetches events that Redis lost: from the neighbours of the same number.
    fn producers(&self, number: u16) -> String {
        let producers =
            SERVICES.iter().map(|service| format!("{}={}", service.package, service.url(self.port_base, number)));
        producers.collect::<Vec<_>>().join(",")
    }

    /// The database as a service's role sees it.
    pub fn database(&self, service: &Service) -> Result<Url> {
        let password = self.secrets.roles.get(service.noun).map(String::as_str);
        let mut url = self.postgres.clone();
        url.set_path(DATABASE);
        let set = url.set_username(service.noun).and_then(|()| url.set_password(password));
        set.ok().with_context(|| format!("{} cannot hold a user", self.postgres.scheme()))?;
        Ok(url)
    }

    /// The same through the pooler, where there is one.
    fn pooled_database(&self, service: &Service) -> Result<Url> {
        let mut url = self.database(service)?;
        if let Some(port) = self.pooler {
            url.set_port(Some(port)).ok().context("Postgres has no port")?;
        }
        Ok(url)
    }

    /// Redis as a service's user sees it.
    pub fn redis(&self, service: &Service) -> Result<RedisUrl> {
        if !self.redis_users {
            return Ok(self.redis.clone());
        }
        self.redis.of_user(service.noun, self.secrets.roles.get(service.noun).map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::{ENGAGEMENT, INTERACTION};

    fn config() -> PlatformConfig {
        let mut secrets = Secrets::generate();
        secrets.roles.insert("interaction".to_owned(), "pw".to_owned());
        secrets.service_token = "token".to_owned();
        PlatformConfig {
            port_base: 8000,
            postgres: "postgres://boss:secret@db.example:5433/other?sslmode=require".parse().unwrap(),
            pooler: None,
            redis: RedisUrl::parse("redis://default:secret@127.0.0.1:16379/0").unwrap(),
            redis_users: true,
            secrets,
            mail: "/data/mail".into(),
            media: "/data/media".into(),
            rate_limits: false,
        }
    }

    fn value(service: &'static Service, number: u16, name: &str) -> Option<String> {
        let environment = config().environment(Replica { service, number }).unwrap();
        environment.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    #[test]
    fn a_service_gets_its_own_role_and_never_the_superuser() {
        assert_eq!(
            value(&INTERACTION, 0, "DATABASE_URL").unwrap(),
            "postgres://interaction:pw@db.example:5433/social?sslmode=require"
        );
        assert_eq!(value(&INTERACTION, 0, "REDIS_URL").unwrap(), "redis://interaction:pw@127.0.0.1:16379/0");
        for service in &SERVICES {
            let environment = config().environment(Replica { service, number: 0 }).unwrap();
            let is_own = |value: &str| !value.contains("boss") && !value.contains("default");
            assert!(environment.iter().all(|(_, value)| is_own(value)), "{}", service.package);
        }
        let nodes = RedisUrl::parse("redis://default:secret@127.0.0.1:1,127.0.0.1:2?cluster").unwrap();
        let cluster = PlatformConfig { redis: nodes, ..config() }.redis(&INTERACTION).unwrap();
        assert_eq!(cluster.as_str(), "redis://interaction:pw@127.0.0.1:1,127.0.0.1:2?cluster");
        let elsewhere = PlatformConfig { redis_users: false, ..config() };
        assert_eq!(elsewhere.redis(&INTERACTION).unwrap(), elsewhere.redis, "a Redis that was given is used as given");
    }

    #[test]
    fn a_pooler_is_passed_by_what_needs_a_session() {
        assert_eq!(value(&INTERACTION, 0, "DATABASE_DIRECT_URL"), None);
        let replica = Replica { service: &INTERACTION, number: 0 };
        let pooled = PlatformConfig { pooler: Some(6432), ..config() }.environment(replica).unwrap();
        let url = |wanted: &str| pooled.iter().find(|(name, _)| *name == wanted).map(|(_, url)| url.as_str());
        let (through, past) = (url("DATABASE_URL").unwrap(), url("DATABASE_DIRECT_URL").unwrap());
        assert_eq!(through, "postgres://interaction:pw@db.example:6432/social?sslmode=require");
        assert_eq!(past, "postgres://interaction:pw@db.example:5433/social?sslmode=require");
    }

    #[test]
    fn limits_are_off_unless_they_are_wanted() {
        assert_eq!(value(&INTERACTION, 0, "RATE_LIMITS").unwrap(), "off");
        let wanted = PlatformConfig { rate_limits: true, ..config() }
            .environment(Replica { service: &INTERACTION, number: 0 })
            .unwrap();
        assert!(wanted.iter().all(|(name, _)| *name != "RATE_LIMITS"), "{wanted:?}");
    }

    #[test]
    fn neighbours_are_those_of_the_same_replica() {
        assert_eq!(value(&INTERACTION, 1, "PORT").unwrap(), "8102");
        assert_eq!(value(&INTERACTION, 1, "POST_SERVICE_URL").unwrap(), "http://127.0.0.1:8101");
        assert_eq!(value(&POST, 1, "MODERATION_URL").unwrap(), "http://127.0.0.1:8103");
        assert_eq!(
            value(&INTERACTION, 1, "AUTHENTICATION_VERIFICATION_URL").unwrap(),
            "http://127.0.0.1:8100/api/v1/auth/verify-token"
        );
        let producers = value(&INTERACTION, 1, "PRODUCERS").unwrap();
        assert!(
            producers.starts_with("auth-service=http://127.0.0.1:8100,post-service=http://127.0.0.1:8101,"),
            "{producers}"
        );
    }

    #[test]
    fn only_the_auth_service_can_sign_and_send_mails() {
        assert_eq!(value(&AUTH, 0, "MAIL_DIR").unwrap(), "/data/mail");
        assert_eq!(value(&AUTH, 0, "SECRET_KEY").unwrap().len(), 64);
        for service in SERVICES.iter().filter(|service| **service != AUTH) {
            assert_eq!(value(service, 0, "SECRET_KEY"), None);
            assert_eq!(value(service, 0, "MAIL_DIR"), None);
        }
        assert_eq!(value(&ENGAGEMENT, 1, "PUBLIC_URL").unwrap(), "http://127.0.0.1:8104", "its links are in them");
        assert_eq!(value(&POST, 1, "MEDIA_STORE").unwrap(), "/data/media", "all replicas have the same");
        assert_eq!(value(&AUTH, 0, "MEDIA_STORE"), None);
        assert_eq!(value(&MODERATION, 0, "SERVICE_TOKEN").unwrap(), "token");
    }
}
