//! What an argument's text says, or what is wrong with it.

use reqwest::Url;

use super::Setting;
use crate::{
    system::{GATEWAY, SERVICES},
    top::scrape::Address,
};

/// A length of a run.
pub fn minutes(text: &str) -> Result<f64, String> {
    let minutes: f64 = text.parse().map_err(|_| "it must be a number".to_owned())?;
    if (0.1..=24.0 * 60.0).contains(&minutes) { Ok(minutes) } else { Err("it must be 0.1 to 1440".to_owned()) }
}

/// A time between two looks.
pub fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "it must be a number".to_owned())?;
    if (0.2..=60.0).contains(&seconds) { Ok(seconds) } else { Err("it must be 0.2 to 60".to_owned()) }
}

/// A process of a service, as `service=URL`.
pub fn process(text: &str) -> Result<Address, String> {
    let (name, url) = text.split_once('=').ok_or("it must be like post-service=http://10.0.0.7:8001")?;
    let service = SERVICES.iter().find(|service| service.package == name);
    let service = service.ok_or_else(|| format!("there is no service {name}"))?;
    Ok(Address { service, url: address(url, &["http", "https"])? })
}

/// A setting of a service or of the gateway, as `service.NAME=value`.
pub fn setting(text: &str) -> Result<Setting, String> {
    let parts = text.split_once('.').and_then(|(service, rest)| Some((service, rest.split_once('=')?)));
    let (service, (name, value)) = parts.ok_or("it must be like post-service.LOG=debug")?;
    let known = SERVICES.iter().map(|known| known.package).chain([GATEWAY]).find(|known| *known == service);
    let service = known.ok_or_else(|| format!("there is no service {service}"))?;
    Ok(Setting { service, name: name.to_owned(), value: value.to_owned() })
}

/// The address of a Postgres.
pub fn postgres_url(text: &str) -> Result<Url, String> {
    address(text, &["postgres", "postgresql"])
}

/// The address of a Redis.
pub fn redis_url(text: &str) -> Result<Url, String> {
    address(text, &["redis", "rediss"])
}

fn address(text: &str, schemes: &[&str]) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !schemes.contains(&url.scheme()) {
        return Err(format!("it must begin with {}://", schemes.join(":// or ")));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it names no host".to_owned());
    }
    Ok(url)
}
