//! Lists of posts: the home feed, what is to be explored, a tag, bookmarks, drafts.
use askama::Template;
use axum::http::Method;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::fields::{Asked, Part};
use crate::api::failures::Failure;
use crate::api::posts::{Piece, Post, REACTIONS, Trend};
use crate::api::{Caller, Listed};
use crate::doors::errors::html;
use crate::doors::visitors::{Member, Sender, Visitor};
use crate::frame::Frame;
use crate::ground::words::encoded;

#[derive(Template)]
#[template(path = "landing.html")]
struct Landing {
    page: Frame,
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    page: Frame,
    posts: Vec<Post>,
    next: Option<String>,
    /// The newest post of the first page.
    first: Option<Uuid>,
}

#[derive(Template)]
#[template(path = "list.html")]
struct PostList {
    page: Frame,
    heading: String,
    posts: Vec<Post>,
    next: Option<String>,
    empty: &'static str,
    /// Whether these are bookmarks, which can be removed.
    kept: bool,
}

#[derive(Template)]
#[template(path = "explore.html")]
struct Explore<'a> {
    page: Frame,
    posts: Vec<Post>,
    next: Option<String>,
    empty: &'static str,
    trends: Vec<Trend>,
    choices: Vec<String>,
    category: &'a str,
}

#[derive(Template)]
#[template(path = "tag.html")]
struct TagPage {
    page: Frame,
    posts: Vec<Post>,
    next: Option<String>,
    empty: &'static str,
    tag: String,
    encoded: String,
    about: AboutTag,
}

/// How many posts and followers a tag has.
#[derive(Default, Deserialize)]
struct AboutTag {
    posts: i64,
    followers: i64,
    followed: bool,
}

impl Trend {
    /// The tag as a part of a path.
    fn link(&self) -> String {
        encoded(&self.tag)
    }
}

/// A post that the caller has kept.
#[derive(Deserialize)]
struct Bookmark {
    post_id: Uuid,
}

pub async fn home(Visitor(page, caller): Visitor, asked: Asked) -> Result<Response, Failure> {
    if page.me.is_none() {
        return Ok(html(&Landing { page }));
    }
    let Listed { items: posts, next } = caller.posts(&["me", "feed"], &asked.page(&[])).await?;
    let first = Some(asked.0.get("cursor")).filter(|cursor| cursor.is_empty()).and(posts.first()).map(|post| post.id);
    Ok(html(&Home { page, posts, next, first }))
}

/// Whether the feed begins with another post than the page that asks; a link, where it does.
pub async fn news(Member(page, caller): Member, Asked(asked): Asked) -> Result<Response, Failure> {
    let newest: Vec<Post> = caller.get(&["me", "feed"], &[("limit", "1")]).await?;
    let known = newest.first().is_none_or(|post| post.id.to_string() == asked.get("after"));
    let link = format!("<a class=\"button\" href=\"/\">{}</a>", page.t.new_posts);
    Ok(Html(if known { String::new() } else { link }).into_response())
}

pub async fn explore(Member(page, caller): Member, asked: Asked) -> Result<Response, Failure> {
    let category = asked.0.get("category");
    let query = if category.is_empty() { asked.page(&[]) } else { asked.page(&[("category", category)]) };
    let path: &[&str] = if category.is_empty() { &["feed", "explore"] } else { &["posts"] };
    let posts = caller.posts(path, &query);
    let trends = caller.get::<Vec<Trend>>(&["tags", "trending"], &[("limit", "10")]);
    let choices = caller.get::<Vec<String>>(&["posts", "category-choices"], &[]);
    let (posts, trends, choices) = futures::future::join3(posts, trends, choices).await;
    let (Listed { items: posts, next }, empty) = (posts?, page.t.no_posts);
    let (trends, choices) = (trends.unwrap_or_default(), choices.unwrap_or_default());
    Ok(html(&Explore { page, posts, next, empty, trends, choices, category }))
}

pub async fn drafts(Member(page, caller): Member, asked: Asked) -> Result<Response, Failure> {
    let Listed { items: posts, next } = caller.posts(&["me", "drafts"], &asked.page(&[])).await?;
    let (heading, empty) = (page.t.drafts.to_owned(), page.t.no_drafts);
    Ok(html(&PostList { page, heading, posts, next, empty, kept: false }))
}

pub async fn bookmarks(Member(page, caller): Member, asked: Asked) -> Result<Response, Failure> {
    let Listed { items, next } = caller.list::<Bookmark>(&["me", "bookmarks"], &asked.page(&[])).await?;
    let posts = kept(&caller, &items).await?;
    let (heading, empty) = (page.t.bookmarks.to_owned(), page.t.no_bookmarks);
    Ok(html(&PostList { page, heading, posts, next, empty, kept: true }))
}

/// The posts of a page of bookmarks, by one call; one that has gone since is left out.
async fn kept(caller: &Caller, bookmarks: &[Bookmark]) -> Result<Vec<Post>, Failure> {
    let ids: Vec<_> = bookmarks.iter().map(|bookmark| bookmark.post_id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut posts: Vec<Post> = caller.send(Method::POST, &["posts", "lookup"], &json!({ "ids": ids })).await?;
    caller.name_authors(&mut posts).await;
    Ok(posts)
}

pub async fn tag(Member(page, caller): Member, Part(tag): Part, asked: Asked) -> Result<Response, Failure> {
    let query = asked.page(&[]);
    let (posts, about) = futures::future::join(
        caller.posts(&["tags", &tag, "posts"], &query),
        caller.get::<AboutTag>(&["tags", &tag], &[]),
    )
    .await;
    let (Listed { items: posts, next }, empty) = (posts?, page.t.no_posts);
    let (encoded, about) = (encoded(&tag), about.unwrap_or_default());
    Ok(html(&TagPage { page, posts, next, empty, tag, encoded, about }))
}

pub async fn follow_tag(Sender(caller): Sender, Part(tag): Part) -> Result<Redirect, Failure> {
    caller.put(Method::PUT, &["me", "tags", &tag], &json!(null)).await?;
    Ok(Redirect::to(&format!("/tags/{}", encoded(&tag))))
}

pub async fn unfollow_tag(Sender(caller): Sender, Part(tag): Part) -> Result<Redirect, Failure> {
    caller.act(Method::DELETE, &["me", "tags", &tag], &[]).await?;
    Ok(Redirect::to(&format!("/tags/{}", encoded(&tag))))
}
