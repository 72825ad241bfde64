//! Recommendations: people to know, posts to discover, and what the reader has in common with a person.
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use super::fields::{Asked, Id};
use crate::api::Listed;
use crate::api::comparisons::Shares;
use crate::api::failures::Failure;
use crate::api::people::{Card, Profile};
use crate::api::posts::{Piece, Post, REACTIONS};
use crate::api::recommendations::{Compatibility, Reason, RecommendedPerson, RecommendedPost};
use crate::app::App;
use crate::doors::errors::html;
use crate::doors::visitors::{Member, Sender};
use crate::frame::Frame;

#[derive(Template)]
#[template(path = "connect.html")]
struct People {
    page: Frame,
    /// Each with how much of what the reader has in common with them, in percent.
    people: Vec<(RecommendedPerson, Vec<(&'static str, i64)>)>,
}

#[derive(Template)]
#[template(path = "recommended.html")]
struct Posts {
    page: Frame,
    listed: Vec<(Post, String)>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "common.html")]
struct InCommon {
    page: Frame,
    person: Profile,
    /// What it is of, how much of it in percent, and its words.
    rows: Vec<(&'static str, i64, Vec<String>)>,
    people: Vec<Card>,
    total: i64,
}

/// Recommended people, the best first; each has two buttons, and no second click takes a connection back.
pub async fn people(State(app): State<App>, Member(page, caller): Member) -> Result<Response, Failure> {
    let path = ["me", "recommendations", "people"];
    let people: Vec<RecommendedPerson> = caller.get(&path, &[("limit", "10")]).await?;
    // Each is compared with the reader, one question a person, unless that was asked a moment ago.
    let (comparisons, reader) = (&app.comparisons, page.my_id());
    let asked: Vec<_> = people.iter().map(|person| comparisons.with(&caller, reader, person.user.id)).collect();
    let compared = futures::future::join_all(asked).await;
    let with_shares = |(person, compared): (RecommendedPerson, Result<Shares, Arc<Failure>>)| {
        // The reasons stand there in any case.
        (person, compared.map(|compared| named(&page, compared)).unwrap_or_default())
    };
    let people = people.into_iter().zip(compared).map(with_shares).collect();
    Ok(html(&People { page, people }))
}

/// How much two people have in common, with the names of the kinds; what is nothing is left out.
fn named(page: &Frame, compared: Shares) -> Vec<(&'static str, i64)> {
    let t = page.t;
    let shares = [
        (t.common_interests, compared.interests),
        (t.common_topics, compared.engagement),
        (t.common_taste, compared.taste),
        (t.common_connections, compared.connections),
    ];
    shares.into_iter().filter(|(_, percent)| *percent > 0).collect()
}

pub async fn accept(Sender(caller): Sender, Id(id): Id) -> Result<Redirect, Failure> {
    caller.act(Method::POST, &["me", "recommendations", "people", &id.to_string(), "accept"], &[]).await?;
    Ok(Redirect::to("/connect?done=connected"))
}

pub async fn dismiss(Sender(caller): Sender, Id(id): Id) -> Result<Redirect, Failure> {
    caller.act(Method::DELETE, &["me", "recommendations", "people", &id.to_string()], &[]).await?;
    Ok(Redirect::to("/connect"))
}

pub async fn posts(Member(page, caller): Member, asked: Asked) -> Result<Response, Failure> {
    let listed = caller.list::<RecommendedPost>(&["me", "recommendations", "posts"], &asked.page(&[])).await;
    let Listed { items, next } = match listed {
        // A list ends after an hour, and a new one begins at its first page.
        Err(failure) if failure.is(StatusCode::GONE) => return Ok(Redirect::to("/recommended").into_response()),
        other => other?,
    };
    let posts = items.into_iter().map(|RecommendedPost { post, reason }| (post, why(&page, &reason))).collect();
    Ok(html(&Posts { page, listed: posts, next }))
}

/// The reason in the reader's language.
fn why(page: &Frame, reason: &Reason) -> String {
    let (t, number) = (page.t, reason.number.unwrap_or_default());
    match reason.kind.as_str() {
        "CONNECTIONS_REACTED" => page.count(number, t.one_reacted, t.n_reacted),
        "CONNECTIONS_CONNECTED" => page.count(number, t.one_connected, t.n_connected),
        "SIMILAR_POSTS" => t.because_similar.to_owned(),
        "CATEGORY" => page.with(t.because_topic, t.topic(reason.category.as_deref().unwrap_or_default())),
        "FRESH" => t.because_fresh.to_owned(),
        _ => t.because_few_saw.to_owned(),
    }
}

pub async fn not_interested(Sender(caller): Sender, Id(id): Id) -> Result<Redirect, Failure> {
    caller.act(Method::POST, &["me", "recommendations", "posts", &id.to_string(), "not-interested"], &[]).await?;
    Ok(Redirect::to("/recommended?done=refused"))
}

pub async fn in_common(Member(page, caller): Member, Id(id): Id) -> Result<Response, Failure> {
    let t = page.t;
    let (person, compared) = futures::future::join(caller.profile(id), caller.compatibility(id)).await;
    let (person, Compatibility { interests, engagement, taste, connections, .. }) = (person?, compared?);
    let topics = |words: Vec<String>| words.iter().map(|word| t.topic_or_tag(word)).collect::<Vec<_>>();
    let mut rows = vec![
        (t.common_interests, interests.percent, topics(interests.common)),
        (t.common_topics, engagement.percent, topics(engagement.common)),
    ];
    rows.extend(taste.map(|taste| (t.common_taste, taste.percent, taste.common())));
    rows.push((t.common_connections, connections.percent, Vec::new()));
    Ok(html(&InCommon { page, person, rows, people: connections.people, total: connections.total }))
}
