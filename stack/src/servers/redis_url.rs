//! The address of a Redis in the form of the services' setting: of one server, of the nodes of a cluster, or of sentinels.

use std::fmt::{self, Display, Formatter};
use std::slice;

use anyhow::{Context, Result, bail};
use reqwest::Url;

use crate::host::arguments;

const SCHEMES: [&str; 2] = ["redis", "rediss"];
/// The beginning of the address of sentinels, and what stands before the user that they ask for.
const SENTINELS: (&str, &str) = ("redis+sentinel://", "?sentinel=");
/// The end of the address of a cluster.
const CLUSTER: &str = "?cluster";

/// The address of a Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedisUrl {
    Single(Url),
    /// `redis://user:password@host:port,host:port?cluster`, and the address of each node that it names.
    Cluster {
        text: String,
        nodes: Vec<Url>,
    },
    /// `redis+sentinel://user:password@host:port,host:port/service/database`, and the address of each sentinel.
    Sentinels {
        text: String,
        nodes: Vec<Url>,
    },
}

impl RedisUrl {
    /// Reads any of the forms.
    pub fn parse(text: &str) -> Result<RedisUrl, String> {
        let nodes = |user: &str, hosts: &str| {
            let node = |host: &str| arguments::url(&format!("{user}{host}"), &SCHEMES);
            hosts.split(',').map(node).collect::<Result<Vec<_>, _>>()
        };
        if let Some(rest) = text.strip_prefix(SENTINELS.0) {
            let (authority, path) = rest.split_once('/').ok_or("it names no service")?;
            // They have users of their own.
            let user = path.split_once(SENTINELS.1).map(|(_, user)| format!("{user}@")).unwrap_or_default();
            let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
            let nodes = nodes(&format!("redis://{user}"), hosts)?;
            return Ok(RedisUrl::Sentinels { text: text.to_owned(), nodes });
        }
        let Some(text) = text.strip_suffix(CLUSTER) else {
            return arguments::url(text, &SCHEMES).map(RedisUrl::Single);
        };
        // The user stands once, before the first host.
        let hosts = text.rfind('@').or_else(|| text.find("://").map(|at| at + 2)).map_or(0, |at| at + 1);
        let (user, hosts) = text.split_at(hosts);
        Ok(RedisUrl::cluster(nodes(user, hosts)?))
    }

    /// That of the cluster of these nodes, which all have the same users.
    pub fn cluster(nodes: Vec<Url>) -> RedisUrl {
        let places = nodes.iter().map(place).collect::<Vec<_>>().join(",");
        let scheme = nodes.first().map_or(SCHEMES[0], Url::scheme);
        let user = match nodes.first().map(|node| (node.username(), node.password())) {
            Some((name, Some(password))) => format!("{name}:{password}@"),
            Some((name, None)) if !name.is_empty() => format!("{name}@"),
            _ => String::new(),
        };
        RedisUrl::Cluster { text: format!("{scheme}://{user}{places}{CLUSTER}"), nodes }
    }

    /// The same for another user.
    pub fn of_user(&self, name: &str, password: Option<&str>) -> Result<RedisUrl> {
        let of_user = |url: &Url| -> Result<Url> {
            let mut url = url.clone();
            let set = url.set_username(name).and_then(|()| url.set_password(password));
            set.ok().with_context(|| format!("{} cannot hold a user", url.scheme()))?;
            Ok(url)
        };
        Ok(match self {
            RedisUrl::Single(url) => RedisUrl::Single(of_user(url)?),
            RedisUrl::Cluster { nodes, .. } => {
                RedisUrl::cluster(nodes.iter().map(of_user).collect::<Result<Vec<_>>>()?)
            }
            RedisUrl::Sentinels { .. } => bail!("the users of a Redis with sentinels are its own"),
        })
    }

    pub fn is_cluster(&self) -> bool {
        matches!(self, RedisUrl::Cluster { .. })
    }

    /// The address of each server that it names.
    pub fn servers(&self) -> &[Url] {
        match self {
            RedisUrl::Single(url) => slice::from_ref(url),
            RedisUrl::Cluster { nodes, .. } | RedisUrl::Sentinels { nodes, .. } => nodes,
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            RedisUrl::Single(url) => url.as_str(),
            RedisUrl::Cluster { text, .. } | RedisUrl::Sentinels { text, .. } => text,
        }
    }
}

impl Display for RedisUrl {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The host and the port of an address.
pub fn place(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port().unwrap_or(6379))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_is_an_address_as_it_stands() {
        let url = RedisUrl::parse("redis://u:p@h:1/2").unwrap();
        assert_eq!((url.to_string().as_str(), url.is_cluster(), url.servers().len()), ("redis://u:p@h:1/2", false, 1));
        assert_eq!(url.of_user("v", Some("q")).unwrap().as_str(), "redis://v:q@h:1/2");
        assert!(RedisUrl::parse("http://h").unwrap_err().starts_with("it must begin with redis:// or rediss://"));
    }

    #[test]
    fn a_cluster_is_one_user_and_many_hosts() {
        let text = "redis://u:p@a:1,b:2,c?cluster";
        let url = RedisUrl::parse(text).unwrap();
        let servers: Vec<_> = url.servers().iter().map(Url::as_str).collect();
        assert_eq!(servers, ["redis://u:p@a:1", "redis://u:p@b:2", "redis://u:p@c"]);
        assert_eq!(url.as_str(), "redis://u:p@a:1,b:2,c:6379?cluster");
        let other = url.of_user("v", Some("q")).unwrap();
        assert_eq!(other.as_str(), "redis://v:q@a:1,b:2,c:6379?cluster");
        assert_eq!(RedisUrl::parse(other.as_str()).unwrap().as_str(), other.as_str());
    }

    #[test]
    fn sentinels_have_users_of_their_own() {
        let text = "redis+sentinel://u:p@a:1,b:2/main/0?sentinel=:q";
        let url = RedisUrl::parse(text).unwrap();
        let servers: Vec<_> = url.servers().iter().map(Url::as_str).collect();
        assert_eq!((url.as_str(), servers), (text, vec!["redis://:q@a:1", "redis://:q@b:2"]));
        let servers = RedisUrl::parse("redis+sentinel://a:1/main").unwrap().servers().to_vec();
        assert_eq!(servers.iter().map(Url::as_str).collect::<Vec<_>>(), ["redis://a:1"]);
        assert_eq!(RedisUrl::parse("redis+sentinel://a:1").unwrap_err(), "it names no service");
    }

    #[test]
    fn hosts_need_no_user_and_none_of_them_may_be_missing() {
        assert_eq!(RedisUrl::parse("redis://a:1,b:2?cluster").unwrap().as_str(), "redis://a:1,b:2?cluster");
        for wrong in ["redis://a:1,?cluster", "http://a:1,b:2?cluster", "a:1,b:2?cluster"] {
            assert!(RedisUrl::parse(wrong).is_err(), "{wrong}");
        }
    }
}
