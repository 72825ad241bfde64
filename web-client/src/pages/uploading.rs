//! Forms with files, as they arrive: texts are kept, and each file goes on to the API piece by piece, so that a form takes no more memory
//! than its texts and a piece of a file, however large it is.
use axum::body::Bytes;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::fields::Fields;
use crate::api::Caller;
use crate::api::failures::Failure;
use crate::api::uploads::{OutgoingPicture, Uploaded};
use crate::app::App;
use crate::doors::typed::{FORM_BYTES, KeptForm, REVIEW, Typed};
use crate::doors::visitors;
use crate::session::cookies;

/// The longest form with files, in bytes: a picture of 10 MiB and the form around it, which is what the gateway lets through.
pub const UPLOAD_BYTES: usize = 10_304 << 10;
/// The most files of a form.
const FILES: usize = 4;

const TOO_LARGE: Failure = Failure::Malformed(StatusCode::PAYLOAD_TOO_LARGE, "the form is too large");
const BROKEN: Failure = Failure::Malformed(StatusCode::BAD_REQUEST, "a broken form");

/// Renews a session whose access token has ended before a form with files is handled, and has the browser send the form again.
///
/// The cookies of a renewed session leave with the answer, and the answer to such a form is as late as its last file. Another tab that
/// comes meanwhile has the refresh token of before; half a minute after its exchange the auth service takes that for a stolen one, and
/// ends the session. An early answer is no help, because a browser reads none before it has sent all. So the form is read to its end and
/// its files are thrown away, the session is renewed when nothing is waited for any more, and 307 has the browser send the same form a
/// second time, by itself and without a script, under a fresh token. A form that breaks off renews nothing.
pub async fn renew_first(State(app): State<App>, request: Request, next: Next) -> Response {
    let brought = cookies::brought(request.headers(), app.settings.environment);
    if request.method() != Method::POST || brought.access.is_some() || brought.refresh.is_none() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let upload = match Upload::from_request(Request::from_parts(parts.clone(), body), &()).await {
        Ok(upload) => upload,
        Err(failure) => return failure.into_response(),
    };
    let Received { fields, failure, .. } = upload.receive(None, |_| "").await;
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let failure = match failure {
        Some(failure) => failure,
        None => match visitors::caller(&parts, &app).await {
            Ok((caller, _)) if caller.token.is_some() => return Redirect::temporary(path).into_response(),
            Ok(_) => Failure::SignedOut,
            Err(failure) => failure,
        },
    };
    let typed = to_review(fields);
    if KeptForm::of(path, &typed).is_written() { typed.with(failure) } else { failure.into_response() }
}

/// What was written into a form whose files are gone: it is shown before it is sent again.
pub fn to_review(Fields(mut fields): Fields) -> Typed {
    fields.retain(|(name, _)| name != REVIEW);
    fields.push((REVIEW.to_owned(), "yes".to_owned()));
    Typed(fields)
}

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
