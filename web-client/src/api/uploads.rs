//! Uploading a picture: the form of `POST /media`, written by hand, since it has three fields.
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Method;
use reqwest::header;
use serde::Deserialize;
use uuid::Uuid;

use super::caller::away;
use super::{Caller, failures::Failure};

/// How often, and at which distance, it is asked whether a picture is processed: eight seconds in all.
const LOOKS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(200);

/// A picture that was uploaded.
#[derive(Clone, Debug, Deserialize)]
pub struct Uploaded {
    pub id: Uuid,
    pub status: String,
    pub reason: Option<String>,
}

impl Caller {
    /// The picture when it was processed, or as far as it is after a few seconds.
    pub async fn processed(&self, mut picture: Uploaded) -> Result<Uploaded, Failure> {
        for _ in 0..LOOKS {
            if picture.status != "UPLOADED" {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            picture = self.get(&["media", &picture.id.to_string()], &[]).await?;
        }
        Ok(picture)
    }

    /// Uploads a file for a post, a profile or its banner.
    pub async fn upload(&self, file: &Bytes, purpose: &str, alt: &str) -> Result<Uploaded, Failure> {
        let boundary = Uuid::now_v7().simple().to_string();
        let mut body = Vec::with_capacity(file.len() + 1_024);
        for (name, value) in [("purpose", purpose), ("alt", alt)] {
            let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend([head.as_bytes(), value.as_bytes(), b"\r\n"].concat());
        }
        // Neither the name of the file nor its type matters: the service looks at the content.
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"picture\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend(head.as_bytes());
        body.extend(file.as_ref());
        body.extend(format!("\r\n--{boundary}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={boundary}");
        let request = self.request(Method::POST, &["media"])?.header(header::CONTENT_TYPE, kind).body(body);
        let answer = self.answer(request).await?;
        answer.json().await.map_err(away)
    }
}
