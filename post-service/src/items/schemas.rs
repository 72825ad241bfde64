//! Items in the API: what comes in, what goes out, and what is a valid one.
use std::net::IpAddr;

use reqwest::Url;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ItemKind;
use super::models::{Item, ItemWords};
use crate::core::contract::fields::{Fields, Input, Invalid};

/// The longest content of a post with an item, in characters: a caption.
pub const MAX_CAPTION: usize = 280;
/// The longest name in another catalogue, title and site, in characters.
const MAX_EXTERNAL_ID: usize = 200;
const MAX_TITLE: usize = 300;
const MAX_SITE: usize = 100;
/// The most artists, and the longest name of one, in characters.
const MAX_ARTISTS: usize = 20;
const MAX_ARTIST: usize = 100;
/// The longest address, in characters.
const MAX_URL: usize = 2_048;
/// Endings of hosts that are not of the public web (RFC 6761, RFC 6762, RFC 8375, RFC 9476, and ICANN's `internal`).
const PRIVATE: [&str; 9] = ["localhost", "local", "internal", "test", "invalid", "onion", "alt", "arpa", "lan"];

/// A thing that a post is about.
#[derive(ToSchema)]
#[schema(examples(json!({
    "kind": "BOOK", "external_id": "isbn:9781593278281", "url": "https://doc.rust-lang.org/book/",
    "title": "The Rust Programming Language", "artists": ["Steve Klabnik", "Carol Nichols"], "site": "rust-lang.org",
})))]
pub struct ItemIn {
    pub kind: ItemKind,
    /// What another catalogue calls it; items of one kind and name are one item. Without it, those of one address are
    #[schema(max_length = 200, nullable)]
    pub external_id: Option<String>,
    /// Begins with https://, and leads to the public web; at most 2,048 characters
    #[schema(max_length = 2_048, pattern = "^https://")]
    pub url: String,
    #[schema(max_length = 300)]
    pub title: String,
    /// Those who made it, at most 20, of 100 characters each
    #[schema(required = false, max_items = 20)]
    pub artists: Vec<String>,
    /// Where it is, in words
    #[schema(max_length = 100, nullable)]
    pub site: Option<String>,
    /// An address as above
    #[schema(max_length = 2_048, nullable, pattern = "^https://")]
    pub picture_url: Option<String>,
}

impl Input for ItemIn {
    fn read(fields: &mut Fields) -> Self {
        let kind = fields.choice("kind", &ItemKind::WORDS, ItemKind::parse);
        if kind.is_none() && fields.errors.is_empty() {
            fields.refuse("kind", "field required", "value_error.missing", None);
        }
        let external_id = fields.optional_text("external_id", MAX_EXTERNAL_ID).filter(|id| !id.is_empty());
        let faults = fields.errors.len();
        let url = fields.text("url", MAX_URL);
        let url = if fields.errors.len() == faults { address(fields, "url", &url) } else { url };
        let title = fields.text("title", MAX_TITLE);
        let artists = artists(fields);
        let site = fields.optional_text("site", MAX_SITE);
        let picture_url = fields.optional_text("picture_url", MAX_URL);
        let picture_url = picture_url.map(|url| address(fields, "picture_url", &url));
        Self { kind: kind.unwrap_or(ItemKind::Other), external_id, url, title, artists, site, picture_url }
    }
}

fn artists(fields: &mut Fields) -> Vec<String> {
    let Some(value) = fields.value("artists") else { return Vec::new() };
    let Value::Array(values) = value else {
        fields.refuse("artists", "value is not a valid list", "type_error.list", None);
        return Vec::new();
    };
    if values.len() > MAX_ARTISTS {
        let msg = format!("ensure this value has at most {MAX_ARTISTS} items");
        fields.refuse("artists", msg, "value_error.list.max_items", Some(json!({ "limit_value": MAX_ARTISTS })));
        return Vec::new();
    }
    let is_name = |name: &&str| name.chars().count() <= MAX_ARTIST && !name.chars().any(char::is_control);
    let names: Option<Vec<String>> =
        values.iter().map(|value| value.as_str().filter(is_name).map(str::to_owned)).collect();
    names.unwrap_or_else(|| {
        fields.refuse("artists", "each artist is a text of at most 100 characters", "value_error.artist", None);
        Vec::new()
    })
}

