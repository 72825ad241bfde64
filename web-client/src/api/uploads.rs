//! Uploading a picture: the form of `POST /media`, written by hand part by part, so that a file goes on while it arrives.
use std::convert::Infallible;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Method;
use futures::SinkExt;
use futures::channel::mpsc;
use futures::future::{BoxFuture, Either, select};
use reqwest::{Body, header};
use serde::Deserialize;
use uuid::Uuid;

use super::caller::read;
use super::{Caller, failures::Failure};

/// How often, and at which distance, it is asked whether a picture is processed: eight seconds in all.
const LOOKS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(200);
/// How long an upload may take: 10 MiB over a line of 20 KB/s. One that makes no progress is ended by the gateway sooner.
const UPLOAD: Duration = Duration::from_mins(10);

/// A picture that was uploaded.
#[derive(Clone, Debug, Deserialize)]
pub struct Uploaded {
    pub id: Uuid,
    pub status: String,
    pub reason: Option<String>,
}

/// A picture on its way to the API. One piece of it is in memory: the next is taken when the API has taken that.
pub struct OutgoingPicture {
    boundary: String,
    pieces: mpsc::Sender<Result<Bytes, Infallible>>,
    answer: BoxFuture<'static, Result<Uploaded, Failure>>,
    /// What the API has answered before the end of the file.
    early: Option<Result<Uploaded, Failure>>,
}

impl OutgoingPicture {
    /// Begins to upload a picture for a post, a profile or its banner.
    pub async fn begin(caller: &Caller, purpose: &str) -> Self {
        let boundary = Uuid::now_v7().simple().to_string();
        let (pieces, body) = mpsc::channel(0);
        let (caller, kind) = (caller.clone(), format!("multipart/form-data; boundary={boundary}"));
        let answer = Box::pin(async move {
            let request = caller.request(Method::POST, &["media"])?.timeout(UPLOAD);
            let request = request.header(header::CONTENT_TYPE, kind).body(Body::wrap_stream(body));
            read::<Uploaded>(caller.answer(request).await?).await
        });
        // Neither the name of the file nor its type matters: the service looks at the content.
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n{purpose}\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"picture\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        let mut picture = Self { boundary, pieces, answer, early: None };
        picture.send(head.into()).await;
        picture
    }

    /// Hands a piece of the file on, unless the API has answered already: it needs no more of it then.
    pub async fn send(&mut self, piece: Bytes) {
        if self.early.is_some() {
            return;
        }
        if let Either::Right((answer, _)) = select(self.pieces.send(Ok(piece)), &mut self.answer).await {
            self.early = Some(answer);
        }
    }

    /// Ends the form with the text that describes the picture.
    pub async fn end(mut self, alt: &str) -> Result<Uploaded, Failure> {
        let boundary = &self.boundary;
        let tail = format!(
            "\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"alt\"\r\n\r\n{alt}\r\n--{boundary}--\r\n"
        );
        self.send(tail.into()).await;
        // Without a sender the body ends.
        drop(self.pieces);
        match self.early {
            Some(answer) => answer,
            None => self.answer.await,
        }
    }
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
}
