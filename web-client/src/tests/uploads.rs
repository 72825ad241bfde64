//! Pictures of forms: handed on while they arrive, described, and refused early where they are too large.
use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Method, Request, StatusCode, header};
use futures::SinkExt;
use futures::channel::mpsc;
use serde_json::json;
use tokio::time::timeout;
use tower::ServiceExt;

use super::stub::ID;
use super::{Client, HOST, read};
use crate::texts::DE;

const FORM: [(&str, &str); 3] = [
    ("cookie", "web_access=good"),
    ("sec-fetch-site", "same-origin"),
    ("content-type", "multipart/form-data; boundary=b"),
];
/// What is held back until the form is whole would not come before the test's own end.
const AT_ONCE: Duration = Duration::from_secs(5);

fn part(name: &str, value: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

fn file(content: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.png\"\r\n\r\n{content}\r\n")
}

/// A picture is at the API before its form has ended, and its description follows it.
#[tokio::test]
async fn a_picture_goes_on_while_it_arrives() {
    let client = Client::new().await;
    let (mut pieces, body) = mpsc::channel::<Result<Bytes, Infallible>>(0);
    let mut request = Request::builder().method(Method::POST).uri("/compose").header(header::HOST, HOST);
    for (name, value) in FORM {
        request = request.header(name, value);
    }
    let request = request.body(Body::from_stream(body)).unwrap();
    let mut arrived = client.stub.arrived();
    let browser = async move {
        let begin = part("content", "With a picture") + file(&"a".repeat(40_000)).trim_end();
        pieces.send(Ok(begin.into())).await.unwrap();
        arrived.wait_for(|bytes| *bytes > 30_000).await.unwrap();
        let rest = format!("{}\r\n{}--b--\r\n", "z".repeat(9), part("alt", "A <leaf>"));
        pieces.send(Ok(rest.into())).await.unwrap();
    };
    let answered = async { read(client.routes.clone().oneshot(request).await.unwrap()).await };
    let (answer, ()) = timeout(AT_ONCE, futures::future::join(answered, browser)).await.expect("it is not held back");
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, &*format!("/posts/{ID}?done=posted"))
    );
    let upload = client.stub.calls("POST /media").pop().unwrap();
    for expected in ["name=\"purpose\"\r\n\r\nPOST\r\n", "aazzzzzzzzz\r\n--", "name=\"alt\"\r\n\r\nA <leaf>\r\n--"] {
        assert!(upload.text.contains(expected), "{expected:?} is not in {}", upload.text);
    }
    assert!(!upload.headers.contains_key(header::CONTENT_LENGTH), "nobody knows yet how long it is");
    assert_eq!(client.stub.calls("POST /posts").pop().unwrap().body["media"], json!([ID]));
}

