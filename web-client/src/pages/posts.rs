//! One post: reading it with its comments, reacting, keeping, hiding, deleting.
use askama::Template;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use uuid::Uuid;

use super::fields::{Asked, Fields, Id};
use crate::api::Listed;
use crate::api::failures::Failure;
use crate::api::posts::{Comment, Piece, Post, REACTIONS, Summary};
use crate::doors::errors::{form, html};
use crate::doors::refusals::Refusal;
use crate::doors::visitors::{Member, Sender, Visitor};
use crate::frame::Frame;

#[derive(Template)]
#[template(path = "post.html")]
struct PostPage<'a> {
    page: Frame,
    post: Post,
    summary: Summary,
    comments: Vec<Comment>,
    next: Option<String>,
    may_comment: bool,
    error: Option<Refusal>,
    draft: &'a str,
    key: String,
}

#[derive(Template)]
#[template(path = "parts/actions.html")]
struct Actions {
    page: Frame,
    post: Post,
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm {
    page: Frame,
    heading: &'static str,
    words: &'static str,
    action: String,
    back: String,
}

pub async fn read(member: Member, Id(id): Id, asked: Asked) -> Result<Response, Failure> {
    show(member, id, &asked, None, "").await
}

/// The page of a post; with the comment that was refused and why, where one was.
pub async fn show(
    Member(page, caller): Member,
    id: Uuid,
    asked: &Asked,
    error: Option<Refusal>,
    draft: &str,
) -> Result<Response, Failure> {
    let text = id.to_string();
    let (query, summary_path) = (asked.page(&[("top_level", "true")]), [text.as_str(), "post-reactions", "summary"]);
    let (view_path, comments_path) = ([text.as_str(), "view"], [text.as_str(), "comments"]);
    let (post, summary, comments, _viewed) = futures::future::join4(
        caller.post(id),
        caller.get::<Summary>(&summary_path, &[]),
        caller.comments(&comments_path, &query, true),
        // Counts the view; the page is shown whether it was counted or not.
        caller.act(Method::GET, &view_path, &[]),
    )
    .await;
    let mut post = post?;
    // The post is there: without its comments and reactions for the moment.
    let summary = summary.unwrap_or_default();
    let Listed { items: comments, next } = comments.unwrap_or_else(|failure| {
        tracing::warn!(%failure, "a post without its comments");
        Listed { items: Vec::new(), next: None }
    });
    post.my_reaction.clone_from(&summary.mine);
    post.total_reactions = post.total_reactions.max(summary.total);
    let muted = page.me.as_ref().is_some_and(crate::api::people::Me::muted);
    let may_comment = match post.comments.as_deref() {
        Some("LOCKED") => false,
        Some("NOBODY") => !muted && post.is_by(page.my_id()),
        _ => !muted,
    };
    let (key, status) = (Uuid::now_v7().to_string(), error.as_ref().map(|refusal| refusal.status));
    let shown = PostPage { page, post, summary, comments, next, may_comment, error, draft, key };
    Ok(form(&shown, status))
}

/// Sets the caller's reaction, whichever it was, or takes it back: what the page has shown as theirs decides which of the two a button is.
pub async fn react(
    Visitor(page, caller): Visitor,
    Id(id): Id,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Failure> {
    let kind = REACTIONS.iter().find(|kind| **kind == fields.get("type"));
    if page.me.is_none() {
        return Err(Failure::SignedOut);
    }
    let post = id.to_string();
    let path = [post.as_str(), "post-reactions", "mine"];
    match kind {
        _ if fields.has("take_back", "yes") => caller.act(Method::DELETE, &path, &[]).await?,
        Some(kind) => caller.put(Method::PUT, &path, &json!({ "type": kind })).await?,
        None => return Err(Failure::Malformed(StatusCode::BAD_REQUEST, "there is no such reaction")),
    }
    if !headers.contains_key("hx-request") {
        return Ok(fields.next().into_response());
    }
    let summary = [post.as_str(), "post-reactions", "summary"];
    let (post, now) = futures::future::join(caller.post(id), caller.get::<Summary>(&summary, &[])).await;
    let (mut post, now) = (post?, now?);
    (post.my_reaction, post.total_reactions) = (now.mine, now.total);
    Ok(html(&Actions { page, post }))
}

pub async fn bookmark(
    Visitor(page, caller): Visitor,
    Id(id): Id,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Failure> {
    if page.me.is_none() {
        return Err(Failure::SignedOut);
    }
    caller.put(Method::PUT, &[&id.to_string(), "bookmark"], &json!({})).await?;
    let done = page.t.bookmarked;
    Ok(if headers.contains_key("hx-request") { done.into_response() } else { fields.next().into_response() })
}

pub async fn unbookmark(Sender(caller): Sender, Id(id): Id, fields: Fields) -> Result<Redirect, Failure> {
    caller.act(Method::DELETE, &[&id.to_string(), "bookmark"], &[]).await?;
    Ok(fields.next())
}

pub async fn hide(Sender(caller): Sender, Id(id): Id) -> Result<Redirect, Failure> {
    caller.act(Method::POST, &["posts", &id.to_string(), "hide"], &[]).await?;
    Ok(Redirect::to("/?done=hidden"))
}

pub async fn delete_form(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    let post = caller.post(id).await?;
    if !post.is_by(page.my_id()) {
        return Err(Failure::MISSING);
    }
    let (heading, words) = (page.t.delete_post, page.t.delete_post_words);
    let (action, back) = (format!("{}/delete", post.link()), post.link());
    Ok(html(&Confirm { page, heading, words, action, back }))
}

pub async fn delete(Sender(caller): Sender, Id(id): Id) -> Result<Redirect, Failure> {
    caller.act(Method::DELETE, &["posts", &id.to_string()], &[]).await?;
    Ok(Redirect::to("/?done=deleted"))
}
