//! What was typed is not lost: neither by a session's end, nor by an API that is away, nor by a refusal; and what comes back is in the
//! reader's language, under an address that can be opened.
use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::markup::parse;
use super::pages::PAGES;
use super::stub::ID;
use super::{Answer, Client};
use crate::ground::returns::page_of;
use crate::ground::words::encoded;
use crate::texts::{DE, EN};

/// A form of a page of this origin, of a guest.
const GUEST: [(&str, &str); 1] = [("sec-fetch-site", "same-origin")];
const GERMAN: [(&str, &str); 2] = [("sec-fetch-site", "same-origin"), ("cookie", "web_access=good; language=de")];
const FILES: [(&str, &str); 2] =
    [("sec-fetch-site", "same-origin"), ("content-type", "multipart/form-data; boundary=b")];

fn part(name: &str, value: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

/// What the first form of a page would send besides what is typed into it.
fn hidden(page: &Answer) -> String {
    let (elements, errors) = parse(&page.text);
    assert_eq!(errors, Vec::<String>::new());
    let inputs = elements.iter().filter(|element| element.get("type") == Some("hidden"));
    let pairs = inputs.map(|input| format!("{}={}", input.get("name").unwrap(), encoded(input.get("value").unwrap())));
    pairs.collect::<Vec<_>>().join("&")
}

fn begins_session(client: &Client) {
    let tokens = json!({ "access_token": "good", "refresh_token": "next", "expires_in": 900, "token_type": "bearer" });
    client.stub.answer("POST /auth/signin", 200, tokens);
}

/// A comment that was sent without a session is in the sign-in, survives a wrong password, and is sent after the right one, as the reply
/// that it was and under its key.
#[tokio::test]
async fn what_was_typed_when_a_session_had_ended_is_sent_after_the_sign_in() {
    let client = Client::new().await;
    let (path, call) = (format!("/posts/{ID}/comments"), format!("POST /{ID}/comments"));
    let form = format!("content=Well+%3Csaid%3E%0D%0AAda&key=k-1&reply_to={ID}");
    for headers in [&GUEST[..], &[GUEST[0], ("cookie", "web_access=old")]] {
        let asked = client.ask(Method::POST, &path, headers, &form).await;
        assert_eq!(asked.status, StatusCode::FORBIDDEN, "{headers:?}");
        assert!(asked.text.contains(EN.session_over) && asked.text.contains("action=\"/signin\""), "{}", asked.text);
        client.stub.answer("POST /auth/signin", 404, json!({ "detail": "Wrong username or password" }));
        let form = format!("email=ada%40b.example&password=guess&{}", hidden(&asked));
        let wrong = client.ask(Method::POST, "/signin", &GUEST, &form).await;
        assert!(wrong.text.contains(EN.wrong_credentials) && !wrong.text.contains("guess"), "{}", wrong.text);
        begins_session(&client);
        let form = format!("email=ada%40b.example&password=a+long+walk&{}", hidden(&wrong));
        let again = client.ask(Method::POST, "/signin", &GUEST, &form).await;
        assert_eq!((again.status, again.cookies().len()), (StatusCode::OK, 2));
        for kept in [
            "name=\"content\" rows=\"4\" dir=\"auto\">Well &#60;said&#62;\nAda</textarea>",
            &format!("action=\"{path}\""),
            "name=\"key\" value=\"k-1\"",
            &format!("name=\"reply_to\" value=\"{ID}\""),
            &format!("href=\"/posts/{ID}\""),
        ] {
            assert!(again.text.contains(kept), "{kept} is not in {}", again.text);
        }
        assert!(!again.text.contains("a long walk"), "no page repeats a password");
        assert!(client.stub.calls(&call).is_empty(), "nothing is sent before its author has seen it");
        let sent = client.post(&path, &format!("{}&content=Well", hidden(&again))).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER);
        let calls = client.stub.calls(&call);
        assert_eq!(calls[0].body, json!({ "content": "Well", "reply_to": ID }));
        assert_eq!(calls[0].headers["idempotency-key"], "k-1");
        client.stub.forget();
    }
}

