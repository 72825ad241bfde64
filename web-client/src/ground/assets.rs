//! Files that pages load: compiled in, named by the hash of their content, and therefore kept by browsers for good.
use std::fmt::Write;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

/// How many hexadecimal digits of the hash a path has.
const DIGITS: usize = 12;

/// One file.
#[derive(Debug)]
pub struct Asset {
    name: &'static str,
    kind: &'static str,
    content: Vec<u8>,
    /// `/assets/<hash>/<name>`
    pub path: String,
}

impl Asset {
    /// The file of these parts, one after the other: a page asks for one file sooner than for three.
    fn new(name: &'static str, kind: &'static str, parts: &[&[u8]]) -> Self {
        let content = parts.concat();
        let path = format!("/assets/{}/{name}", &hash(&content)[..DIGITS]);
        Self { name, kind, content, path }
    }
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
/// Our own script, and what pages of members have besides: the policy by which text becomes HTML, and dialogs.
const OWN: &str = include_str!("../../assets/client.js");
const TRUSTED: &str = include_str!("../../assets/trusted.js");
const DIALOG: &str = include_str!("../../assets/dialog.js");
/// Scripts of others, as they were published.
const HTMX: &[u8] = include_bytes!("../../assets/vendor/htmx.js");
const SSE: &[u8] = include_bytes!("../../assets/vendor/sse.js");

pub static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("style.css", "text/css; charset=utf-8", &[include_bytes!("../../assets/style.css").as_slice()])
});
pub static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon.svg", "image/svg+xml", &[include_bytes!("../../assets/icon.svg").as_slice()]));
/// What pages of guests run.
pub static CLIENT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("client.js", SCRIPT, &[without_comments(OWN).as_bytes()]));
/// What pages of members run: the policy in front of htmx and its extension for streams, which need it, and all of ours behind them.
pub static MEMBERS: LazyLock<Asset> = LazyLock::new(|| {
    let [trusted, own, dialog] = [TRUSTED, OWN, DIALOG].map(without_comments);
    let (line, end) = (b"\n".as_slice(), b";\n".as_slice());
    let parts = [trusted.as_bytes(), line, HTMX, end, SSE, end, own.as_bytes(), line, dialog.as_bytes()];
    Asset::new("members.js", SCRIPT, &parts)
});
/// What the pages of moderators run beside.
pub static KEYS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("keys.js", SCRIPT, &[without_comments(include_str!("../../assets/keys.js")).as_bytes()])
});

/// A script without the lines that browsers do not need.
fn without_comments(script: &str) -> String {
    let needed = |line: &&str| !line.is_empty() && !line.starts_with("//");
    script.lines().map(str::trim).filter(needed).collect::<Vec<_>>().join("\n")
}

/// The SHA-256 of a file, in hexadecimal digits.
pub fn hash(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::new(), |mut text, byte| {
        // Writing into a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `GET /assets/{hash}/{name}`: under another hash there is nothing, so that no cache keeps one version as the other.
pub async fn asset(Path((hash, name)): Path<(String, String)>) -> Response {
    let all: [&'static Asset; 5] = [&STYLE, &ICON, &CLIENT, &MEMBERS, &KEYS];
    let wanted = format!("/assets/{hash}/{name}");
    let Some(found) = all.into_iter().find(|asset| asset.name == name && asset.path == wanted) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(found.kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    (headers, found.content.as_slice()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_of_others_are_the_files_that_were_published() {
        let listed = include_str!("../../assets/vendor/README.md");
        for (name, content) in [("htmx.js", HTMX), ("sse.js", SSE)] {
            let line = listed.lines().find(|line| line.contains(&format!("`{name}`"))).unwrap();
            assert!(line.contains(&hash(content)), "{name} is not the file of its package");
            assert!(MEMBERS.content.windows(content.len()).any(|part| part == content), "{name} is not in the bundle");
        }
    }

    #[test]
    fn our_own_script_stays_a_trifle() {
        assert!(CLIENT.content.len() < 3_072, "{} bytes", CLIENT.content.len());
        let members = MEMBERS.content.len() - HTMX.len() - SSE.len();
        assert!(members < 5_120, "{members} bytes");
        assert!(STYLE.content.len() < 24_000, "{} bytes", STYLE.content.len());
    }
}
