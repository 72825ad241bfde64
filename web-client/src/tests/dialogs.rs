//! Forms in dialogs: parts of their pages, which are complete without a dialog; and what scripts may make HTML of.
use axum::http::{Method, StatusCode};

use super::Client;
use super::markup::parse;
use super::pages::HOSTILE;
use super::stub::ID;
use crate::texts::{DE, EN};

/// How a script asks for a part of a page.
const SCRIPT: [(&str, &str); 2] = [("cookie", "web_access=good"), ("hx-request", "true")];
/// The policy by which a browser makes HTML of text.
const TRUSTED: &str = include_str!("../../assets/trusted.js");

/// The pages whose forms stand in dialogs.
fn paths() -> [String; 2] {
    ["/compose".to_owned(), format!("/report?type=POST&id={ID}")]
}

/// A dialog shows the form of a page with all of its fields, and has a way out; the page, which is for browsers without scripts, has none.
#[tokio::test]
async fn a_dialog_shows_the_form_of_a_page() {
    let client = Client::new().await;
    for path in paths() {
        let (page, part) = (client.get(&path).await, client.ask(Method::GET, &path, &SCRIPT, "").await);
        assert_eq!((page.status, part.status), (StatusCode::OK, StatusCode::OK), "{path}");
        let text = part.text.trim();
        assert!(text.starts_with("<form") && text.ends_with("</form>"), "{path}: {text}");
        assert!(text.contains("data-close") && text.contains(EN.cancel), "{path}: {text}");
        assert!(!page.text.contains("data-close"), "{path}: {}", page.text);
        assert!(part.header("vary").contains("HX-Request"), "a browser keeps the two apart");
        let fields = |page: &str| -> Vec<_> {
            let named =
                parse(page).0.into_iter().filter(|element| element.inside.iter().any(|around| around == "form"));
            named.filter_map(|element| element.get("name").map(str::to_owned)).collect()
        };
        let (all, shown) = (fields(&page.text), fields(text));
        assert!(shown.len() > 3 && shown.iter().all(|name| all.contains(name)), "{path}: {shown:?}");

        let german = [("cookie", "web_access=good; language=de"), SCRIPT[1]];
        assert!(client.ask(Method::GET, &path, &german, "").await.text.contains(DE.cancel), "{path}");
    }
}

/// A guest is led to the sign-in, and what is no form is no part of a page: the dialog gives way to the page.
#[tokio::test]
async fn what_cannot_be_shown_in_a_dialog_is_no_form() {
    let client = Client::new().await;
    let guest = client.ask(Method::GET, "/compose", &SCRIPT[1..], "").await;
    assert_eq!((guest.header("hx-redirect"), guest.text.as_str()), ("/signin?next=%2Fcompose", ""));
    let missing = client.ask(Method::GET, "/report?type=MOON&id=7", &SCRIPT, "").await;
    assert!(missing.status == StatusCode::NOT_FOUND && !missing.text.contains('<'), "{}", missing.text);
}

/// Links to writing and reporting are links to pages.
#[tokio::test]
async fn a_link_to_a_dialog_is_a_link_to_its_page() {
    let client = Client::new().await;
    for path in ["/", "/explore", "/settings"] {
        let (elements, _) = parse(&client.get(path).await.text);
        let marked = elements.iter().filter(|element| element.get("data-dialog").is_some());
        let links: Vec<_> = marked.map(|element| (element.name.as_str(), element.get("href"))).collect();
        assert!(links.contains(&("a", Some("/compose"))), "{path}: {links:?}");
        assert!(links.iter().all(|(name, target)| *name == "a" && target.is_some()), "{path}: {links:?}");
    }
    for template in [
        include_str!("../../templates/parts/actions.html"),
        include_str!("../../templates/parts/comment.html"),
        include_str!("../../templates/profile.html"),
    ] {
        let link = template.split("href=\"/report?").nth(1).unwrap();
        assert!(link[..link.find('>').unwrap()].ends_with("\" data-dialog"), "{link}");
    }
}

/// What scripts make HTML of loads and runs nothing, whatever people have written: the policy refuses what does.
#[tokio::test]
async fn no_part_of_a_page_is_refused_by_the_policy_of_pages() {
    let (_, rest) = TRUSTED.split_once("/<(").unwrap();
    let refused: Vec<_> = rest[..rest.find(')').unwrap()].split('|').collect();
    assert!(refused.contains(&"script") && refused.contains(&"iframe"), "{refused:?}");
    let client = Client::new().await;
    client.stub.write(HOSTILE);
    let sent = [SCRIPT[0], SCRIPT[1], ("sec-fetch-site", "same-origin")];
    let [compose, report] = paths();
    let (react, keep) = (format!("/posts/{ID}/react"), format!("/posts/{ID}/bookmark"));
    for (method, path, form) in [
        (Method::GET, compose.as_str(), ""),
        (Method::GET, &report, ""),
        (Method::GET, "/home/news?after=none", ""),
        (Method::POST, &react, "type=LOVE"),
        (Method::POST, &keep, ""),
    ] {
        let part = client.ask(method, path, &sent, form).await;
        assert!(part.status == StatusCode::OK && !part.text.is_empty(), "{path}: {}", part.status);
        let text = part.text.to_lowercase();
        for name in &refused {
            assert!(!text.contains(&format!("<{name}")), "{path}: {text}");
        }
    }
    let policy = client.get("/").await.header("content-security-policy").to_owned();
    assert!(policy.ends_with("; require-trusted-types-for 'script'; trusted-types default"), "{policy}");
}
