//! Every page: that it is shown, is well formed and accessible, loads nothing from elsewhere, and says what people wrote as text.
use axum::http::{Method, StatusCode};
use serde_json::json;

use super::markup::{Element, parse, tree};
use super::stub::ID;
use super::{Client, routes, send};

/// Every page for members.
pub(super) const PAGES: &[&str] = &[
    "/",
    "/explore",
    "/explore?category=BOOKS",
    "/bookmarks",
    "/drafts",
    "/tags/rust",
    "/search",
    "/search?q=a",
    "/search?q=a&kind=people",
    "/search?q=a&kind=tags",
    "/posts/{}",
    "/posts/{}/edit",
    "/posts/{}/delete",
    "/comments/{}",
    "/comments/{}/edit",
    "/comments/{}/delete",
    "/comments/{}/nft",
    "/compose",
    "/users/{}",
    "/users/{}/followers",
    "/users/{}/connections",
    "/users/{}/activity",
    "/@ada",
    "/users/{}/common",
    "/connect",
    "/recommended",
    "/posts/{}/nft",
    "/notifications",
    "/settings",
    "/settings/password",
    "/settings/sessions",
    "/settings/accounts",
    "/settings/people",
    "/settings/notifications",
    "/settings/data",
    "/report?type=POST&id={}",
    "/decisions",
    "/moderation",
    "/moderation?claimed_by_me=true",
    "/moderation/appeals",
    "/moderation/appeals?claimed_by_me=true",
    "/moderation/scheduled",
    "/moderation/policies",
    "/moderation/policies/new",
    "/moderation/policies/{}",
    "/moderation/domains",
    "/moderation/reporters/{}",
    "/moderation/appeals/{}",
    "/moderation/decisions/{}",
    "/moderation/POST/{}",
    "/moderation/COMMENT/{}",
    "/moderation/MEDIA/{}",
    "/moderation/USER/{}",
    "/signin",
    "/signup",
    "/activate?token=a",
    "/activate",
    "/forgot-password",
    "/reset-password?token=a",
    "/undo-change?token=a",
    "/appeal?token=a",
];

/// Text that would be markup, an attribute, a script, a template or another direction, if it were not text.
pub(super) const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror=alert(1)>' onfocus='x &lt;{{7*7}} </title></textarea>\
                       <!-- javascript:alert(1) \u{202e}\u{2066} %00 https://evil.example/";

fn path(template: &str) -> String {
    template.replace("{}", ID)
}

/// What is wrong with a page, each in a sentence.
fn faults(page: &str) -> Vec<String> {
    let (elements, errors) = parse(page);
    let named = |name: &'static str| elements.iter().filter(move |element| element.name == name);
    let mut faults: Vec<_> = errors.into_iter().map(|error| format!("parse error: {error}")).collect();
    let mut expect = |good: bool, fault: String| {
        if !good {
            faults.push(fault);
        }
    };
    expect(named("html").any(|html| matches!(html.get("lang"), Some("en" | "de"))), "no language".to_owned());
    expect(named("title").any(|title| !title.text.trim().is_empty()), "no title".to_owned());
    expect(named("h1").count() == 1, format!("{} h1", named("h1").count()));
    expect(named("main").count() == 1, "not one main".to_owned());
    expect(named("nav").all(|nav| nav.get("aria-label").is_some()), "a navigation without a name".to_owned());
    expect(named("a").any(|link| link.get("class") == Some("skip")), "no link to the content".to_owned());
    let is_level = |name: &str| name.strip_prefix('h').and_then(|level| level.parse::<u8>().ok());
    let levels: Vec<_> = elements.iter().filter_map(|element| is_level(&element.name)).collect();
    let is_skipped = |pair: &[u8]| pair[1] > pair[0] + 1;
    expect(!levels.windows(2).any(is_skipped), format!("a level of headings is left out: {levels:?}"));
    let mut ids: Vec<_> = elements.iter().filter_map(|element| element.get("id")).collect();
    ids.sort_unstable();
    // Everything has the same id in these documents, so only those that are no subject's are compared.
    ids.retain(|id| !id.contains(ID));
    let several: Vec<_> = ids.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    expect(several.is_empty(), format!("ids twice: {several:?}"));
    for element in &elements {
        let about = || format!("{} {:?}", element.name, element.attributes);
        expect(element.get("id") != Some("live") || element.get("aria-live") == Some("polite"), about());
        let inline =
            element.attributes.iter().any(|(name, _)| name == "style" || (name.starts_with("on") && name != "on"));
        expect(!inline, format!("inline: {}", about()));
        expect(element.name != "style", format!("inline style: {}", about()));
        expect(element.name != "script" || element.get("src").is_some(), format!("inline script: {}", about()));
        let loads = element.get("src").filter(|source| !source.starts_with('/') || source.starts_with("//"));
        expect(loads.is_none(), format!("loads from elsewhere: {}", about()));
        if let Some(target) = element.get("href").filter(|_| element.name == "a") {
            let local = (target.starts_with('/') && !target.starts_with("//")) || target.starts_with('#');
            let marked = target.starts_with("http") && element.get("rel") == Some("nofollow ugc noopener");
            expect(local || marked, format!("leads elsewhere: {}", about()));
        }
        expect(element.name != "img" || element.get("alt").is_some(), format!("no alt: {}", about()));
        expect(!is_field(element) || has_label(element, &elements), format!("no label: {}", about()));
    }
    faults
}

