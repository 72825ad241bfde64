//! Pictures, through their routes, their events and their workers.
pub mod buckets;
pub mod direct;
mod faults;
mod files;
mod kills;
mod lives;
mod posts;
mod processing;
mod profiles;
mod republication;
mod uploads;

use std::io::Cursor;
use std::sync::{Arc, OnceLock};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use clap::FromArgMatches;
use http_body_util::BodyExt;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tower::ServiceExt;

use super::blobs::schedulers::Sweeper;
use super::library::MediaLibrary;
use super::processing::schedulers::{AT_ONCE, MediaWorker};
use super::republication::schedulers::PostRepublisher;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, Reply};
use crate::settings::Settings;

/// The boundary of the parts of forms.
const EDGE: &str = "edge-of-a-part";

/// A folder for the pictures of all tests that do not look into it.
pub fn shared_folder() -> String {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().unwrap()).path().to_string_lossy().into_owned()
}

/// A PNG with a gradient, so that no two sizes are alike.
pub fn picture(width: u32, height: u32) -> Vec<u8> {
    encoded(&gradient(width, height), ImageFormat::Png)
}

/// A gradient from left to right, red above and blue below.
pub fn gradient(width: u32, height: u32) -> DynamicImage {
    let shade = |part: u32, whole: u32| u8::try_from(part * 255 / whole.max(1)).unwrap();
    RgbImage::from_fn(width, height, |x, y| Rgb([shade(x, width), 40, shade(y, height)])).into()
}

/// The file of an image.
pub fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A form with a file and these texts.
pub fn form_with(texts: &[(&str, &str)], file: Option<&[u8]>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, text) in texts {
        let part = format!("--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    if let Some(file) = file {
        let head = format!(
            "--{EDGE}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.svg\"\r\nContent-Type: image/svg+xml\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{EDGE}--\r\n").as_bytes());
    body
}

/// A request that uploads a picture for a post.
pub fn form(method: &str, file: &[u8]) -> Request<Body> {
    upload_request(method, form_with(&[("purpose", "POST"), ("alt", "A gradient")], Some(file)).into())
}

fn upload_request(method: &str, body: Body) -> Request<Body> {
    let kind = format!("multipart/form-data; boundary={EDGE}");
    Request::builder().method(method).uri("/api/v1/media").header(header::CONTENT_TYPE, kind).body(body).unwrap()
}

fn signed_in(mut request: Request<Body>, token: &str) -> Request<Body> {
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    request
}

/// Uploads a form with these texts.
async fn upload_form(platform: &Platform, token: &str, texts: &[(&str, &str)], file: Option<&[u8]>) -> Reply {
    platform.send(signed_in(upload_request("POST", form_with(texts, file).into()), token)).await
}

/// Uploads a picture, which has to be accepted.
async fn upload(platform: &Platform, token: &str, purpose: &str, file: &[u8]) -> String {
    let reply = upload_form(platform, token, &[("purpose", purpose), ("alt", "A gradient")], Some(file)).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    reply.body["id"].as_str().unwrap().to_owned()
}

/// What the platform's settings say of pictures.
pub fn library(platform: &Platform) -> Arc<MediaLibrary> {
    let settings = Settings::from_arg_matches(&platform.settings()).unwrap();
    MediaLibrary::open(&settings.media, &platform.app.settings).unwrap()
}

/// A worker of the platform.
fn worker(platform: &Platform) -> MediaWorker {
    MediaWorker::new(&platform.app, &library(platform), &Arc::new(Semaphore::new(AT_ONCE)))
}

/// Processes all pictures that wait.
async fn process_all(platform: &Platform) {
    let mut worker = worker(platform);
    while worker.step().await.unwrap() == Outcome::Busy {}
}

/// Publishes the posts of changed pictures again.
async fn republish(platform: &Platform) {
    let mut republisher = PostRepublisher(platform.app.clone());
    while republisher.step().await.unwrap() == Outcome::Busy {}
}

/// Deletes the files to which nothing refers.
async fn sweep(platform: &Platform) {
    let mut sweeper = Sweeper { app: platform.app.clone(), library: library(platform) };
    while sweeper.step().await.unwrap() == Outcome::Busy {}
}

/// Uploads a picture, and processes it.
pub async fn ready(platform: &Platform, token: &str, purpose: &str, file: &[u8]) -> String {
    let id = upload(platform, token, purpose, file).await;
    process_all(platform).await;
    id
}

/// How far a picture of the caller is.
async fn state(platform: &Platform, token: &str, id: &str) -> Value {
    platform.call("GET", &format!("/media/{id}"), Some(token), None).await.body
}

/// A file as a browser gets it, without a token.
async fn get(platform: &Platform, url: &str) -> (StatusCode, HeaderMap, Bytes) {
    get_with(platform, url, &[]).await
}

async fn get_with(platform: &Platform, url: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Bytes) {
    let mut request = Request::get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = platform.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
}

/// Writes a published post with these pictures.
async fn post_with(platform: &Platform, token: &str, media: &[&str]) -> Value {
    let post = serde_json::json!({ "content": "x", "types": [], "status": "POSTED", "media": media });
    let reply = platform.call("POST", "/posts", Some(token), Some(post)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.body
}

/// The URL at that place of an answer.
fn url(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no address"))
}
