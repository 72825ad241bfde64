//! What a person says about themselves, and what the platform may do with it.
use askama::Template;
use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Map, Value, json};

use super::fields::{Asked, Fields, Id};
use super::uploading::{Received, Upload};
use crate::api::failures::Failure;
use crate::api::people::{Card, Me, Muted, SessionOut};
use crate::api::{Caller, Listed};
use crate::doors::errors::{form, html, refusal};
use crate::doors::refusals::Refusal;
use crate::doors::visitors::{Member, Sender};
use crate::frame::Frame;
use crate::session::outcome::{Change, Outcome};

#[derive(Template)]
#[template(path = "settings.html")]
struct ProfileForm {
    page: Frame,
    fields: Fields,
    choices: Vec<String>,
    error: Option<Refusal>,
}

#[derive(Template)]
#[template(path = "settings_password.html")]
struct PasswordForm {
    page: Frame,
    error: Option<Refusal>,
}

#[derive(Template)]
#[template(path = "settings_sessions.html")]
struct Sessions {
    page: Frame,
    open: Vec<SessionOut>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "settings_people.html")]
struct BlocksAndMutes {
    page: Frame,
    /// Heading, hint, verb, its label, and who is in it.
    lists: [(&'static str, &'static str, &'static str, &'static str, Vec<Card>); 2],
}

#[derive(Template)]
#[template(path = "settings_data.html")]
struct Data {
    page: Frame,
}

/// The fields of the profile as they are now.
fn of(me: &Me) -> Fields {
    let card = &me.profile.card;
    let mut fields = vec![
        ("username", card.username.clone()),
        ("first_name", card.first_name.clone()),
        ("last_name", card.last_name.clone()),
        ("bio", me.profile.bio.clone()),
        ("location", me.profile.location.clone()),
        ("birth_date", me.birth_date.clone()),
        ("show_age", me.show_age.then(|| "yes".to_owned())),
    ];
    fields.extend(me.profile.interests.iter().map(|interest| ("interests", Some(interest.clone()))));
    Fields(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

async fn profile_form(page: Frame, caller: &Caller, fields: Fields, error: Option<Refusal>) -> Response {
    let choices = caller.get(&["users", "interests-choices"], &[]).await.unwrap_or_else(|failure| {
        tracing::warn!(%failure, "a form without interests");
        fields.all("interests").into_iter().map(str::to_owned).collect()
    });
    let status = error.as_ref().map(|refusal| refusal.status);
    form(&ProfileForm { page, fields, choices, error }, status)
}

pub async fn profile(Member(page, caller): Member) -> Response {
    let fields = page.me.as_ref().map(of).unwrap_or_default();
    profile_form(page, &caller, fields, None).await
}

pub async fn change_profile(Member(page, caller): Member, fields: Fields) -> Result<Response, Failure> {
    let names = ["username", "first_name", "last_name", "bio", "location", "birth_date"];
    let mut body: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), fields.optional(name))).collect();
    body.insert("show_age".to_owned(), json!(fields.has("show_age", "yes")));
    body.insert("interests".to_owned(), json!(fields.all("interests")));
    if let Err(failure) = caller.put(Method::PATCH, &["users", "me"], &Value::Object(body)).await {
        let error = refusal(failure, &page)?;
        return Ok(profile_form(page, &caller, fields, Some(error)).await);
    }
    Ok(Redirect::to("/settings?done=saved").into_response())
}

/// Uploads a picture and chooses it as avatar or banner.
pub async fn picture(member: Result<Member, Failure>, upload: Upload) -> Result<Response, Failure> {
    let caller = member.as_ref().ok().map(|Member(_, caller)| caller);
    // Read to its end in any case: a browser reads no answer before it has sent all.
    let Received { fields, mut pictures, failure } = upload.receive(caller, purpose).await;
    let Member(page, caller) = member?;
    let place = if purpose(&fields) == "BANNER" { "banner" } else { "avatar" };
    let chosen = async {
        let picture = match (failure, pictures.pop()) {
            (Some(failure), _) => return Err(failure),
            (None, None) => return Err(Failure::Malformed(StatusCode::BAD_REQUEST, "there is no file")),
            (None, Some(picture)) => caller.processed(picture).await?,
        };
        if picture.status == "REFUSED" {
            let why = page.t.unusable(&picture.reason.unwrap_or_default());
            return Ok(Some(Refusal::because(&format!("{} {why}", page.t.picture_refused))));
        }
        caller.put(Method::PUT, &["me", place], &json!({ "media_id": picture.id })).await.map(|()| None)
    };
    let error = match chosen.await {
        Ok(None) => return Ok(Redirect::to("/settings?done=uploaded").into_response()),
        Ok(Some(error)) => error,
        Err(failure) => refusal(failure, &page)?,
    };
    let fields = page.me.as_ref().map(of).unwrap_or_default();
    Ok(profile_form(page, &caller, fields, Some(error)).await)
}

