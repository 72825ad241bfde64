//! Searching posts, people and tags.
use askama::Template;
use axum::response::Response;
use serde::Deserialize;

use super::fields::Asked;
use crate::api::Listed;
use crate::api::failures::Failure;
use crate::api::people::Profile;
use crate::api::posts::{Piece, Post, REACTIONS};
use crate::doors::errors::html;
use crate::doors::visitors::Member;
use crate::frame::Frame;
use crate::ground::words::encoded;

#[derive(Template)]
#[template(path = "search.html")]
struct Search {
    page: Frame,
    q: String,
    encoded: String,
    kind: &'static str,
    posts: Vec<Post>,
    people: Vec<Profile>,
    tags: Vec<Found>,
    next: Option<String>,
    empty: &'static str,
}

/// A tag that begins like what is searched for.
#[derive(Deserialize)]
struct Found {
    tag: String,
    uses: i64,
}

impl Found {
    fn link(&self) -> String {
        encoded(&self.tag)
    }
}

#[derive(Deserialize)]
struct Suggested {
    tags: Vec<Found>,
}

pub async fn search(Member(page, caller): Member, asked: Asked) -> Result<Response, Failure> {
    let q = asked.0.get("q").trim().to_owned();
    let kind = match asked.0.get("kind") {
        "people" => "people",
        "tags" => "tags",
        _ => "posts",
    };
    let (encoded, empty) = (encoded(&q), page.t.nothing_found);
    let mut shown =
        Search { page, q, encoded, kind, posts: Vec::new(), people: Vec::new(), tags: Vec::new(), next: None, empty };
    if shown.q.is_empty() {
        return Ok(html(&shown));
    }
    let q = shown.q.as_str();
    match kind {
        "people" => shown.people = caller.get(&["users", "search"], &[("q", q), ("limit", "50")]).await?,
        "tags" => {
            let query = [("q", q.trim_start_matches('#'))];
            shown.tags = caller.get::<Suggested>(&["search", "suggest"], &query).await?.tags;
        }
        _ => {
            let Listed { items, next } = caller.posts(&["posts", "search"], &asked.page(&[("q", q)])).await?;
            (shown.posts, shown.next) = (items, next);
        }
    }
    Ok(html(&shown))
}
