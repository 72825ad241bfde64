//! Where links and forms lead back to: a page that a browser can open, whatever a form was sent to or a part of a page was asked
//! for under.
use std::borrow::Cow;

use axum::http::{HeaderMap, Uri, header};

use super::words::local;

/// The page that a path belongs to: the path itself, unless it takes forms alone or is a part of a page.
pub fn page_of(path: &str) -> Cow<'_, str> {
    let parts: Vec<_> = path.split('/').skip(1).collect();
    let kept = match parts.as_slice() {
        ["home" | "linked-accounts", _] | ["signout" | "choices"] => 0,
        ["notifications" | "connect" | "recommended" | "decisions", _, ..]
        | ["activate" | "signin", _]
        | ["settings", "picture"]
        | ["moderation", "next" | "bulk"] => 1,
        ["users", _, verb] if !matches!(*verb, "followers" | "connections" | "activity" | "common") => 2,
        ["settings", "sessions" | "accounts", _, ..]
        | ["posts", _, "react" | "bookmark" | "unbookmark" | "hide" | "comments"]
        | ["comments", _, "react"]
        | ["moderation", "appeals", "next"]
        | ["moderation", "scheduled", _, _]
        | ["moderation", "domains", _]
        | ["tags", _, _] => 2,
        ["posts" | "comments", _, "nft", _] | ["moderation", _, _, _] => 3,
        ["settings", "delete" | "export"] => return Cow::Borrowed("/settings/data"),
        _ => return Cow::Borrowed(path),
    };
    Cow::Owned(format!("/{}", parts[..kept].join("/")))
}

/// Where a browser goes on: `next` where it is a page of this origin, the page around it where it is none by itself, or the start page.
pub fn full_page(next: &str) -> Cow<'_, str> {
    let next = local(next);
    let path = &next[..next.find(['?', '#']).unwrap_or(next.len())];
    let page = page_of(path);
    if page == path { Cow::Borrowed(next) } else { page }
}

/// The page that a form or a part of a page was asked for from: as the browser says, or else the page that the path belongs to.
pub fn page_around(headers: &HeaderMap, path: &str) -> Uri {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let inside = |url: &str| {
        let (authority, rest) = url.split_once("://")?.1.split_once('/')?;
        let path = format!("/{}", rest.split('#').next()?);
        (said(header::HOST.as_str()) == Some(authority) && local(&path) == path).then_some(path)
    };
    let page = said("hx-current-url").or_else(|| said("referer")).and_then(inside);
    // What was typed when a session had ended is sent from the page of the sign-in.
    let page = page.filter(|page| page.split('?').next() != Some("/signin"));
    let page = page.as_deref().map_or_else(|| page_of(path), full_page);
    page.parse().unwrap_or_else(|_| Uri::from_static("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_page_and_an_address_of_forms_lead_to_their_page() {
        for (path, page) in [
            ("/home/news", "/"),
            ("/notifications/stream", "/notifications"),
            ("/posts/7/comments", "/posts/7"),
            ("/posts/7/nft/recipient", "/posts/7/nft"),
            ("/settings/picture", "/settings"),
            ("/settings/delete", "/settings/data"),
            ("/users/7/block", "/users/7"),
            ("/moderation/POST/7/decide", "/moderation/POST/7"),
            ("/moderation/appeals/next", "/moderation/appeals"),
            ("/moderation/appeals/7/claim", "/moderation/appeals/7"),
            ("/moderation/scheduled/7/cancel", "/moderation/scheduled"),
            ("/moderation/domains/remove", "/moderation/domains"),
            ("/comments/7/nft/recipient", "/comments/7/nft"),
            ("/signout", "/"),
        ] {
            assert_eq!(page_of(path), page, "{path}");
            assert_eq!(full_page(&format!("{path}?a=b#c")), page, "{path}");
        }
        for page in
            ["/", "/posts/7", "/users/7/followers", "/posts/7/edit", "/moderation/appeals/7", "/settings", "/@ada"]
        {
            assert_eq!(page_of(page), page);
            assert_eq!(full_page(&format!("{page}?a=b#c")), format!("{page}?a=b#c"));
        }
        assert_eq!(full_page("//evil.example/home/news"), "/");
    }

    #[test]
    fn the_page_around_a_form_is_the_one_that_the_browser_shows() {
        let around = |name: &'static str, url: &str| {
            let headers = [(header::HOST.as_str(), "a.example:8080"), (name, url)];
            let headers = headers.map(|(name, value)| {
                (name.parse::<header::HeaderName>().unwrap(), value.parse::<header::HeaderValue>().unwrap())
            });
            page_around(&headers.into_iter().collect::<HeaderMap>(), "/posts/7/react").to_string()
        };
        assert_eq!(around("referer", "http://a.example:8080/search?q=a%20b"), "/search?q=a%20b");
        assert_eq!(around("hx-current-url", "https://a.example:8080/tags/x#y"), "/tags/x");
        assert_eq!(around("referer", "http://a.example:8080/posts/9/comments"), "/posts/9", "a form that came back");
        for elsewhere in ["http://evil.example/tags/x", "http://a.example:8080", "http://a.example:8080//evil", "x"] {
            assert_eq!(around("referer", elsewhere), "/posts/7", "{elsewhere}");
        }
    }
}
