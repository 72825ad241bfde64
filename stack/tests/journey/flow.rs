//! What people do, over all five services: sign up, connect, write, answer, look, moderate, delete, sign out, forget a
//! password.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;

use super::mailbox::{letters, mailed_token};
use super::rights::refusals;
use crate::client::{Api, Created, FeedItem, Person, Profile, To, eventually};
use crate::platform::{PASSWORD, Platform};

const INSULT: &str = "You have understood nothing, and I hope you die.";

#[tokio::test]
async fn what_people_do_is_seen_everywhere_and_counted_exactly() -> Result<()> {
    let mut platform = Platform::up(&[]);
    let api = platform.api();
    let (ada, bob) = two_people(&api).await?;
    drafts_are_nobody_elses_business(&ada, &bob).await?;
    let post = counts_are_exact_under_concurrency(&ada, &bob).await?;
    insults_are_removed(&ada, &bob, &post).await?;
    a_deleted_post_takes_everything_with_it(&ada, &bob, &post).await?;
    a_sign_out_is_felt_everywhere(&api, &ada).await?;
    a_forgotten_password_is_reset_by_mail(&api, &bob, &platform.data().join("mail")).await?;
    assert_eq!(refusals(&platform).await?, [], "no service lacks a right in Redis");
    services_rest_when_there_is_nothing_to_do(&platform).await?;
    platform.stop();
    Ok(())
}

/// Transactions of all services together in a second in which nothing happens: each worker looks for work every second or less often. A
/// worker whose step commits although it found nothing wakes itself and all others, thousands of times a second.
const AT_REST: i64 = 400;
/// How long what was done before may take to come to rest, in seconds.
const REST_TIMEOUT: u64 = 30;

#[expect(clippy::disallowed_methods, reason = "the statement is about the server, which no service describes")]
async fn services_rest_when_there_is_nothing_to_do(platform: &Platform) -> Result<()> {
    let mut database = PgConnection::connect(&platform.connection("AUTH_DATABASE_URL")).await?;
    let (mut second, mut before) = (tokio::time::interval(Duration::from_secs(1)), None);
    let mut counted = Vec::new();
    for _ in 0..REST_TIMEOUT {
        second.tick().await;
        let query = "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()";
        let (now,): (i64,) = sqlx::query_as(query).fetch_one(&mut database).await?;
        if let Some(before) = before.replace(now) {
            counted.push(now - before);
        }
        if counted.last().is_some_and(|transactions| *transactions < AT_REST) {
            return Ok(());
        }
    }
    bail!("the services do not rest: {counted:?} transactions a second")
}

pub async fn two_people(api: &Api) -> Result<(Person, Person)> {
    let ada = api.join("ada@example.org", PASSWORD, ("Ada", "Lovelace"), &["BOOKS"]).await?;
    let bob = api.join("bob@example.org", PASSWORD, ("Bob", "Frankston"), &["TECHNOLOGY"]).await?;
    ada.connect(&bob.id).await?;
    let of = async |person: &Person| -> Result<Vec<String>> {
        let all: Vec<Created> = person.api.ask(Method::GET, To::Auth, "/users/me/connections", None).await?;
        Ok(all.into_iter().map(|user| user.id).collect())
    };
    assert_eq!(of(&ada).await?, [bob.id.as_str()]);
    assert_eq!(of(&bob).await?, Vec::<String>::new(), "a connection has one direction");
    let (status, answer) = api.send(Method::GET, To::Post, "/posts", None).await?;
    assert_eq!((status, &answer["detail"]), (StatusCode::UNAUTHORIZED, &json!("Not authenticated")));
    for person in [&ada, &bob] {
        let (profile, _) = profile_with(person, |_| true).await?;
        assert_eq!(profile.user_id, person.id);
    }
    Ok((ada, bob))
}

async fn drafts_are_nobody_elses_business(ada: &Person, bob: &Person) -> Result<()> {
    let draft = ada.write_post("Unfinished", "Not yet.", &["BOOKS"], "DRAFT").await?;
    let id = &draft.id;
    let comment = json!({ "content": "found it" });
    for (method, to, path, body) in [
        (Method::GET, To::Post, format!("/posts/{id}"), None),
        (Method::GET, To::Interaction, format!("/{id}/view"), None),
        (Method::POST, To::Interaction, format!("/{id}/comments"), Some(&comment)),
        (Method::POST, To::Interaction, format!("/{id}/post-reactions"), Some(&json!({ "type": "LIKE" }))),
    ] {
        let (status, answer) = bob.api.send(method.clone(), to, &path, body).await?;
        assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}: {answer}");
    }
    assert_eq!(ada.post(id).await?.status, "DRAFT");
    // Back to a profile without posts, so that what follows counts from zero.
    ada.api.ask::<()>(Method::DELETE, To::Post, &format!("/posts/{id}"), None).await?;
    profile_with(ada, |profile| profile.total_owned_posts == 0).await?;
    Ok(())
}

