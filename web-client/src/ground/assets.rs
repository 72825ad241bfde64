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
    content: &'static [u8],
    /// `/assets/<hash>/<name>`
    pub path: String,
}

impl Asset {
    fn new(name: &'static str, kind: &'static str, content: &'static [u8]) -> Self {
        let path = format!("/assets/{}/{name}", &hash(content)[..DIGITS]);
        Self { name, kind, content, path }
    }
}

pub static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("style.css", "text/css; charset=utf-8", include_bytes!("../../assets/style.css")));
pub static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon.svg", "image/svg+xml", include_bytes!("../../assets/icon.svg")));
pub static CLIENT: LazyLock<Asset> = LazyLock::new(|| script("client.js", include_bytes!("../../assets/client.js")));
pub static HTMX: LazyLock<Asset> = LazyLock::new(|| script("htmx.js", include_bytes!("../../assets/vendor/htmx.js")));
pub static SSE: LazyLock<Asset> = LazyLock::new(|| script("sse.js", include_bytes!("../../assets/vendor/sse.js")));

fn script(name: &'static str, content: &'static [u8]) -> Asset {
    Asset::new(name, "text/javascript; charset=utf-8", content)
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
    let all = [&*STYLE, &*ICON, &*CLIENT, &*HTMX, &*SSE];
    let wanted = format!("/assets/{hash}/{name}");
    let Some(found) = all.into_iter().find(|asset| asset.name == name && asset.path == wanted) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(found.kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    (headers, found.content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_of_others_are_the_files_that_were_published() {
        let listed = include_str!("../../assets/vendor/README.md");
        for asset in [&*HTMX, &*SSE] {
            let line = listed.lines().find(|line| line.contains(&format!("`{}`", asset.name))).unwrap();
            assert!(line.contains(&hash(asset.content)), "{} is not the file of its package", asset.name);
        }
    }

    #[test]
    fn our_own_script_stays_a_trifle() {
        assert!(CLIENT.content.len() < 2_048, "{} bytes", CLIENT.content.len());
        assert!(STYLE.content.len() < 24_000, "{} bytes", STYLE.content.len());
    }
}
