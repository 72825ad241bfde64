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
