//! Which addresses of pictures a page loads: those of the platform's own store, from this origin, and no others. A picture
//! elsewhere would give the addresses of readers away.
use reqwest::Url;

/// The path below which the gateway serves pictures.
const STORE: &str = "/api/v1/media/";

/// The path of a picture of the platform; none for any other address.
pub fn own_picture(address: &str) -> Option<String> {
    let base = Url::parse("http://here").ok()?;
    let url = base.join(address).ok()?;
    if !url.path().starts_with(STORE) || !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    Some(url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_loaded_from_this_origin_alone() {
        let own = "/api/v1/media/7/medium?grant=a&key=b";
        assert_eq!(own_picture(&format!("http://127.0.0.1:8080{own}")).as_deref(), Some(own));
        assert_eq!(own_picture(own).as_deref(), Some(own));
        for other in ["https://tracker.example/a.png", "javascript:alert(1)", "data:image/png;base64,AA", "//x/y", ""] {
            assert_eq!(own_picture(other), None, "{other}");
        }
        assert_eq!(own_picture("http://x/api/v1/media/../../session").as_deref(), None, "dots are resolved first");
    }
}
