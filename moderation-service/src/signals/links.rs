//! The links of a text, and which of them lead to domains that administrators have a rule about.
//!
//! A link is what browsers and readers take for one: an address with a scheme, one that begins with `www.`, a name under a
//! well-known top-level domain, also with the dot in brackets (`example[.]com`), by which filters are evaded. Hosts are compared as DNS
//! does: lower case, A-labels, without a dot at the end.
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::models::DomainVerdict;

/// Links that are read of one text; a text with more is no better for it.
const MAX_LINKS: usize = 100;
/// The longest name in DNS, in characters.
const MAX_HOST: usize = 253;
/// Domains listed in an analysis at most.
const MAX_LISTED: usize = 10;

/// Top-level domains under which a bare name is a link; others need a scheme or a path, or every forgotten blank were one.
#[rustfmt::skip]
const WELL_KNOWN: &[&str] = &[
    "app", "biz", "cc", "click", "club", "cn", "co", "com", "de", "dev", "edu", "eu", "fr", "gg", "gov", "info", "io", "link", "live", "ly",
    "me", "net", "online", "org", "pro", "ru", "shop", "site", "store", "tk", "to", "top", "tv", "uk", "us", "vip", "xxx", "xyz",
];

/// Services whose links hide where they lead.
#[rustfmt::skip]
const SHORTENERS: &[&str] = &[
    "bit.ly", "bl.ink", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy", "rebrand.ly", "shorturl.at", "soo.gd",
    "t.co", "t.ly", "tiny.cc", "tinyurl.com", "tr.im", "v.gd",
];

/// The links of a text in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkCounts {
    pub count: u32,
    /// Through services that hide where a link leads.
    pub shortened: u32,
    /// To domains with a rule.
    pub blocked: u32,
    pub warned: u32,
    pub allowed: u32,
    /// Where they lead, each host once; the first ten.
    pub domains: Vec<String>,
}

/// The hosts that a text links to, one for each link, in order.
pub fn find_hosts(text: &str) -> Vec<String> {
    text.split_whitespace().filter_map(host).take(MAX_LINKS).collect()
}

/// Counts links, by the rules about their domains.
pub fn count_links(hosts: &[String], rules: &HashMap<String, DomainVerdict>) -> LinkCounts {
    let mut counts = LinkCounts::default();
    for host in hosts {
        counts.count += 1;
        counts.shortened += u32::from(suffixes(host).any(|domain| SHORTENERS.contains(&domain)));
        match suffixes(host).find_map(|domain| rules.get(domain)) {
            Some(DomainVerdict::Block) => counts.blocked += 1,
            Some(DomainVerdict::Warn) => counts.warned += 1,
            Some(DomainVerdict::Allow) => counts.allowed += 1,
            None => {}
        }
        if counts.domains.len() < MAX_LISTED && !counts.domains.contains(host) {
            counts.domains.push(host.clone());
        }
    }
    counts
}

/// A host and the domains above it, the longest first.
pub fn suffixes(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |domain| domain.split_once('.').map(|(_, above)| above))
}

/// A domain as it is stored and compared; none when it is no name of a host.
pub fn canonical(domain: &str) -> Option<String> {
    let host = domain.trim_end_matches('.');
    if host.is_empty() || host.len() > 4 * MAX_HOST {
        return None;
    }
    let ascii = idna::domain_to_ascii_strict(host).ok()?;
    let is_name = ascii.contains('.') && ascii.len() <= MAX_HOST && !ascii.starts_with('.');
    is_name.then_some(ascii)
}

/// The host of the link in a piece of text without blanks.
fn host(piece: &str) -> Option<String> {
    let piece = piece.replace("[.]", ".").replace("(.)", ".");
    let lower = piece.to_lowercase();
    let scheme = ["https://", "http://", "hxxps://", "hxxp://"]
        .into_iter()
        .filter_map(|scheme| Some(lower.find(scheme)? + scheme.len()))
        .min();
    let rest = match scheme {
        Some(at) => &lower[at..],
        None => lower.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '@'),
    };
    let end = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '-' | '_' | '@' | ':'));
    let (authority, behind) = rest.split_at(end.unwrap_or(rest.len()));
    let has_user = authority.contains('@');
    if scheme.is_none() && has_user {
        // A mail address, or a mention.
        return None;
    }
    let name = authority.rsplit('@').next()?.split(':').next()?.trim_end_matches(['.', '-']);
    let host = canonical(name)?;
    let top = host.rsplit('.').next()?;
    let is_link = scheme.is_some()
        || host.starts_with("www.")
        || WELL_KNOWN.contains(&top)
        || (behind.starts_with('/') && behind.len() > 1 && top.len() > 1 && !top.chars().any(|c| c.is_ascii_digit()));
    is_link.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_however_they_are_written() {
        let cases: [(&str, &[&str]); 14] = [
            ("see https://Example.COM/a?b=c, and (http://x.example.org:8080).", &["example.com", "x.example.org"]),
            ("www.example.net!", &["www.example.net"]),
            ("buy at best-pills.xyz now", &["best-pills.xyz"]),
            ("https://user:secret@evil.example/x", &["evil.example"]),
            ("go to example[.]com or hxxps://other[.]example/", &["example.com", "other.example"]),
            ("https://bücher.example", &["xn--bcher-kva.example"]),
            ("example.museum/tickets", &["example.museum"]),
            ("<https://example.com>", &["example.com"]),
            ("https://example.com.", &["example.com"]),
            // No links.
            ("I came.Then I left. e.g. this, 3.5 km, v1.2.3, a.b", &[]),
            ("mail anna@example.com or @anna.com", &[]),
            ("https:// nothing", &[]),
            ("...and so on...", &[]),
            ("", &[]),
        ];
        for (text, hosts) in cases {
            assert_eq!(find_hosts(text), hosts, "{text}");
        }
        assert_eq!(find_hosts(&"https://example.com ".repeat(5_000)).len(), MAX_LINKS);
    }

    /// A rule about a domain covers those below it, unless one of them has a rule of its own; never one that only ends alike.
    #[test]
    fn the_rule_of_the_longest_domain_counts() {
        let rules = [
            ("example.com", DomainVerdict::Block),
            ("good.example.com", DomainVerdict::Allow),
            ("example.org", DomainVerdict::Warn),
        ];
        let rules = rules.map(|(domain, verdict)| (domain.to_owned(), verdict)).into();
        let hosts = [
            "a.b.example.com",
            "example.com",
            "x.good.example.com",
            "notexample.com",
            "example.org",
            "bit.ly",
            "example.com.evil.net",
        ];
        let counts = count_links(&hosts.map(str::to_owned), &rules);
        assert_eq!((counts.count, counts.blocked, counts.allowed, counts.warned, counts.shortened), (7, 2, 1, 1, 1));
        assert_eq!(counts.domains, hosts);
    }

    #[test]
    fn hostile_links_end() {
        let started = std::time::Instant::now();
        for flood in ["http://", "a.", ".", "@", "[.]", "www.a.com/"] {
            assert!(find_hosts(&flood.repeat(100_000)).len() <= 1, "{flood}");
        }
        assert!(started.elapsed().as_secs() < 10);
    }
}
