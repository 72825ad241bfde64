//! Addresses of providers: no setting, and nothing that a provider's document says, leads this service into a private network.
//!
//! A provider's document names further addresses, so a provider that was taken over could point at machines that only this
//! service reaches. Every address is a URL of scheme https without credentials. Its host is resolved by [`AddressGuard`]
//! when a connection is made, and all that it resolves to must be public: what was checked is what is connected to, so a
//! name that changes in between (DNS rebinding) gains nothing. A host that is an address is checked before each use.
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The longest address of a provider, in bytes; those of known ones have less than 100.
const MAX_URL_BYTES: usize = 2_048;

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

/// Why an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefusal {
    #[error("an address of a provider is not a URL")]
    NoUrl,
    #[error("an address of a provider is not of scheme https, or has credentials or a fragment")]
    Scheme,
    #[error("an address of a provider is not on the public internet")]
    Private,
}

/// What keeps addresses of providers out of private networks.
#[derive(Clone, Copy, Debug, Default)]
pub struct AddressGuard {
    /// Whether it lets everything through, as tests need it.
    pub allow_private: bool,
}

impl AddressGuard {
    /// The address in a text, as far as it can be checked without a lookup.
    pub fn parse(self, text: &str) -> Result<Url, AddressRefusal> {
        let url: Url = text.parse().map_err(|_| AddressRefusal::NoUrl)?;
        if !url.has_host() || url.as_str().len() > MAX_URL_BYTES {
            return Err(AddressRefusal::NoUrl);
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(AddressRefusal::Scheme);
        }
        if self.allow_private {
            return Ok(url);
        }
        if url.scheme() != "https" {
            return Err(AddressRefusal::Scheme);
        }
        let address = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
        if address.is_some_and(|address| !is_public(address)) { Err(AddressRefusal::Private) } else { Ok(url) }
    }

    /// The addresses of a name; refused when one of them is not public.
    async fn lookup(self, name: String) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
        let found: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
        if !self.allow_private && !found.iter().all(|address| is_public(address.ip())) {
            return Err(AddressRefusal::Private.into());
        }
        Ok(found)
    }
}

impl Resolve for AddressGuard {
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

    /// One address of each kind of network that is not public, and the public ones beside them.
    #[test]
    fn no_address_of_a_private_network_is_public() {
        for private in [
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::10.0.0.1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "fd12:3456::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "172.32.0.1", "223.255.255.255", "2606:4700:4700::1111", "64:ff9b::8.8.8.8"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn an_address_of_a_provider_is_a_url_of_https_of_a_public_host() {
        let guard = AddressGuard::default();
        for (address, refusal) in [
            ("", AddressRefusal::NoUrl),
            ("accounts.example.com", AddressRefusal::NoUrl),
            ("mailto:anna@example.com", AddressRefusal::NoUrl),
            ("http://accounts.example.com", AddressRefusal::Scheme),
            ("https://anna@accounts.example.com", AddressRefusal::Scheme),
            ("https://accounts.example.com/#x", AddressRefusal::Scheme),
            ("https://127.1/token", AddressRefusal::Private),
            ("https://2130706433/token", AddressRefusal::Private),
            ("https://[::ffff:7f00:1]/token", AddressRefusal::Private),
            ("https://169.254.169.254/latest/meta-data", AddressRefusal::Private),
        ] {
            assert_eq!(guard.parse(address), Err(refusal), "{address}");
        }
        assert!(guard.parse("https://accounts.example.com:8443/realms/x").is_ok());
        let tests = AddressGuard { allow_private: true };
        assert!(tests.parse("http://127.0.0.1:1234").is_ok());
        assert_eq!(tests.parse("http://a:b@127.0.0.1"), Err(AddressRefusal::Scheme));
    }

    /// A name may lead where an address may not.
    #[tokio::test]
    async fn a_name_that_leads_into_this_machine_is_not_connected_to() {
        let http = crate::core::ground::http_client::builder().dns_resolver(AddressGuard::default()).build().unwrap();
        let error = format!("{:?}", http.get("https://localhost/x").send().await.unwrap_err());
        assert!(error.contains("Private"), "{error}");
    }
}
