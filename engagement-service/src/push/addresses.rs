//! Endpoints of browsers' push services, which users supply: the service must not be led by one into a private network.
//!
//! An endpoint is a URL of scheme https without credentials, on port 443. Its host is resolved by [`Guard`] itself when a
//! connection is made, and every address must be public, or no connection is made: what was checked is what is connected
//! to, so a name that changes in between (DNS rebinding) gains nothing. A host that is an address is never resolved, so it is
//! checked whenever the endpoint is used. Redirects are not followed. When a device is registered all of this is tried once, for
//! the sake of a clear refusal.
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The longest endpoint, in bytes, as the table of devices has it; those of browsers have 150 to 500.
pub const MAX_ENDPOINT_BYTES: usize = 2_048;
/// How long a name is looked up when a device is registered. One that is not found in time may be found later.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

/// The networks of IPv4 that are not on the public internet (IANA IPv4 Special-Purpose Address Registry, with multicast).
const PRIVATE_V4: [Ipv4Net; 16] = [
    // "This network", to which Linux connects as to itself.
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    // Carriers' NAT, and what some clouds have behind it.
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    // Link-local: the metadata of cloud machines among them.
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 31, 196, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];

/// All that is in use of the public internet of IPv6.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0], 3);
/// The networks within it that are not public, or lead into IPv4 by rules of their own (IANA IPv6 Special-Purpose Address
/// Registry): protocols' own, Teredo among them; documentation; 6to4.
const PRIVATE_V6: [Ipv6Net; 4] =
    [v6([0x2001, 0, 0, 0], 23), v6([0x2001, 0xdb8, 0, 0], 32), v6([0x2002, 0, 0, 0], 16), v6([0x3fff, 0, 0, 0], 20)];
/// The network by which a machine without IPv4 reaches it: the last 32 bits are the address there (RFC 6052).
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0], 96);

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(head: [u16; 4], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(head[0], head[1], head[2], head[3], 0, 0, 0, 0), prefix)
}

/// Whether an address is on the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !PRIVATE_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            let [.., high, low] = address.segments();
            let translated = || Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
            match address.to_ipv4_mapped().or_else(|| NAT64.contains(&address).then(translated)) {
                Some(embedded) => is_public(embedded.into()),
                None => GLOBAL_V6.contains(&address) && !PRIVATE_V6.iter().any(|net| net.contains(&address)),
            }
        }
    }
}

/// Why an endpoint is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointFault {
    #[error("value is not a URL")]
    NoUrl,
    #[error("a URL of scheme https without credentials is needed")]
    Scheme,
    #[error("the URL is too long")]
    Long,
    #[error("the port must be 443")]
    Port,
    #[error("the host is not on the public internet")]
    Private,
}

/// What keeps endpoints out of private networks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Guard {
    /// Whether it lets everything through, as tests need it.
    pub allow_private: bool,
}

impl Guard {
    /// The endpoint in a text, as far as it can be checked without a lookup.
    pub fn parse(self, text: &str) -> Result<Url, EndpointFault> {
        let url: Url = text.parse().map_err(|_| EndpointFault::NoUrl)?;
        // What is no ASCII has become longer.
        if url.as_str().len() > MAX_ENDPOINT_BYTES {
            return Err(EndpointFault::Long);
        }
        if self.allow_private {
            return Ok(url);
        }
        if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointFault::Scheme);
        }
        if url.port().is_some() {
            return Err(EndpointFault::Port);
        }
        let private = address_of(&url).is_some_and(|address| !is_public(address));
        if private { Err(EndpointFault::Private) } else { Ok(url) }
    }

    /// The endpoint in a text, its host looked up. A name that cannot be looked up now is accepted: it is checked again
    /// whenever it is connected to.
    pub async fn check(self, text: &str) -> Result<Url, EndpointFault> {
        let url = self.parse(text)?;
        if let (Some(name), None) = (url.host_str(), address_of(&url)) {
            let lookup = tokio::time::timeout(LOOKUP_TIMEOUT, self.lookup(name.to_owned())).await;
            if lookup.is_ok_and(|found| found.is_err_and(|error| error.is::<EndpointFault>())) {
                return Err(EndpointFault::Private);
            }
        }
        Ok(url)
    }

    /// The addresses of a name; refused when one of them is not public.
    async fn lookup(self, name: String) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
        let found: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
        if !self.allow_private && !found.iter().all(|address| is_public(address.ip())) {
            return Err(EndpointFault::Private.into());
        }
        Ok(found)
    }

    /// Whether a request failed because its host is not on the public internet.
    pub fn refused(error: &reqwest::Error) -> bool {
        let mut cause: Option<&(dyn Error + 'static)> = error.source();
        while let Some(error) = cause {
            if error.is::<EndpointFault>() {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

/// The address that is a URL's host, if it is one. The parser of URLs has brought it into its usual form.
fn address_of(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = self.lookup(name.as_str().to_owned());
        Box::pin(async move {
            let found: Addrs = Box::new(lookup.await?.into_iter());
            Ok(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_of_a_private_network_is_public() {
        for private in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "93.184.215.14",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.167.255.255",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450:4001:82a::200e",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn an_endpoint_is_a_url_of_https_on_the_usual_port_of_a_public_host() {
        let guard = Guard { allow_private: false };
        for (endpoint, fault) in [
            ("", EndpointFault::NoUrl),
            ("push.example.com/x", EndpointFault::NoUrl),
            ("https://", EndpointFault::NoUrl),
            ("http://push.example.com/x", EndpointFault::Scheme),
            ("file:///etc/passwd", EndpointFault::Scheme),
            ("gopher://push.example.com/x", EndpointFault::Scheme),
            ("https://anna@push.example.com/x", EndpointFault::Scheme),
            ("https://anna:b@push.example.com/x", EndpointFault::Scheme),
            ("https://push.example.com:8443/x", EndpointFault::Port),
            ("https://push.example.com:22/x", EndpointFault::Port),
            ("https://127.0.0.1/x", EndpointFault::Private),
            ("https://127.1/x", EndpointFault::Private),
            ("https://2130706433/x", EndpointFault::Private),
            ("https://0x7f.0.0.1/x", EndpointFault::Private),
            ("https://0177.0.0.1/x", EndpointFault::Private),
            ("https://169.254.169.254/latest/meta-data", EndpointFault::Private),
            ("https://[::1]/x", EndpointFault::Private),
            ("https://[::ffff:7f00:1]/x", EndpointFault::Private),
            ("https://[fd00::1]/x", EndpointFault::Private),
        ] {
            assert_eq!(guard.parse(endpoint), Err(fault), "{endpoint}");
        }
        for endpoint in
            ["https://fcm.googleapis.com/fcm/send/x", "https://web.push.apple.com:443/x", "https://1.1.1.1/x"]
        {
            assert!(guard.parse(endpoint).is_ok(), "{endpoint}");
        }
    }

    /// A name may lead where an address may not, and may do so only after the device was registered.
    #[tokio::test]
    async fn a_name_that_leads_into_this_machine_is_refused_when_it_is_connected_to() {
        let guard = Guard { allow_private: false };
        assert_eq!(guard.check("https://localhost/x").await, Err(EndpointFault::Private));
        let http = crate::core::ground::http_client::builder().dns_resolver(guard).build().unwrap();
        let error = http.post("https://localhost/x").send().await.unwrap_err();
        assert!(Guard::refused(&error), "{error:?}");
        let error = http.post("https://127.0.0.1:1/x").send().await.unwrap_err();
        assert!(!Guard::refused(&error), "an address is not looked up, and is refused by `parse`: {error:?}");
    }
}
