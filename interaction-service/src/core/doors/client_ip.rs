//! Where a request comes from: the address that limits count by, and the network that the audit remembers.
//!
//! Any client can write a forwarding header; only what a proxy of ours appended is true. So the chain is read
//! from its right end, where the nearest hop wrote, and the first hop that is not one of `TRUSTED_PROXIES` is the client.
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use ipnet::{IpNet, Ipv6Net};

/// What one household or one host has of IPv6; its owner can take any address in it.
const HOST_V6: u8 = 64;
/// What the audit remembers of an address: enough to see a pattern, too little to see a person.
const NETWORK_V4: u8 = 24;
const NETWORK_V6: u8 = 48;

tokio::task_local! {
    static CLIENT: Client;
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client(IpAddr);

impl Client {
    /// The first hop, from the right, that is not a trusted proxy.
    pub fn of(request: &Request, trusted: &[IpNet]) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        // Without a connection, in a test, the request comes from this machine.
        Self(client_address(peer.unwrap_or(Ipv4Addr::LOCALHOST.into()), request.headers(), trusted).to_canonical())
    }

    /// Runs a request as one of this client.
    pub async fn scope<F: Future>(self, request: F) -> F::Output {
        CLIENT.scope(self, request).await
    }

    /// The client of the request at hand, when it is one.
    pub fn current() -> Option<Self> {
        CLIENT.try_with(|client| *client).ok()
    }

    /// What limits count by: an address of IPv4, or a /64 of IPv6.
    pub fn host(self) -> String {
        match self.0 {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => Ipv6Net::new_assert(address, HOST_V6).trunc().to_string(),
        }
    }

    /// What is remembered: a /24 of IPv4 or a /48 of IPv6.
    pub fn network(self) -> String {
        IpNet::new_assert(self.0, if self.0.is_ipv4() { NETWORK_V4 } else { NETWORK_V6 }).trunc().to_string()
    }
}

fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_ours = |address: &IpAddr| trusted.iter().any(|net| net.contains(&address.to_canonical()));
    let values: Vec<_> = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    let mut hops = values.iter().flat_map(|value| value.split(',')).rev();
    let mut origin = peer;
    while is_ours(&origin) {
        // What is no address was not written by a proxy of ours: the last trusted one stays.
        let Some(hop) = hops.next().and_then(|hop| parse_address(hop.trim())) else { break };
        origin = hop;
    }
    origin
}

/// An address, or an address and a port, as some proxies write.
fn parse_address(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> Client {
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        for value in forwarded {
            request.headers_mut().append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        Client::of(&request, &trusted)
    }

    #[test]
    fn a_header_of_an_untrusted_client_is_ignored() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"], &[]).host(), "192.0.2.1");
        assert_eq!(client("192.0.2.1", &["198.51.100.7"], &["10.0.0.0/8"]).host(), "192.0.2.1");
    }

    #[test]
    fn the_right_most_hop_that_is_no_proxy_of_ours_is_the_client() {
        let ours = &["10.0.0.0/8"];
        assert_eq!(client("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.0.0.2"], ours).host(), "198.51.100.7");
        // A header that the client sent itself stands left of what the proxy appended, in the same or in an earlier one.
        assert_eq!(client("10.0.0.1", &["127.0.0.1", "198.51.100.7:4711"], ours).host(), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["198.51.100.7, unknown"], ours).host(), "10.0.0.1");
        assert_eq!(client("::ffff:10.0.0.1", &["198.51.100.7"], ours).host(), "198.51.100.7");
    }

    #[test]
    fn a_host_of_ipv6_is_a_64_and_networks_are_wider() {
        let client6 = client("2001:db8:1:2:3::4", &[], &[]);
        assert_eq!((client6.host().as_str(), client6.network().as_str()), ("2001:db8:1:2::/64", "2001:db8:1::/48"));
        assert_eq!(client("192.0.2.1", &[], &[]).network(), "192.0.2.0/24");
    }
}