fn address(fields: &mut Fields, name: &'static str, text: &str) -> String {
    read_address(text).unwrap_or_else(|| {
        let msg = "an address is needed that begins with https:// and leads to the public web";
        fields.refuse(name, msg, "value_error.url", None);
        String::new()
    })
}

/// An address as browsers read it; none for one without encryption, with a password, or with a host that is not of the public web.
pub fn read_address(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://").filter(|(scheme, _)| scheme.eq_ignore_ascii_case("https"))?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
    if scheme.is_empty() || authority.is_empty() || authority.contains('@') || text.contains(is_odd) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let host = url.host_str()?.trim_end_matches('.');
    let is_address = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
    let (_, ending) = host.rsplit_once('.')?;
    let is_public = !is_address && !PRIVATE.contains(&ending) && host != "home.arpa";
    (is_public && url.as_str().len() <= MAX_URL).then(|| url.into())
}

impl ItemIn {
    /// The item that is stored, unless it is there.
    pub fn item(self) -> Item {
        let Self { kind, external_id, url, title, artists, site, picture_url } = self;
        let said = ItemWords { url, title, artists, site, picture_url };
        Item { id: Uuid::now_v7(), kind, external_id, said }
    }
}

/// What a request says about the item of a post.
pub enum ItemChange {
    /// Nothing: it stays as it is.
    Kept,
    /// The post has none.
    Removed,
    /// The post has this one.
    Replaced(Item),
}

impl ItemChange {
    /// What the item says that a request gives, as its readers read it.
    pub fn words(&self) -> Vec<&str> {
        if let Self::Replaced(item) = self { item.words() } else { Vec::new() }
    }

    /// Reads the field `item` of a post.
    pub fn read(fields: &mut Fields) -> Self {
        match fields.value("item") {
            None => Self::Kept,
            Some(Value::Null) => Self::Removed,
            Some(Value::Object(values)) => match Fields::read::<ItemIn>(values) {
                Ok(item) => Self::Replaced(item.item()),
                Err(faults) => {
                    fields.errors.extend(faults.into_iter().map(within_item));
                    Self::Kept
                }
            },
            Some(_) => {
                fields.refuse("item", "value is not a valid dict", "type_error.dict", None);
                Self::Kept
            }
        }
    }
}

/// A fault of a field of the item, at its place in the body.
fn within_item(mut fault: Invalid) -> Invalid {
    fault.loc.insert(1, json!("item"));
    fault
}

/// A thing that posts are about
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "0199d0ac-3c9e-7a2e-8f3c-6f2d8a1f0b11", "kind": "BOOK", "external_id": "isbn:9781593278281",
    "url": "https://doc.rust-lang.org/book/", "title": "The Rust Programming Language",
    "artists": ["Steve Klabnik", "Carol Nichols"], "site": "rust-lang.org", "picture_url": null
})))]
pub struct ItemOut {
    pub id: Uuid,
    pub kind: ItemKind,
    pub external_id: Option<String>,
    pub url: String,
    pub title: String,
    pub artists: Vec<String>,
    pub site: Option<String>,
    pub picture_url: Option<String>,
}

impl From<Item> for ItemOut {
    fn from(item: Item) -> Self {
        let Item { id, kind, external_id, said } = item;
        let ItemWords { url, title, artists, site, picture_url } = said;
        Self { id, kind, external_id, url, title, artists, site, picture_url }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_encrypted_and_of_the_public_web() {
        for (given, stored) in [
            ("https://example.com", "https://example.com/"),
            ("HTTPS://Example.com:443/A?b=c#d", "https://example.com/A?b=c#d"),
            ("https://b\u{fc}cher.example/a", "https://xn--bcher-kva.example/a"),
        ] {
            assert_eq!(read_address(given).as_deref(), Some(stored), "{given}");
        }
        for bad in [
            "http://example.com/",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://localhost/",
            "https://intranet/",
            "https://printer.local/",
            "https://db.internal./",
            "https://router.home.arpa/",
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://[::1]/",
            "https://10.0.0.1:8080/",
            "https://anna:secret@example.com/",
            "https://example.com\\@evil.example/",
            "https://exa mple.com/",
            "https://",
            "//example.com",
            "",
        ] {
            assert_eq!(read_address(bad), None, "{bad}");
        }
    }
}