fn is_field(element: &Element) -> bool {
    matches!(element.name.as_str(), "input" | "select" | "textarea") && element.get("type") != Some("hidden")
}

fn has_label(field: &Element, all: &[Element]) -> bool {
    let labelled = |id: &str| all.iter().any(|element| element.name == "label" && element.get("for") == Some(id));
    field.get("aria-label").is_some()
        || field.get("id").is_some_and(labelled)
        || field.inside.iter().any(|around| around == "label")
}

/// Every page is shown in both languages, is well formed, and says nothing that no document knows.
#[tokio::test]
async fn every_page_is_whole_and_accessible() {
    let client = Client::new().await;
    for template in PAGES {
        for language in ["en", "de"] {
            let cookie = format!("web_access=good; language={language}");
            let answer = client.ask(Method::GET, &path(template), &[("cookie", &cookie)], "").await;
            assert_eq!(answer.status, StatusCode::OK, "{template}: {}", answer.text);
            assert!(answer.text.contains(&format!("<html lang=\"{language}\"")), "{template}");
            assert_eq!(faults(&answer.text), Vec::<String>::new(), "{template} in {language}");
        }
    }
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// What people write is text: hostile text in every field of every answer changes no page's tree of elements.
#[tokio::test]
async fn hostile_text_is_text() {
    let client = Client::new().await;
    for template in PAGES {
        let path = path(template);
        client.stub.write("plain");
        let plain = client.get(&path).await;
        client.stub.write(HOSTILE);
        let hostile = client.get(&path).await;
        assert_eq!(hostile.status, StatusCode::OK, "{path}");
        assert_eq!(tree(&plain.text), tree(&hostile.text), "{path}");
        assert_eq!(faults(&hostile.text), Vec::<String>::new(), "{path}");
    }
}

/// What a reader writes into an address is text, too, and leads nowhere else.
#[tokio::test]
async fn hostile_addresses_are_text() {
    let client = Client::new().await;
    let odd = crate::ground::words::encoded(HOSTILE);
    for (address, plain) in [
        (format!("/search?q={odd}"), "/search?q=a".to_owned()),
        (format!("/tags/{odd}"), "/tags/a".to_owned()),
        (format!("/signin?next={odd}"), "/signin?next=a".to_owned()),
        (format!("/reset-password?token={odd}"), "/reset-password?token=a".to_owned()),
        (format!("/?done={odd}"), "/?done=a".to_owned()),
    ] {
        let (hostile, plain) = (client.get(&address).await, client.get(&plain).await);
        assert_eq!((hostile.status, plain.status), (StatusCode::OK, StatusCode::OK), "{address}");
        assert_eq!(tree(&hostile.text), tree(&plain.text), "{address}");
    }
    let page = client.get("/signin?next=//evil.example/").await;
    assert!(page.text.contains("name=\"next\" value=\"/\""), "{}", page.text);
}

/// A post is shown with its links, pictures and alternative texts; a picture from elsewhere is not loaded.
#[tokio::test]
async fn a_post_is_shown_with_its_pictures_and_links() {
    let client = Client::new().await;
    let picture = |medium: &str, alt: &str| json!({ "id": ID, "alt": alt, "medium": medium, "width": 4, "height": 3 });
    let facet = |kind: &str, value: &str, from: usize, to: usize| json!({ "kind": kind, "value": value, "byte_start": from, "byte_end": to });
    let author =
        json!({ "id": ID, "username": "ada", "first_name": "Ada", "avatar_url": "https://tracker.example/a.png" });
    let post = json!({
        "id": ID, "created_at": "2026-11-20T12:00:00Z", "title": "Autumn", "content": "see a.example #x @ada",
        "author": author, "total_comments": 2, "total_reactions": 1, "total_views": 7,
        "facets": [facet("LINK", "https://a.example/", 4, 13), facet("TAG", "x", 14, 16), facet("MENTION", "ada", 17, 21)],
        "media": [picture("http://api.example/api/v1/media/7/medium?key=k", "A <red> leaf"),
                  picture("https://tracker.example/b.png", "elsewhere")],
    });
    client.stub.answer("GET /me/feed", 200, json!([post]));
    let page = client.get("/").await.text;
    for expected in [
        "<a href=\"https://a.example/\" rel=\"nofollow ugc noopener\">a.example</a>",
        "<a href=\"/tags/x\">#x</a>",
        "<a href=\"/@ada\">@ada</a>",
        "src=\"/api/v1/media/7/medium?key=k\" alt=\"A &#60;red&#62; leaf\"",
        "2 comments",
        "1 reaction",
    ] {
        assert!(page.contains(expected), "{expected} is not in {page}");
    }
    assert!(!page.contains("tracker.example"), "{page}");
    let post = client.stub.calls("GET /me/feed").pop().unwrap();
    assert_eq!(post.query, "limit=20");
}

/// No template writes a value unescaped, so what is tested here for some values holds for all.
#[test]
fn no_template_writes_a_value_unescaped() {
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap().replace(' ', "");
            assert!(!text.contains("|safe") && !text.contains("escape(\"none\")"), "{}", path.display());
            assert!(!text.contains("javascript:"), "{}", path.display());
            read += 1;
        }
    }
    assert!(read > 40, "{read} templates");
}

