//! Writing and changing a post, with up to four pictures.
use askama::Template;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use super::fields::{Fields, Id};
use super::uploading::{Received, Upload, to_review};
use crate::api::Caller;
use crate::api::failures::Failure;
use crate::api::posts::{Picture, Post};
use crate::doors::errors::form;
use crate::doors::refusals::Refusal;
use crate::doors::typed::REVIEW;
use crate::doors::visitors::Member;
use crate::frame::Frame;

#[derive(Template)]
#[template(path = "compose.html")]
struct Compose {
    page: Frame,
    heading: &'static str,
    action: String,
    choices: Vec<String>,
    draft: Draft,
    error: Option<Refusal>,
}

/// What is in the form.
struct Draft {
    key: String,
    title: String,
    content: String,
    types: Vec<String>,
    comments: String,
    media: Vec<Picture>,
    /// When it is to be published, as the field of a browser has it, in UTC; empty: when its author says so.
    publish_at: String,
}

impl Draft {
    fn blank() -> Self {
        let everyone = "EVERYONE".to_owned();
        let (title, content) = (String::new(), String::new());
        Self {
            key: Uuid::now_v7().to_string(),
            title,
            content,
            types: Vec::new(),
            comments: everyone,
            media: Vec::new(),
            publish_at: String::new(),
        }
    }

    fn of(post: Post) -> Self {
        Self {
            title: post.title.unwrap_or_default(),
            content: post.content,
            types: post.types,
            comments: post.comments.unwrap_or_else(|| "EVERYONE".to_owned()),
            media: post.media,
            publish_at: post.publish_at.map(|at| at.format("%Y-%m-%dT%H:%M").to_string()).unwrap_or_default(),
            ..Self::blank()
        }
    }

    /// What was sent and not done: nothing of it is lost, the pictures that were uploaded included.
    fn again(fields: &Fields) -> Self {
        let media = fields.all("media").into_iter().filter_map(|id| id.parse().ok());
        Self {
            title: fields.get("title").to_owned(),
            content: fields.get("content").to_owned(),
            types: fields.all("types").into_iter().map(str::to_owned).collect(),
            comments: fields.get("comments").to_owned(),
            media: media.map(|id| Picture { id, ..Picture::default() }).collect(),
            publish_at: fields.get("publish_at").to_owned(),
            ..Self::blank()
        }
    }

    /// The same, where it may have been done: under the same key the next try writes nothing twice.
    fn once_more(fields: &Fields) -> Self {
        let key = fields.get("key");
        if key.is_empty() { Self::again(fields) } else { Self { key: key.to_owned(), ..Self::again(fields) } }
    }
}

async fn show(page: Frame, caller: &Caller, post: Option<Uuid>, draft: Draft, error: Option<Refusal>) -> Response {
    let choices = caller.get(&["posts", "category-choices"], &[]).await.unwrap_or_else(|failure| {
        tracing::warn!(%failure, "a form without categories");
        draft.types.clone()
    });
    let (heading, action) = match post {
        None => (page.t.new_post, "/compose".to_owned()),
        Some(id) => (page.t.edit_post, format!("/posts/{id}/edit")),
    };
    let status = error.as_ref().map(|refusal| refusal.status);
    form(&Compose { page, heading, action, choices, draft, error }, status)
}

pub async fn blank(Member(page, caller): Member) -> Response {
    show(page, &caller, None, Draft::blank(), None).await
}

pub async fn edit(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    let post = caller.post(id).await?;
    if !post.is_by(page.my_id()) {
        return Err(Failure::MISSING);
    }
    Ok(show(page, &caller, Some(id), Draft::of(post), None).await)
}

pub async fn publish(member: Result<Member, Failure>, upload: Upload) -> Result<Response, Failure> {
    save(member, None, upload).await
}

pub async fn change(member: Result<Member, Failure>, Id(id): Id, upload: Upload) -> Result<Response, Failure> {
    save(member, Some(id), upload).await
}

/// Uploads the pictures while they arrive, then writes the post; what is not done comes back in the form.
async fn save(member: Result<Member, Failure>, id: Option<Uuid>, upload: Upload) -> Result<Response, Failure> {
    let caller = member.as_ref().ok().map(|Member(_, caller)| caller);
    let Received { mut fields, pictures, failure } = upload.receive(caller, |_| "POST").await;
    fields.0.extend(pictures.into_iter().map(|picture| ("media".to_owned(), picture.id.to_string())));
    let Member(page, caller) = match member {
        Ok(member) => member,
        // Its pictures are gone, so it is shown before it is sent again.
        Err(failure) => return Ok(to_review(fields).with(failure)),
    };
    if fields.has(REVIEW, "yes") {
        return Ok(show(page, &caller, id, Draft::once_more(&fields), None).await);
    }
    let written = match failure {
        Some(failure) => Err(failure),
        None => write(&caller, id, &fields).await,
    };
    // The token ended while pictures arrived: the form is sent once more, with one of its own.
    let written = written.map_err(|failure| match failure {
        Failure::SignedOut => Failure::Away("the token ended during the upload".to_owned()),
        other => other,
    });
    match written {
        Ok(to) => Ok(to.into_response()),
        Err(failure) => {
            let Some(refusal) = Refusal::or_away(&failure, page.t) else {
                return Ok(to_review(fields).with(failure));
            };
            let is_away = matches!(failure, Failure::Away(_));
            let draft = if is_away { Draft::once_more(&fields) } else { Draft::again(&fields) };
            Ok(show(page, &caller, id, draft, Some(refusal)).await)
        }
    }
}

/// Writes the post, and leads to it.
async fn write(caller: &Caller, id: Option<Uuid>, fields: &Fields) -> Result<Redirect, Failure> {
    let draft = fields.get("status") == "DRAFT";
    let mut body = without_nulls(json!({
        "title": fields.optional("title"), "content": fields.get("content"), "types": fields.all("types"),
        "status": if draft { "DRAFT" } else { "POSTED" }, "media": fields.all("media"),
        "comments": fields.optional("comments"),
    }));
    if draft {
        // Null takes back a time that the draft had.
        body["publish_at"] = fields.time("publish_at");
    }
    let post = match id {
        None => caller.put_once(&["posts"], fields.get("key"), &body).await?,
        Some(id) => caller.send::<Value>(Method::PUT, &["posts", &id.to_string()], &body).await?,
    };
    let id = post["id"].as_str().unwrap_or_default();
    let done = match (draft, post["publish_at"].is_string()) {
        (true, true) => "scheduled",
        (true, false) => "saved",
        (false, _) => "posted",
    };
    Ok(Redirect::to(&format!("/posts/{id}?done={done}")))
}

/// Without the fields that were left empty, so that the API's own defaults hold.
fn without_nulls(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|name, value| !value.is_null() || name == "title");
    }
    body
}
