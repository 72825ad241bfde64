//! Forms with files, as they arrive: texts are kept, and each file goes on to the API piece by piece, so that a form takes no more memory
//! than its texts and a piece of a file, however large it is.
use axum::body::Bytes;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use super::fields::Fields;
use crate::api::Caller;
use crate::api::failures::Failure;
use crate::api::uploads::{OutgoingPicture, Uploaded};
use crate::doors::typed::FORM_BYTES;

/// The longest form with files, in bytes: a picture of 10 MiB and the form around it, which is what the gateway lets through.
pub const UPLOAD_BYTES: usize = 10_304 << 10;
/// The most files of a form.
const FILES: usize = 4;

const TOO_LARGE: Failure = Failure::Malformed(StatusCode::PAYLOAD_TOO_LARGE, "the form is too large");
const BROKEN: Failure = Failure::Malformed(StatusCode::BAD_REQUEST, "a broken form");

/// A form with files whose head has come.
pub struct Upload(Multipart);

/// What has come of it.
#[derive(Default)]
pub struct Received {
    pub fields: Fields,
    /// The pictures that the API has taken.
    pub pictures: Vec<Uploaded>,
    /// Why the rest of the form is not here.
    pub failure: Option<Failure>,
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let length =
            request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: usize| length > UPLOAD_BYTES) {
            return Err(TOO_LARGE);
        }
        let form = Multipart::from_request(request, state).await;
        form.map(Self).map_err(|refusal| Failure::Malformed(refusal.into_response().status(), "no form with files"))
    }
}

impl Upload {
    /// Reads the form to its end. Its files go to the API in the name of the caller; without one, and behind a file that was refused, they
    /// are thrown away as they come, so that the texts are there.
    pub async fn receive(self, caller: Option<&Caller>, purpose: fn(&Fields) -> &'static str) -> Received {
        let mut received = Received::default();
        if let Err(failure) = received.read(self.0, caller, purpose).await {
            received.failure = Some(failure);
        }
        received
    }
}

impl Received {
    async fn read(
        &mut self,
        mut form: Multipart,
        caller: Option<&Caller>,
        purpose: fn(&Fields) -> &'static str,
    ) -> Result<(), Failure> {
        let (mut room, mut files) = (FORM_BYTES, 0);
        // A browser sends the description of a file behind it.
        let mut described: Option<OutgoingPicture> = None;
        while let Some(mut field) = form.next_field().await.map_err(|error| refused(&error))? {
            let name = field.name().unwrap_or_default().to_owned();
            if name == "alt" {
                let alt = text(field, &mut room).await?;
                self.end(described.take(), &alt).await;
            } else if name != "file" {
                let text = text(field, &mut room).await?;
                self.fields.0.push((name, text));
            } else if let Some(first) = piece(&mut field).await? {
                self.end(described.take(), "").await;
                files += 1;
                if let Some(caller) = caller.filter(|_| self.failure.is_none() && files <= FILES) {
                    let mut picture = OutgoingPicture::begin(caller, purpose(&self.fields)).await;
                    picture.send(first).await;
                    while let Some(next) = piece(&mut field).await? {
                        picture.send(next).await;
                    }
                    described = Some(picture);
                }
            }
        }
        self.end(described, "").await;
        Ok(())
    }

    async fn end(&mut self, picture: Option<OutgoingPicture>, alt: &str) {
        let Some(picture) = picture else { return };
        match picture.end(alt).await {
            Ok(picture) => self.pictures.push(picture),
            Err(failure) => self.failure = Some(failure),
        }
    }
}

/// The next piece of a file; none at its end, and none of a field for which no file was chosen.
async fn piece(field: &mut Field<'_>) -> Result<Option<Bytes>, Failure> {
    while let Some(piece) = field.chunk().await.map_err(|error| refused(&error))? {
        if !piece.is_empty() {
            return Ok(Some(piece));
        }
    }
    Ok(None)
}

/// The text of a field, as far as there is room for it.
async fn text(mut field: Field<'_>, room: &mut usize) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    while let Some(piece) = piece(&mut field).await? {
        *room = room.checked_sub(piece.len()).ok_or(TOO_LARGE)?;
        bytes.extend_from_slice(&piece);
    }
    let text = String::from_utf8(bytes).map_err(|_| BROKEN)?;
    Ok(text.replace("\r\n", "\n"))
}

fn refused(error: &MultipartError) -> Failure {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE { TOO_LARGE } else { BROKEN }
}