/// What is too large is refused by its length, before anything of it is read.
#[tokio::test]
async fn what_is_too_large_is_refused_by_its_length() {
    let client = Client::new().await;
    let headers: Vec<_> = FORM.into_iter().chain([("content-length", "20000000")]).collect();
    for path in ["/compose", "/settings/picture"] {
        let refused = client.ask(Method::POST, path, &headers, &part("content", "a")).await;
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
    let long = part("content", &"a".repeat(200 << 10)) + "--b--\r\n";
    let text = client.ask(Method::POST, "/compose", &FORM, &long).await;
    assert_eq!(text.status, StatusCode::PAYLOAD_TOO_LARGE, "a text has room for a text");
    assert_eq!(client.stub.calls("POST /media").len() + client.stub.calls("POST /posts").len(), 0);
}

/// A picture that is refused brings the form back with its text and with the pictures before it; those behind it are not sent.
#[tokio::test]
async fn a_refused_picture_brings_the_form_back() {
    let client = Client::new().await;
    let detail = json!({ "detail": "The file must be a JPEG, PNG, WebP or GIF" });
    client.stub.answer("POST /media", 415, detail);
    let body =
        [file("text"), part("alt", ""), file("more"), part("alt", ""), part("content", "Kept"), "--b--\r\n".into()];
    let refused = client.ask(Method::POST, "/compose", &FORM, &body.concat()).await;
    assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(refused.text.contains(">Kept</textarea>") && refused.text.contains("JPEG, PNG, WebP"), "{}", refused.text);
    assert_eq!((client.stub.calls("POST /media").len(), client.stub.calls("POST /posts").len()), (1, 0));
}

/// Why a picture of a profile cannot be used is said in the reader's language.
#[tokio::test]
async fn a_picture_of_a_profile_that_cannot_be_used_says_why() {
    let client = Client::new().await;
    client.stub.answer("POST /media", 202, json!({ "id": ID, "status": "REFUSED", "reason": "TOO_MANY_PIXELS" }));
    let form: Vec<_> = FORM.into_iter().filter(|(name, _)| *name != "cookie").collect();
    let german: Vec<_> = form.into_iter().chain([("cookie", "web_access=good; language=de")]).collect();
    let refused = client.ask(Method::POST, "/settings/picture", &german, &(file("a") + "--b--\r\n")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let words = format!("{} {}", DE.picture_refused, DE.unusable_large);
    assert!(refused.text.contains(&words), "{}", refused.text);
    assert!(!refused.text.contains("Too many"), "{}", refused.text);
}

/// A session of which the refresh token alone is left.
const EXPIRED: [(&str, &str); 3] = [("cookie", "web_refresh=once"), FORM[1], FORM[2]];

/// A request whose body comes in pieces.
fn upload(pieces: Body) -> Request<Body> {
    let mut request = Request::builder().method(Method::POST).uri("/compose?from=here").header(header::HOST, HOST);
    for (name, value) in EXPIRED {
        request = request.header(name, value);
    }
    request.body(pieces).unwrap()
}

fn renews(client: &Client) {
    let tokens = json!({ "access_token": "good", "refresh_token": "next", "expires_in": 900, "token_type": "bearer" });
    client.stub.answer("POST /auth/refresh", 200, tokens);
}

/// A session is renewed when the form has come, and its cookies leave at once: while pictures arrive the browser's tokens are good in every
/// other tab. Then the browser sends the form again, under its new token.
#[tokio::test]
async fn a_renewed_session_does_not_wait_for_pictures() {
    let client = Client::new().await;
    renews(&client);
    let (mut pieces, body) = mpsc::channel::<Result<Bytes, Infallible>>(0);
    let form = [part("content", "With a picture"), file(&"a".repeat(40_000)), "--b--\r\n".to_owned()];
    let (sent, stub) = (form.clone(), &client.stub);
    let browser = async move {
        let [content, picture, end] = sent;
        for piece in [content, picture] {
            // A piece is taken before the next one goes.
            pieces.send(Ok(piece.into())).await.unwrap();
        }
        assert_eq!(stub.calls("POST /auth/refresh").len(), 0, "the old token is good as long as the form arrives");
        pieces.send(Ok(end.into())).await.unwrap();
    };
    let answered = async { read(client.routes.clone().oneshot(upload(Body::from_stream(body))).await.unwrap()).await };
    let (answer, ()) = timeout(AT_ONCE, futures::future::join(answered, browser)).await.expect("it is not held back");
    assert_eq!((answer.status, answer.header("location")), (StatusCode::TEMPORARY_REDIRECT, "/compose?from=here"));
    assert!(
        answer.cookies()[0].starts_with("web_access=good; ") && answer.cookies()[1].starts_with("web_refresh=next; ")
    );
    let made = |call: &str| client.stub.calls(call).len();
    assert_eq!((made("POST /auth/refresh"), made("POST /media"), made("POST /posts")), (1, 0, 0));

    let again = client.ask(Method::POST, "/compose?from=here", &FORM, &form.concat()).await;
    assert_eq!(again.header("location"), format!("/posts/{ID}?done=posted"));
    assert_eq!((made("POST /auth/refresh"), made("POST /media"), made("POST /posts")), (1, 1, 1));
}

/// A form that breaks off, as when its page is left, renews nothing: the new tokens would be lost.
#[tokio::test]
async fn a_form_that_breaks_off_renews_no_session() {
    let client = Client::new().await;
    renews(&client);
    let broken = [Ok(Bytes::from(part("content", "Gone"))), Err(std::io::Error::other("gone"))];
    let request = upload(Body::from_stream(futures::stream::iter(broken)));
    let answer = read(client.routes.clone().oneshot(request).await.unwrap()).await;
    assert!(answer.status.is_client_error() && answer.cookies().is_empty(), "{}", answer.status);
    assert_eq!(client.stub.calls("POST /auth/refresh").len(), 0);
}

/// When the session has ended, or the API is away, what was written comes back.
#[tokio::test]
async fn what_was_written_survives_a_session_that_is_not_renewed() {
    let client = Client::new().await;
    let form = [part("content", "Kept"), file("bytes"), "--b--\r\n".to_owned()].concat();
    client.stub.answer("POST /auth/refresh", 503, json!({ "detail": "away" }));
    let away = client.ask(Method::POST, "/compose", &EXPIRED, &form).await;
    assert_eq!((away.status, away.cookies().len()), (StatusCode::SERVICE_UNAVAILABLE, 0), "it may be good: it is kept");
    assert!(away.text.contains(">Kept</textarea>") && away.text.contains("action=\"/compose\""), "{}", away.text);
    client.stub.answer("POST /auth/refresh", 401, json!({ "detail": "Invalid token" }));
    let ended = client.ask(Method::POST, "/compose", &EXPIRED, &form).await;
    assert_eq!(ended.status, StatusCode::FORBIDDEN);
    assert!(ended.text.contains("value=\"Kept\"") && ended.text.contains("action=\"/signin\""), "{}", ended.text);
    assert!(ended.cookies().len() == 2 && ended.cookies().iter().all(|cookie| cookie.contains("Max-Age=0")));
    assert_eq!(client.stub.calls("POST /media").len(), 0);
}

/// The gateway hands these forms through as they come, and lets no longer ones through.
#[test]
fn the_gateway_does_not_hold_forms_with_pictures_back() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../gateway/templates/http/server.conf.template");
    let server = std::fs::read_to_string(path).unwrap();
    let place = server.split("location ~ ^/(?:compose|posts/[^/]+/edit|settings/picture)$ {").nth(1).unwrap();
    let place = place.split('}').next().unwrap();
    assert!(
        place.contains("proxy_request_buffering off;") && place.contains("client_max_body_size 10304k;"),
        "{place}"
    );
}