fn purpose(fields: &Fields) -> &'static str {
    if fields.get("purpose") == "BANNER" { "BANNER" } else { "AVATAR" }
}

pub async fn password(Member(page, _): Member) -> Response {
    html(&PasswordForm { page, error: None })
}

pub async fn change_password(
    Member(page, caller): Member,
    outcome: Outcome,
    fields: Fields,
) -> Result<Response, Failure> {
    let new = fields.get("new");
    let body = json!({ "current_password": fields.get("current"), "new_password": new, "confirm_password": new });
    match caller.send(Method::POST, &["auth", "change-password"], &body).await {
        Ok(tokens) => {
            outcome.set(Change::Begun(tokens));
            Ok(Redirect::to("/settings/password?done=password").into_response())
        }
        Err(failure) => {
            let error = Refusal::or_away(&failure, page.t).ok_or(failure)?;
            let status = error.status;
            Ok(form(&PasswordForm { page, error: Some(error) }, Some(status)))
        }
    }
}

pub async fn sessions(Member(page, caller): Member, asked: Asked) -> Result<Response, Failure> {
    let Listed { items: open, next } = caller.list(&["auth", "sessions"], &asked.page(&[])).await?;
    Ok(html(&Sessions { page, open, next }))
}

pub async fn end_session(Sender(caller): Sender, Id(id): Id) -> Result<Redirect, Failure> {
    caller.act(Method::DELETE, &["auth", "sessions", &id.to_string()], &[]).await?;
    Ok(Redirect::to("/settings/sessions"))
}

pub async fn end_all(Sender(caller): Sender, outcome: Outcome) -> Result<Redirect, Failure> {
    caller.act(Method::POST, &["auth", "signout-everywhere"], &[]).await?;
    outcome.set(Change::Ended);
    Ok(Redirect::to("/?done=signed-out"))
}

pub async fn people(Member(page, caller): Member) -> Result<Response, Failure> {
    let all = [("limit", "200")];
    let blocks = caller.get::<Vec<Card>>(&["users", "me", "blocks"], &all);
    let mutes = caller.get::<Vec<Muted>>(&["me", "mutes"], &all);
    let (blocks, mutes) = futures::future::join(blocks, mutes).await;
    let (t, mutes) = (page.t, mutes?.into_iter().map(|muted| muted.user).collect());
    let lists = [
        (t.blocked_people, t.blocked_hint, "unblock", t.unblock, blocks?),
        (t.muted_people, t.muted_hint, "unmute", t.unmute, mutes),
    ];
    Ok(html(&BlocksAndMutes { page, lists }))
}

pub async fn data(Member(page, _): Member) -> Response {
    html(&Data { page })
}

/// The export, handed through as it comes: it may be long.
pub async fn export(Sender(caller): Sender) -> Result<Response, Failure> {
    let request = caller.request(Method::GET, &["users", "me", "export"])?;
    let answer = caller.answer(request.timeout(EXPORT)).await?;
    let parts = futures::stream::unfold(answer, |mut answer| async move {
        answer.chunk().await.transpose().map(|part| (part, answer))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"my-data.json\""),
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// How long an export may take: it is gathered from all services.
const EXPORT: std::time::Duration = std::time::Duration::from_secs(28);

pub async fn delete_account(member: Member, outcome: Outcome, fields: Fields) -> Result<Redirect, Failure> {
    if !fields.has("sure", "yes") {
        return Err(Failure::Malformed(StatusCode::BAD_REQUEST, "it was not confirmed"));
    }
    member.1.act(Method::DELETE, &["users", &member.id().to_string()], &[]).await?;
    outcome.set(Change::Ended);
    Ok(Redirect::to("/?done=deleted"))
}