/// A form in which nothing was written leads to the sign-in as before, and back to its page.
#[tokio::test]
async fn a_button_leads_to_the_sign_in_and_back_to_its_page() {
    let client = Client::new().await;
    let here = [GUEST[0], ("referer", "http://social.example/search?q=ada&kind=people")];
    let connect = client.ask(Method::POST, &format!("/users/{ID}/connect"), &here, "next=%2Fconnect").await;
    assert_eq!(connect.header("location"), "/signin?next=%2Fsearch%3Fq%3Dada%26kind%3Dpeople");
    let elsewhere = [GUEST[0], ("referer", "http://evil.example/search")];
    let connect = client.ask(Method::POST, &format!("/users/{ID}/connect"), &elsewhere, "").await;
    assert_eq!(connect.header("location"), format!("/signin?next=%2Fusers%2F{ID}"));
    begins_session(&client);
    for (next, page) in
        [("/home/news", "/"), ("/notifications/stream", "/notifications"), ("/explore?a=b", "/explore?a=b")]
    {
        let form = format!("email=a&password=b&next={}", encoded(next));
        assert_eq!(client.ask(Method::POST, "/signin", &GUEST, &form).await.header("location"), page, "{next}");
    }
}

/// A post that was sent without a session comes back in its own form, where pictures can be chosen again; none was handed on.
#[tokio::test]
async fn a_post_without_a_session_comes_back_in_its_form() {
    let client = Client::new().await;
    let file = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.png\"\r\n\r\nbytes\r\n";
    let body = [
        part("title", "T"),
        part("content", "Kept"),
        part("types", "BOOKS"),
        file.to_owned(),
        part("key", "k"),
        "--b--\r\n".to_owned(),
    ];
    let asked = client.ask(Method::POST, "/compose", &FILES, &body.concat()).await;
    assert_eq!(asked.status, StatusCode::FORBIDDEN);
    assert_eq!(client.stub.calls("POST /media").len(), 0);
    begins_session(&client);
    let form = format!("email=a&password=b&{}", hidden(&asked));
    let again = client.ask(Method::POST, "/signin", &GUEST, &form).await;
    assert!(again.text.contains("action=\"/compose\" enctype=\"multipart/form-data\""), "{}", again.text);
    let signed = [FILES[0], FILES[1], ("cookie", "web_access=good")];
    client.stub.answer("GET /posts/category-choices", 200, json!(["BOOKS", "SPORTS"]));
    let body = [
        part("review", "yes"),
        part("content", "Kept"),
        part("types", "BOOKS"),
        part("key", "k"),
        "--b--\r\n".to_owned(),
    ];
    let form = client.ask(Method::POST, "/compose", &signed, &body.concat()).await;
    assert_eq!((form.status, client.stub.calls("POST /posts").len()), (StatusCode::OK, 0), "it was not published");
    for kept in [">Kept</textarea>", "value=\"BOOKS\" checked", "name=\"key\" value=\"k\"", "id=\"file1\""] {
        assert!(form.text.contains(kept), "{kept} is not in {}", form.text);
    }
}