/// Ten comments, twenty views and two reactions, all at once.
async fn counts_are_exact_under_concurrency(ada: &Person, bob: &Person) -> Result<String> {
    let draft = ada.write_post("On the engine", "It can do what we order.", &["BOOKS", "TECHNOLOGY"], "DRAFT").await?;
    let post = ada.change_post(&draft.id, "It can do what we order.", &["BOOKS", "TECHNOLOGY"], "POSTED").await?;
    assert_eq!((post.id.as_str(), post.status.as_str()), (draft.id.as_str(), "POSTED"));

    let mut actions = JoinSet::new();
    for number in 0..20 {
        let (ada, bob, post) = (ada.clone(), bob.clone(), post.id.clone());
        actions.spawn(async move {
            bob.view(&post).await?;
            if number % 2 == 0 {
                bob.comment(&post, &format!("A friendly remark, number {number}")).await?;
            }
            if number < 2 {
                let who = if number == 0 { ada } else { bob };
                who.react(&post, "LOVE").await?;
            }
            Ok::<_, anyhow::Error>(())
        });
    }
    while let Some(action) = actions.join_next().await {
        action??;
    }
    let again = json!({ "type": "LIKE" });
    let path = format!("/{}/post-reactions", post.id);
    let (status, answer) = bob.api.send(Method::POST, To::Interaction, &path, Some(&again)).await?;
    assert_eq!((status, &answer["detail"]), (StatusCode::BAD_REQUEST, &json!("Can not react duplicate on same post.")));

    let all = |views, comments, reactions| {
        move |post: &crate::client::Post| {
            (post.total_views, post.total_comments, post.total_reactions) == (views, comments, reactions)
        }
    };
    let ask = async || ada.post(&post.id).await;
    let (seen, _) = eventually("20 views, 10 comments, 2 reactions", ask, all(20, 10, 2)).await?;
    // Ada has one connection: 20 views over 1; 12 answers over 20 views.
    assert_eq!((seen.popularity, seen.score), (20.0, 0.6));
    let (ada_is, _) = profile_with(ada, |profile| counts(profile) == (1, 0, 1, 0)).await?;
    assert_eq!((&ada_is.summary["BOOKS"], &ada_is.summary["TECHNOLOGY"]), (&json!(1.0), &json!(1.0)));
    profile_with(bob, |profile| counts(profile) == (0, 20, 1, 10)).await?;

    let comments = bob.comments(&post.id).await?;
    assert_eq!(comments.len(), 10);
    let path = format!("/comments/{}", comments[0].id);
    bob.api.ask::<()>(Method::DELETE, To::Interaction, &path, None).await?;
    eventually("a deleted comment is not counted", ask, all(20, 9, 2)).await?;
    profile_with(bob, |profile| counts(profile) == (0, 20, 1, 9)).await?;
    notified(ada, &["Bob Frankston commented on your post", "Bob Frankston reacted to your post"]).await?;
    reads(ada, &[(post.id.as_str(), 20, 9, 2)]).await?;
    Ok(post.id)
}

async fn insults_are_removed(ada: &Person, bob: &Person, post: &str) -> Result<()> {
    let insult = bob.comment(post, INSULT).await?;
    let path = format!("/comments/{}", insult.id);
    let ask = async || Ok(ada.api.send(Method::GET, To::Interaction, &path, None).await?.0);
    eventually("the insult is gone", ask, |status| *status == StatusCode::NOT_FOUND).await?;
    eventually("and not counted", async || ada.post(post).await, |post| post.total_comments == 9).await?;
    profile_with(bob, |profile| profile.total_post_comments == 9).await?;
    assert_eq!(ada.comments(post).await?.len(), 9, "what was friendly is still there");
    Ok(())
}

async fn a_deleted_post_takes_everything_with_it(ada: &Person, bob: &Person, post: &str) -> Result<()> {
    let comments = bob.comments(post).await?;
    let path = format!("/posts/{post}");
    let (status, _) = bob.api.send(Method::DELETE, To::Post, &path, None).await?;
    assert_eq!(status, StatusCode::NOT_FOUND, "only its author deletes a post");
    ada.api.ask::<()>(Method::DELETE, To::Post, &path, None).await?;
    let path = format!("/comments/{}", comments[0].id);
    let ask = async || Ok(bob.api.send(Method::GET, To::Interaction, &path, None).await?.0);
    eventually("its comments are gone", ask, |status| *status == StatusCode::NOT_FOUND).await?;
    let path = format!("/{post}/post-reactions");
    let ask = async || Ok(bob.api.send(Method::GET, To::Interaction, &path, None).await?.0);
    eventually("its reactions are gone", ask, |status| *status == StatusCode::NOT_FOUND).await?;
    let (profile, _) = profile_with(ada, |profile| profile.total_owned_posts == 0).await?;
    assert_eq!((&profile.summary["BOOKS"], &profile.summary["TECHNOLOGY"]), (&json!(0.0), &json!(0.0)));
    notified(ada, &[]).await?;
    reads(ada, &[]).await
}

