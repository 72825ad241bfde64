//! People: their profiles with posts, followers, connections and activity, and what one does about them.
use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::{Redirect, Response};
use uuid::Uuid;

use super::fields::{Asked, Fields, Id, Part};
use crate::api::failures::Failure;
use crate::api::people::{ActivityProfile, PostCount, Profile};
use crate::api::posts::{Piece, Post, REACTIONS};
use crate::api::recommendations::TopItems;
use crate::api::{Caller, Listed};
use crate::doors::errors::html;
use crate::doors::visitors::{Member, Sender};
use crate::frame::Frame;
use crate::texts::Texts;

#[derive(Template)]
#[template(path = "profile.html")]
struct ProfilePage {
    page: Frame,
    person: Profile,
    tab: &'static str,
    posts: Vec<Post>,
    people: Vec<Profile>,
    activity: Activity,
    next: Option<String>,
    empty: &'static str,
}

/// What a person does here, as far as it is for the reader to see.
#[derive(Default)]
struct Activity {
    counts: Vec<(&'static str, String)>,
    lists: Vec<(&'static str, Vec<String>)>,
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
    Ok(html(&ProfilePage { posts: items, next, empty, ..blank(page, person, "posts") }))
}

/// A tab without anything in it yet.
fn blank(page: Frame, person: Profile, tab: &'static str) -> ProfilePage {
    let empty = page.t.no_people;
    let (posts, people, activity) = (Vec::new(), Vec::new(), Activity::default());
    ProfilePage { page, person, tab, posts, people, activity, next: None, empty }
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
    Ok(html(&ProfilePage { people, next, ..blank(page, person, tab) }))
}

/// What a person does here: of one's own account what is counted, of others what they share.
pub async fn activity(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    let person = caller.profile(id).await?;
    let activity = if page.is_me(&person.card) {
        own_activity(page.t, &caller, id).await?
    } else if person.blocked {
        Activity::default()
    } else {
        activity_of(page.t, &caller, id).await?
    };
    Ok(html(&ProfilePage { activity, ..blank(page, person, "activity") }))
}

async fn own_activity(t: &Texts, caller: &Caller, id: Uuid) -> Result<Activity, Failure> {
    let (counted, tracks, artists, genres) = futures::future::join4(
        caller.get::<ActivityProfile>(&["me", "activity-profile"], &[]),
        caller.top_items(id, "tracks"),
        caller.top_items(id, "artists"),
        caller.top_items(id, "genres"),
    )
    .await;
    let counted = match counted {
        // Nothing was done yet that is counted.
        Err(failure) if failure.is(StatusCode::NOT_FOUND) => return Ok(Activity::default()),
        counted => counted?,
    };
    let counts = vec![
        (t.posts, counted.total_owned_posts.to_string()),
        (t.comments, counted.total_post_comments.to_string()),
        (t.reactions, counted.total_post_reactions.to_string()),
        (t.posts_viewed, counted.total_post_views.to_string()),
        (t.activity_score, format!("{:.0} / 100", counted.engagement_score)),
        (t.activity_level, t.level(&counted.status)),
    ];
    let topics = counted.topics().into_iter().map(|(topic, posts)| format!("{} ({posts:.0})", t.topic(topic)));
    let top = TopItems { topics: Vec::new(), tracks: Some(tracks), artists: Some(artists), genres: Some(genres) };
    let mut lists = vec![(t.topics, topics.collect())];
    lists.extend(shared(t, top));
    lists.retain(|(_, words): &(_, Vec<String>)| !words.is_empty());
    Ok(Activity { counts, lists })
}

async fn activity_of(t: &Texts, caller: &Caller, id: Uuid) -> Result<Activity, Failure> {
    let text = id.to_string();
    let path = ["users", text.as_str(), "posts", "count"];
    let (posts, compared) = futures::future::join(caller.get::<PostCount>(&path, &[]), caller.compatibility(id)).await;
    let counts = vec![(t.posts, posts?.count.to_string())];
    Ok(Activity { counts, lists: shared(t, compared.map(|compared| compared.top_items).unwrap_or_default()) })
}

/// What a person deals with and listens to most.
fn shared(t: &Texts, top: TopItems) -> Vec<(&'static str, Vec<String>)> {
    let lists = [
        (t.active_in, top.topics.iter().map(|topic| t.topic_or_tag(topic)).collect()),
        (t.top_tracks, top.tracks.unwrap_or_default()),
        (t.top_artists, top.artists.unwrap_or_default()),
        (t.top_genres, top.genres.unwrap_or_default()),
    ];
    lists.into_iter().filter(|(_, words): &(_, Vec<String>)| !words.is_empty()).collect()
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