/// While the API is away a form comes back with all that was typed, to be sent again under the same key; one with a password is shown again
/// without it.
#[tokio::test]
async fn what_was_typed_while_the_api_is_away_can_be_sent_again() {
    let client = Client::new().await;
    let away = json!({ "detail": "away" });
    for call in ["POST /auth/change-password", "POST /auth/signup", "PATCH /users/me", &format!("POST /{ID}/comments")]
    {
        client.stub.answer(call, 503, away.clone());
    }
    let comment = client.post(&format!("/posts/{ID}/comments"), "content=Kept&key=k-7").await;
    assert_eq!((comment.status, comment.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "2"));
    for kept in [">Kept</textarea>", "name=\"key\" value=\"k-7\"", &format!("action=\"/posts/{ID}/comments\"")] {
        assert!(comment.text.contains(kept), "{kept} is not in {}", comment.text);
    }
    let password = client.post("/settings/password", "current=secret-a&new=secret-b").await;
    assert_eq!(password.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(password.text.contains("id=\"current\"") && !password.text.contains("secret-"), "{}", password.text);
    let joining = client.ask(Method::POST, "/signup", &GUEST, "email=a%40b.example&password=secret-c").await;
    assert!(joining.text.contains("value=\"a@b.example\"") && !joining.text.contains("secret-"), "{}", joining.text);
    let profile = client.post("/settings", "username=ada&bio=Of+engines").await;
    assert!(
        profile.text.contains(">Of engines</textarea>") && profile.text.contains("value=\"ada\""),
        "{}",
        profile.text
    );
}

/// What is refused comes back as it was entered, with the status of the refusal, and with the reason at its field.
#[tokio::test]
async fn what_is_refused_comes_back_with_its_status_and_its_reason() {
    let client = Client::new().await;
    client.stub.answer(&format!("POST /{ID}/comments"), 403, json!({ "detail": "Muted users cannot write" }));
    client.stub.answer(&format!("PUT /comments/{ID}"), 429, json!({ "detail": "Too many requests" }));
    let reply = client.post(&format!("/posts/{ID}/comments"), &format!("content=And+so&reply_to={ID}")).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert!(reply.text.contains(&format!("name=\"reply_to\" value=\"{ID}\"")), "it stays a reply: {}", reply.text);
    assert!(reply.text.contains("id=\"error\" autofocus>"), "it is read first, without a script, too: {}", reply.text);
    assert!(reply.text.contains(">And so</textarea>") && reply.text.contains(EN.refused_muted), "{}", reply.text);
    let edited = client.post(&format!("/comments/{ID}/edit"), "content=Better").await;
    assert_eq!(edited.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(edited.text.contains(">Better</textarea>"), "{}", edited.text);

    let fault =
        json!({ "detail": [{ "loc": ["body", "username"], "msg": "it is reserved", "type": "value_error.username" }] });
    client.stub.answer("PATCH /users/me", 422, fault);
    let profile = client.post("/settings", "username=admin&bio=Kept&interests=BOOKS").await;
    let (elements, errors) = parse(&profile.text);
    assert_eq!((profile.status, errors), (StatusCode::UNPROCESSABLE_ENTITY, vec![]));
    let field = elements.iter().find(|element| element.get("id") == Some("username")).unwrap();
    assert_eq!((field.get("value"), field.get("aria-invalid")), (Some("admin"), Some("true")));
    assert!(field.get("autofocus").is_some());
    let fault = elements.iter().find(|element| element.get("id") == field.get("aria-describedby")).unwrap();
    assert_eq!(fault.text, EN.fault_reserved);

    client.stub.answer("PATCH /me/notification-preferences", 422, json!({ "detail": "odd" }));
    let form = "kinds=USER_MENTIONED&mail-USER_MENTIONED=DIGEST&time_zone=Nowhere&digest_hour=77";
    let preferences = client.post("/settings/notifications", form).await;
    for kept in ["value=\"Nowhere\"", "value=\"77\"", "value=\"DIGEST\" selected"] {
        assert!(preferences.text.contains(kept), "{kept} is not in {}", preferences.text);
    }
    client.stub.answer("POST /auth/forgot-password", 422, json!({ "detail": "odd" }));
    let forgotten = client.ask(Method::POST, "/forgot-password", &GUEST, "email=ada%40").await;
    assert!(forgotten.text.contains("value=\"ada@\""), "{}", forgotten.text);
}

/// German pages say in German what the API refuses in English, on the page of a form and on that of an error.
#[tokio::test]
async fn refusals_are_said_in_the_language_of_their_reader() {
    let client = Client::new().await;
    let muted = json!({ "detail": "Muted users cannot write" });
    client.stub.answer(&format!("POST /{ID}/comments"), 403, muted.clone());
    client.stub.answer(&format!("POST /users/{ID}/connect"), 403, muted);
    for path in [format!("/posts/{ID}/comments"), format!("/users/{ID}/connect")] {
        let refused = client.ask(Method::POST, &path, &GERMAN, "content=Ja").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
        assert!(refused.text.contains(DE.refused_muted), "{}", refused.text);
        assert!(!refused.text.contains("Muted users"), "{}", refused.text);
    }
}

/// What no language has is quoted behind what the reader's language can say of it, and is marked as English, so that it is read aloud as that:
/// on the page of a form, on that of an error, and where a sign-in elsewhere has failed.
#[tokio::test]
async fn what_no_language_has_is_marked_as_english() {
    let client = Client::new().await;
    let odd = json!({ "detail": "The moon is full" });
    let comment = format!("POST /{ID}/comments");
    client.stub.answer(&comment, 403, odd.clone());
    client.stub.answer(&format!("POST /users/{ID}/connect"), 403, odd.clone());
    client.stub.answer("POST /auth/providers/callback", 403, odd);
    let back = "/linked-accounts/callback?state=s&code=c";
    for (method, path) in [
        (Method::POST, format!("/posts/{ID}/comments")),
        (Method::POST, format!("/users/{ID}/connect")),
        (Method::GET, back.to_owned()),
    ] {
        let refused = client.ask(method, &path, &GERMAN, "content=Ja").await.text;
        let (elements, errors) = parse(&refused);
        assert_eq!(errors, Vec::<String>::new(), "{path}");
        let quoted =
            elements.iter().find(|element| element.text == "The moon is full" && element.get("lang").is_some());
        assert_eq!(quoted.and_then(|element| element.get("lang")), Some("en"), "{path}: {refused}");
        assert!(refused.contains(DE.error_403_advice), "{path}: {refused}");
    }
    let headers = [GERMAN[0], GERMAN[1], ("hx-request", "true")];
    let part = client.ask(Method::POST, &format!("/users/{ID}/connect"), &headers, "").await.text;
    assert_eq!(part, format!("{} The moon is full", DE.error_403_advice));

    let fault = json!({ "detail": [{ "loc": ["body", "content"], "msg": "too odd", "type": "value_error.odd" }] });
    client.stub.answer(&comment, 422, fault);
    let refused = client.ask(Method::POST, &format!("/posts/{ID}/comments"), &GERMAN, "content=Ja").await.text;
    let (elements, _) = parse(&refused);
    let beside = elements.iter().find(|element| element.get("id") == Some("content-error")).unwrap();
    assert_eq!(beside.text, DE.fault_other, "beside the field stands the reader's language alone");
    assert!(refused.contains("<p lang=\"en\">content: too odd</p>"), "{refused}");
}

/// A script is answered with the words alone, which it shows beside what was asked for; and what it puts into a page leads back to that page.
#[tokio::test]
async fn a_part_of_a_page_that_fails_says_why() {
    let client = Client::new().await;
    let path = format!("/posts/{ID}/react");
    let current = "http://social.example/tags/rust?cursor=1";
    let headers = [GERMAN[0], GERMAN[1], ("hx-request", "true"), ("hx-current-url", current)];
    let part = client.ask(Method::POST, &path, &headers, "type=LOVE").await;
    assert_eq!(part.status, StatusCode::OK);
    assert!(part.text.contains("name=\"next\" value=\"/tags/rust?cursor=1\""), "{}", part.text);
    let summary = format!("GET /{ID}/post-reactions/summary");
    for (status, body, words) in [
        (503, json!({ "detail": "away" }), DE.error_503_advice),
        (403, json!({ "detail": "Muted users cannot write" }), DE.refused_muted),
    ] {
        client.stub.answer(&summary, status, body);
        let failed = client.ask(Method::POST, &path, &headers, "type=LOVE").await;
        assert_eq!((failed.status.as_u16(), failed.text.as_str()), (status, words));
        assert!(failed.header("content-type").starts_with("text/plain"));
    }
    let page = client.get("/").await.text;
    for words in ["data-failed=\"There is no answer", "data-offline=\"There is no connection", "role=\"status\""] {
        assert!(page.contains(words), "{words} is not in {page}");
    }
}

/// Every form belongs to a page that can be opened, and the links of a page that a form is answered with lead there.
#[tokio::test]
async fn the_links_of_a_refused_form_lead_to_pages() {
    let client = Client::new().await;
    let mut actions = BTreeSet::new();
    for page in PAGES {
        let (elements, _) = parse(&client.get(&page.replace("{}", ID)).await.text);
        let forms = elements.iter().filter(|element| element.name == "form" && element.get("method") == Some("post"));
        actions.extend(forms.filter_map(|form| form.get("action")).map(str::to_owned));
    }
    assert!(actions.len() > 30, "{actions:?}");
    for action in actions {
        let page = page_of(&action);
        let status = client.get(&page).await.status;
        assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{action} belongs to {page}");
    }
    client.stub.answer(&format!("POST /{ID}/comments"), 403, json!({ "detail": "odd" }));
    let refused = client.post(&format!("/posts/{ID}/comments"), "content=a").await;
    let choices = format!(
        "<form method=\"post\" action=\"/choices\">\n<input type=\"hidden\" name=\"next\" value=\"/posts/{ID}\">"
    );
    assert!(refused.text.contains(&choices), "{}", refused.text);
}