/// Waits until a person's home feed is exactly this: posts with their views, comments and reactions.
async fn reads(person: &Person, expected: &[(&str, i64, i64, i64)]) -> Result<()> {
    let is_expected = |feed: &Vec<FeedItem>| {
        let shown = |item: &FeedItem| {
            let FeedItem { id, total_views, total_comments, total_reactions, .. } = item;
            (id.clone(), *total_views, *total_comments, *total_reactions)
        };
        let expected =
            expected.iter().map(|(id, views, comments, reactions)| ((*id).to_owned(), *views, *comments, *reactions));
        feed.iter().map(shown).eq(expected)
    };
    let what = format!("the home feed of {}", person.email);
    eventually(&what, async || person.home_feed().await, is_expected).await.map(drop)
}

/// Waits until a person is notified of exactly this about their posts.
async fn notified(person: &Person, expected: &[&str]) -> Result<()> {
    let ask = async || {
        let about_posts = person.notifications().await?.into_iter().filter(|one| one.r#type.starts_with("POST_"));
        let mut texts: Vec<String> = about_posts.map(|one| one.text).collect();
        texts.sort();
        Ok(texts)
    };
    let what = format!("the notifications of {}", person.email);
    eventually(&what, ask, |texts| texts == expected).await.map(drop)
}

async fn a_sign_out_is_felt_everywhere(api: &Api, ada: &Person) -> Result<()> {
    let there = api.sign_in(&ada.email, PASSWORD).await?;
    let places = [(To::Post, "/posts"), (To::Interaction, "/comments/x"), (To::Engagement, "/me/activity-profile")];
    for (to, path) in places {
        let (status, _) = there.api.send(Method::GET, to, path, None).await?;
        assert_ne!(status, StatusCode::UNAUTHORIZED, "{path}: from now on the service believes the token for seconds");
    }
    let began = Instant::now();
    there.api.ask::<()>(Method::POST, To::Auth, "/auth/signout", None).await?;
    for (to, path) in places {
        let ask = async || Ok(there.api.send(Method::GET, to, path, None).await?.0);
        let refused = |status: &StatusCode| *status == StatusCode::UNAUTHORIZED;
        eventually(&format!("{path} is refused after the sign-out"), ask, refused).await?;
    }
    // Half of the time for which a verdict is believed by itself: an event must have ended it.
    assert!(began.elapsed() < Duration::from_secs(5), "it was felt after {:?}", began.elapsed());
    ada.api.ask::<Value>(Method::GET, To::Auth, "/users/me", None).await.map(drop)
}

async fn a_forgotten_password_is_reset_by_mail(api: &Api, bob: &Person, mailbox: &Path) -> Result<()> {
    let before = letters(mailbox)?.len();
    let path = format!("/auth/forgot-password?email={}", bob.email);
    let answer: Value = api.ask(Method::POST, To::Auth, &path, None).await?;
    let ask = async || letters(mailbox);
    let (all, _) = eventually("a letter arrives", ask, |all| all.len() == before + 1).await?;
    let token = mailed_token(&all, "reset_token").context("no letter holds a reset token")?;
    assert!(!answer.to_string().contains(&token), "the token went by mail and to nobody else");

    let new = "a longer walk by the sea";
    let encoded = new.replace(' ', "%20");
    let path = format!("/auth/reset-password?reset_token={token}&password={encoded}&confirmed_password={encoded}");
    api.ask::<Value>(Method::POST, To::Auth, &path, None).await?;
    let (status, _) = api.send(Method::POST, To::Auth, &path, None).await?;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "a token works once");
    ensure!(api.sign_in(&bob.email, PASSWORD).await.is_err(), "the old password still works");
    assert_eq!(api.sign_in(&bob.email, new).await?.id, bob.id);
    Ok(())
}

fn counts(profile: &Profile) -> (i64, i64, i64, i64) {
    (profile.total_owned_posts, profile.total_post_views, profile.total_post_reactions, profile.total_post_comments)
}

async fn profile_with(person: &Person, wanted: impl Fn(&Profile) -> bool) -> Result<(Profile, Duration)> {
    let what = format!("the profile of {}", person.email);
    let ask = async || person.profile().await;
    let (profile, took) = eventually(&what, ask, |profile| profile.as_ref().is_some_and(&wanted)).await?;
    Ok((profile.context("a profile that is not there")?, took))
}