/// Every answer, errors and files included, has the headers that keep a browser on the safe side.
#[tokio::test]
async fn every_answer_has_the_headers() {
    let client = Client::new().await;
    let style = crate::ground::assets::STYLE.path.clone();
    for path in ["/", "/signin", "/nothing/here", "/posts/none", "/health/live", &style] {
        let answer = client.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; ") && !policy.contains("unsafe"),
            "{policy}"
        );
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        let kept = if path == style { "public, max-age=31536000, immutable" } else { "private, no-cache" };
        assert_eq!(answer.header("cache-control"), kept, "{path}");
        // An asset is the same for all, with whatever cookie.
        assert_eq!(answer.header("vary").contains("Cookie"), path != style, "{path}");
    }
    assert_eq!(client.get("/assets/000000000000/style.css").await.status, StatusCode::NOT_FOUND);
}

/// An error is a page that helps, with the status that says what it is.
#[tokio::test]
async fn errors_are_pages() {
    let client = Client::new().await;
    client.stub.answer("GET /moderation/queue", 403, json!({ "detail": "Only moderators can do this" }));
    client.stub.answer(&format!("GET /posts/{ID}"), 404, json!({ "detail": "Post not found" }));
    client.stub.answer("GET /me/feed", 429, json!({ "detail": "Too many requests" }));
    let post = format!("/posts/{ID}");
    for (path, status) in [("/moderation", 403), (post.as_str(), 404), ("/posts/7", 404), ("/a/b", 404), ("/", 429)] {
        let answer = client.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(faults(&answer.text), Vec::<String>::new(), "{path}");
        assert!(answer.text.contains("href=\"/\""), "it leads on");
    }
    let guest = client.ask(Method::GET, "/nothing", &[], "").await;
    assert_eq!(guest.status.as_u16(), 404, "what is no page needs no sign-in");
    let wrong = client.post("/explore", "").await;
    assert_eq!((wrong.status.as_u16(), faults(&wrong.text)), (405, vec![]));
}

/// Without its API the client says so at once, and the sign-in page is there all the same.
#[tokio::test]
async fn without_the_api_there_is_a_page_that_says_so() {
    let routes = routes("http://127.0.0.1:1", &[]);
    let answer = send(&routes, Method::GET, "/explore", &[("cookie", "web_access=good")], "").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((answer.header("retry-after"), faults(&answer.text)), ("2", vec![]));
    assert!(answer.text.contains("href=\"/explore\""), "it can be tried again");
    assert!(!answer.text.contains("127.0.0.1"), "and says nothing of where the API is");
    assert_eq!(answer.cookies(), Vec::<&str>::new(), "the session is kept");
    let signin = send(&routes, Method::GET, "/signin", &[], "").await;
    assert_eq!(signin.status, StatusCode::OK);
    let ready = send(&routes, Method::GET, "/health/ready", &[], "").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
}

/// A page whose extras are away is shown without them.
#[tokio::test]
async fn a_page_is_shown_without_what_is_away() {
    let client = Client::new().await;
    for call in ["/me/notifications/unread-count", "/users/lookup", &format!("/{ID}/comments"), &format!("/{ID}/view")]
    {
        for method in ["GET", "POST"] {
            client.stub.answer(&format!("{method} {call}"), 503, json!({ "detail": "away" }));
        }
    }
    let answer = client.get(&format!("/posts/{ID}")).await;
    assert_eq!((answer.status, faults(&answer.text)), (StatusCode::OK, vec![]));
}
