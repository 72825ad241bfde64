//! Comments and replies.
use askama::Template;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use uuid::Uuid;

use super::fields::{Asked, Fields, Id};
use super::posts;
use crate::api::Listed;
use crate::api::failures::Failure;
use crate::api::posts::{Comment, Piece};
use crate::doors::errors::{form, html, refusal};
use crate::doors::refusals::Refusal;
use crate::doors::visitors::{Member, Sender};
use crate::frame::Frame;

#[derive(Template)]
#[template(path = "comment.html")]
struct CommentPage<'a> {
    page: Frame,
    comment: Comment,
    replies: Vec<Comment>,
    next: Option<String>,
    error: Option<Refusal>,
    draft: &'a str,
    key: String,
}

#[derive(Template)]
#[template(path = "edit_comment.html")]
struct EditComment<'a> {
    page: Frame,
    id: Uuid,
    content: &'a str,
    error: Option<Refusal>,
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmComment {
    page: Frame,
    heading: &'static str,
    words: &'static str,
    action: String,
    back: String,
}

pub async fn read(member: Member, Id(id): Id, asked: Asked) -> Result<Response, Failure> {
    show(member, id, &asked, None, "").await
}

/// The page of a comment; with the reply that was refused and why, where one was.
async fn show(
    Member(page, caller): Member,
    id: Uuid,
    asked: &Asked,
    error: Option<Refusal>,
    draft: &str,
) -> Result<Response, Failure> {
    let (text, query) = (id.to_string(), asked.page(&[]));
    let path = ["comments", text.as_str(), "replies"];
    let (found, replies) = futures::future::join(caller.comment(id), caller.comments(&path, &query, false)).await;
    let mut found = [found?];
    caller.name_commenters(&mut found).await;
    let [comment] = found;
    let replies = replies.unwrap_or_else(|failure| {
        tracing::warn!(%failure, "a comment without its replies");
        Listed { items: Vec::new(), next: None }
    });
    let (key, Listed { items: replies, next }) = (Uuid::now_v7().to_string(), replies);
    let status = error.as_ref().map(|refusal| refusal.status);
    Ok(form(&CommentPage { page, comment, replies, next, error, draft, key }, status))
}

/// Writes a comment on a post, or a reply to one of its comments.
pub async fn write(member: Member, Id(id): Id, asked: Asked, fields: Fields) -> Result<Response, Failure> {
    let parent = fields.optional("reply_to");
    let mut body = json!({ "content": fields.get("content") });
    if !parent.is_null() {
        body["reply_to"] = parent.clone();
    }
    match member.1.put_once(&[&id.to_string(), "comments"], fields.get("key"), &body).await {
        Ok(written) => {
            let place = written["id"].as_str().unwrap_or_default();
            let page = parent.as_str().map_or_else(|| format!("/posts/{id}"), |parent| format!("/comments/{parent}"));
            Ok(Redirect::to(&format!("{page}#c-{place}")).into_response())
        }
        Err(failure) => {
            let error = Some(refusal(failure, &member.0)?);
            // A reply stays one: it comes back on the page of its comment.
            match parent.as_str().and_then(|parent| parent.parse().ok()) {
                Some(parent) => show(member, parent, &asked, error, fields.get("content")).await,
                None => posts::show(member, id, &asked, error, fields.get("content")).await,
            }
        }
    }
}

/// Likes a comment, or takes the reaction back.
pub async fn react(Sender(caller): Sender, Id(id): Id, fields: Fields) -> Result<Redirect, Failure> {
    let path = ["comments", &id.to_string(), "reactions"];
    if fields.get("mine").is_empty() {
        caller.put(Method::PUT, &path, &json!({ "type": "LIKE" })).await?;
    } else {
        caller.act(Method::DELETE, &path, &[]).await?;
    }
    Ok(fields.next())
}

pub async fn edit(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    let comment = caller.comment(id).await?;
    if comment.created_by != page.my_id() {
        return Err(Failure::MISSING);
    }
    Ok(html(&EditComment { page, id, content: &comment.content, error: None }))
}

pub async fn change(Member(page, caller): Member, Id(id): Id, fields: Fields) -> Result<Response, Failure> {
    let content = fields.get("content");
    let body = json!({ "content": content });
    if let Err(failure) = caller.put(Method::PUT, &["comments", &id.to_string()], &body).await {
        let error = refusal(failure, &page)?;
        let status = error.status;
        return Ok(form(&EditComment { page, id, content, error: Some(error) }, Some(status)));
    }
    Ok(Redirect::to(&format!("/comments/{id}?done=saved")).into_response())
}

pub async fn delete_form(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    let comment = caller.comment(id).await?;
    if comment.created_by != page.my_id() {
        return Err(Failure::MISSING);
    }
    let (heading, words) = (page.t.delete_comment, page.t.delete_comment_words);
    let (action, back) = (format!("/comments/{id}/delete"), format!("/comments/{id}"));
    Ok(html(&ConfirmComment { page, heading, words, action, back }))
}

pub async fn delete(Sender(caller): Sender, Id(id): Id) -> Result<Redirect, Failure> {
    let post = caller.comment(id).await?.post_id;
    caller.act(Method::DELETE, &["comments", &id.to_string()], &[]).await?;
    Ok(Redirect::to(&format!("/posts/{post}?done=deleted")))
}
