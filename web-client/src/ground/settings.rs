//! All that can be set from outside.
use std::net::{IpAddr, Ipv4Addr};

use clap::{Parser, ValueEnum};
use ipnet::IpNet;
use reqwest::Url;

/// Pages of the platform for browsers, over its public API.
#[derive(Clone, Debug, Parser)]
#[command(name = "web-client", version)]
pub struct Settings {
    /// Address to listen on
    #[arg(long, env = "HOST", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub host: IpAddr,

    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = 8005)]
    pub port: u16,

    /// Where the API is: the gateway, without a path
    #[arg(long, env = "API_URL", default_value = "http://127.0.0.1:8080", value_parser = origin)]
    pub api_url: Url,

    /// Proxies whose X-Forwarded-For is believed, as networks or addresses, separated by commas
    #[arg(long, env = "TRUSTED_PROXIES", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,

    /// In production cookies travel over TLS alone
    #[arg(long, env = "ENVIRONMENT", default_value = "development")]
    pub environment: Environment,

    /// Which log lines are written, in the words of tracing's filters
    #[arg(long, env = "LOG", default_value = "info")]
    pub log: String,

    /// How log lines are written
    #[arg(long, env = "LOG_FORMAT", default_value = "json")]
    pub log_format: LogFormat,

    /// Ask the web client that runs on this host and port, and end with 0 when it says yes
    #[arg(long)]
    pub check: Option<Probe>,
}

/// Where it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    Development,
    Production,
}

/// For machines or for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Json,
    Pretty,
}

/// A question about its health.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Probe {
    /// The process answers
    Live,
    /// The gateway answers, too
    Ready,
}

fn origin(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("{error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.path() != "/" || url.query().is_some() {
        return Err("it must be like http://gateway:8080".to_owned());
    }
    Ok(url)
}

fn network(text: &str) -> Result<IpNet, String> {
    let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    net.map_err(|_| "an address or a network is needed, as 10.0.0.0/8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_is_an_origin_and_a_proxy_a_network() {
        assert!(origin("http://gateway:8080").is_ok());
        for wrong in ["ftp://gateway", "http://gateway/api", "http://gateway/?a", "gateway"] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
        assert_eq!(network("127.0.0.1").unwrap(), network("127.0.0.1/32").unwrap());
        assert!(network("here").is_err());
    }
}
