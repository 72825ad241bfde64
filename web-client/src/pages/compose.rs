//! Writing and changing a post, with up to four pictures.
use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use super::fields::{Fields, Id, Upload};
use crate::api::Caller;
use crate::api::failures::Failure;
use crate::api::posts::{Picture, Post};
use crate::doors::errors::html;
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
    error: Option<String>,
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

    /// What was sent and refused: nothing of it is lost, the pictures that were uploaded included.
    fn again(fields: &Fields, media: &[Uuid]) -> Self {
        Self {
            title: fields.get("title").to_owned(),
            content: fields.get("content").to_owned(),
            types: fields.all("types").into_iter().map(str::to_owned).collect(),
            comments: fields.get("comments").to_owned(),
            media: media.iter().map(|id| Picture { id: *id, ..Picture::default() }).collect(),
            publish_at: fields.get("publish_at").to_owned(),
            ..Self::blank()
        }
    }
}

async fn show(page: Frame, caller: &Caller, post: Option<Uuid>, draft: Draft, error: Option<String>) -> Response {
    let choices = caller.get(&["posts", "category-choices"], &[]).await.unwrap_or_else(|failure| {
        tracing::warn!(%failure, "a form without categories");
        draft.types.clone()
    });
    let (heading, action) = match post {
        None => (page.t.new_post, "/compose".to_owned()),
        Some(id) => (page.t.edit_post, format!("/posts/{id}/edit")),
    };
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    (status, html(&Compose { page, heading, action, choices, draft, error })).into_response()
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

pub async fn publish(member: Member, upload: Upload) -> Result<Response, Failure> {
    save(member, None, upload).await
}

pub async fn change(member: Member, Id(id): Id, upload: Upload) -> Result<Response, Failure> {
    save(member, Some(id), upload).await
}

/// Uploads the pictures, then writes the post; what is refused comes back in the form.
async fn save(Member(page, caller): Member, id: Option<Uuid>, upload: Upload) -> Result<Response, Failure> {
    let Upload { fields, files } = upload;
    let mut media: Vec<Uuid> = fields.all("media").iter().filter_map(|id| id.parse().ok()).collect();
    for (file, alt) in &files {
        match caller.upload(file, "POST", alt).await {
            Ok(picture) => media.push(picture.id),
            Err(failure) => return refused(page, &caller, id, &fields, &media, &failure).await,
        }
    }
    let draft = fields.get("status") == "DRAFT";
    let mut body = without_nulls(json!({
        "title": fields.optional("title"), "content": fields.get("content"), "types": fields.all("types"),
        "status": if draft { "DRAFT" } else { "POSTED" }, "media": media, "comments": fields.optional("comments"),
    }));
    if draft {
        // Null takes back a time that the draft had.
        body["publish_at"] = publish_at(&fields);
    }
    let written = match id {
        None => caller.put_once(&["posts"], fields.get("key"), &body).await,
        Some(id) => caller.send::<Value>(Method::PUT, &["posts", &id.to_string()], &body).await,
    };
    match written {
        Ok(post) => {
            let id = post["id"].as_str().unwrap_or_default();
            let done = match (draft, post["publish_at"].is_string()) {
                (true, true) => "scheduled",
                (true, false) => "saved",
                (false, _) => "posted",
            };
            Ok(Redirect::to(&format!("/posts/{id}?done={done}")).into_response())
        }
        Err(failure) => refused(page, &caller, id, &fields, &media, &failure).await,
    }
}

/// The time of a browser's field with the zone that the form names; what is no time, the API refuses.
fn publish_at(fields: &Fields) -> Value {
    match fields.get("publish_at").trim() {
        "" => Value::Null,
        // Browsers leave the seconds out where they are none.
        time if time.len() == "2026-11-20T12:00".len() => json!(format!("{time}:00Z")),
        time => json!(format!("{time}Z")),
    }
}

/// Without the fields that were left empty, so that the API's own defaults hold.
fn without_nulls(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|name, value| !value.is_null() || name == "title");
    }
    body
}

async fn refused(
    page: Frame,
    caller: &Caller,
    id: Option<Uuid>,
    fields: &Fields,
    media: &[Uuid],
    failure: &Failure,
) -> Result<Response, Failure> {
    let error = match failure {
        // Away for the moment: the form keeps what was written.
        Failure::Away(_) => page.t.not_now_possible.to_owned(),
        _ => failure.reason().ok_or_else(|| failure.clone())?.to_owned(),
    };
    let mut draft = Draft::again(fields, media);
    if matches!(failure, Failure::Away(_)) {
        // It may have been written all the same: under the same key the next try writes nothing twice.
        fields.get("key").clone_into(&mut draft.key);
    }
    Ok(show(page, caller, id, draft, Some(error)).await)
}
