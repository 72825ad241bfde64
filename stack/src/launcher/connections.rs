//! The addresses of a platform's services and servers, in a file of its data folder to `source`.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use reqwest::Url;

use crate::platform::config::PlatformConfig;
use crate::platform::gateway;
use crate::servers::folder::{CONNECTIONS, Folder, read_if_there, write_private};
use crate::system::SERVICES;

/// Its name.
pub const FILE: &str = CONNECTIONS;

/// Writes it.
pub fn write(folder: &Folder, config: &PlatformConfig, gateway_port: Option<u16>, web: bool) -> Result<()> {
    let mut text = String::from(
        "# Every service's own role: psql $AUTH_DATABASE_URL; the streams: redis-cli -u $REDIS_URL\n\
         # Its API: curl $AUTH_SERVICE_URL/health/ready\n",
    );
    for service in &SERVICES {
        writeln!(text, "{}_DATABASE_URL='{}'", service.noun.to_uppercase(), config.database(service)?)?;
        writeln!(text, "{}_REDIS_URL='{}'", service.noun.to_uppercase(), config.redis(service)?)?;
    }
    writeln!(text, "DATABASE_URL='{}'\nREDIS_URL='{}'", config.postgres, config.redis)?;
    if let (true, [node, ..]) = (config.redis.is_cluster(), config.redis.servers()) {
        writeln!(text, "# The streams of a cluster: redis-cli -c -u $REDIS_NODE_URL\nREDIS_NODE_URL='{node}'")?;
    }
    for service in &SERVICES {
        writeln!(text, "{}_SERVICE_URL='{}'", service.noun.to_uppercase(), service.url(config.port_base, 0))?;
    }
    if let Some(port) = gateway_port {
        writeln!(text, "GATEWAY_URL='{}'", gateway::url(port))?;
        // The pages are at the same address.
        if web {
            writeln!(text, "WEB_URL='{}'", gateway::url(port))?;
        }
    }
    writeln!(text, "SERVICE_TOKEN='{}'", config.secrets.service_token)?;
    write_private(&folder.path().join(FILE), &text)
}

/// The first port of the platform that was last started in a folder.
pub fn port_base(folder: &Path) -> Option<u16> {
    let text = read_if_there(&folder.join(FILE)).ok()??;
    let url = text.lines().find_map(|line| line.strip_prefix("AUTH_SERVICE_URL='")?.strip_suffix('\''))?;
    url.parse::<Url>().ok()?.port()
}
