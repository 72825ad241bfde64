//! People: their profiles with posts, followers and connections, and what one does about them.
use askama::Template;
use axum::http::Method;
use axum::response::{Redirect, Response};
use uuid::Uuid;

use super::fields::{Asked, Fields, Id, Part};
use crate::api::Listed;
use crate::api::failures::Failure;
use crate::api::people::Profile;
use crate::api::posts::{Piece, Post, REACTIONS};
use crate::doors::errors::html;
use crate::doors::visitors::{Member, Sender};
use crate::frame::Frame;

#[derive(Template)]
#[template(path = "profile.html")]
struct ProfilePage {
    page: Frame,
    person: Profile,
    tab: &'static str,
    posts: Vec<Post>,
    people: Vec<Profile>,
    next: Option<String>,
    empty: &'static str,
}

/// `/@username`; any other word is no page, for guests as well.
pub async fn by_handle(member: Result<Member, Failure>, Part(handle): Part, asked: Asked) -> Result<Response, Failure> {
    let Some(name) = handle.strip_prefix('@').filter(|name| !name.is_empty()) else { return Err(Failure::MISSING) };
    let member = member?;
    let person: Profile = member.1.get(&["users", "by-username", name], &[]).await?;
    with_posts(member, person, &asked).await
}

pub async fn posts(member: Member, Id(id): Id, asked: Asked) -> Result<Response, Failure> {
    let person = member.1.profile(id).await?;
    with_posts(member, person, &asked).await
}

async fn with_posts(Member(page, caller): Member, person: Profile, asked: &Asked) -> Result<Response, Failure> {
    let author = person.card.id.to_string();
    let Listed { mut items, next } = if person.blocked {
        Listed { items: Vec::new(), next: None }
    } else {
        caller.list::<Post>(&["posts"], &asked.page(&[("author", &author)])).await?
    };
    for post in &mut items {
        post.author = Some(person.card.clone());
    }
    let empty = page.t.no_posts;
    Ok(html(&ProfilePage { page, person, tab: "posts", posts: items, people: Vec::new(), next, empty }))
}

pub async fn followers(member: Member, Id(id): Id, asked: Asked) -> Result<Response, Failure> {
    with_people(member, id, "followers", &asked).await
}

pub async fn connections(member: Member, Id(id): Id, asked: Asked) -> Result<Response, Failure> {
    with_people(member, id, "connections", &asked).await
}

async fn with_people(
    Member(page, caller): Member,
    id: Uuid,
    tab: &'static str,
    asked: &Asked,
) -> Result<Response, Failure> {
    let (text, query) = (id.to_string(), asked.page(&[]));
    let path = ["users", text.as_str(), tab];
    let (person, people) = futures::future::join(caller.profile(id), caller.list::<Profile>(&path, &query)).await;
    let (person, Listed { items: people, next }) = (person?, people?);
    let empty = page.t.no_people;
    Ok(html(&ProfilePage { page, person, tab, posts: Vec::new(), people, next, empty }))
}

/// Connects, disconnects, blocks, mutes, and takes each of them back.
pub async fn act(Sender(caller): Sender, Id(id): Id, Part(verb): Part, fields: Fields) -> Result<Redirect, Failure> {
    let id = id.to_string();
    let (method, path): (_, &[&str]) = match verb.as_str() {
        "connect" => (Method::POST, &["users", &id, "connect"]),
        "disconnect" => (Method::DELETE, &["users", &id, "disconnect"]),
        "block" => (Method::POST, &["users", &id, "block"]),
        "unblock" => (Method::DELETE, &["users", &id, "block"]),
        "mute" => (Method::POST, &["me", "mutes", &id]),
        "unmute" => (Method::DELETE, &["me", "mutes", &id]),
        _ => return Err(Failure::MISSING),
    };
    caller.act(method, path, &[]).await?;
    Ok(fields.next())
}
