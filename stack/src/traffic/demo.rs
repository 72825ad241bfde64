//! `cargo stack demo`: the functional flow of the platform, step by step with each answer, and counted at the end.

use std::process::ExitCode;

use anyhow::{Result, bail};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::client::{Api, Created, Person, Post, Profile, To, eventually};
use crate::host::console::{seconds, show};
use crate::traffic::target::Entrance;

const PASSWORD: &str = "a long walk by the sea";
const TYPES: [&str; 2] = ["TECHNOLOGY", "BOOKS"];
/// What moderation must remove: an attack that no reading excuses.
const INSULT: &str = "You have understood nothing, and I hope you die.";

/// What a profile counts, in the order in which it is shown.
type Counts = [(&'static str, i64); 4];

/// Plays the flow; fails in one sentence at the first step that goes otherwise.
pub async fn demo(entrance: Entrance) -> Result<ExitCode> {
    let (base, step) = entrance.place();
    let api = Api::new(base, step)?;
    let (ada, bob) = two_people(&api).await?;
    let post = a_post(&ada, &bob).await?;
    interest(&bob, &post).await?;
    an_insult(&bob, &post).await?;
    what_the_post_counts(&ada, &post).await?;
    a_feed(&ada, &bob, &post).await?;
    profile("Ada", &ada, [("posts", 1), ("views", 0), ("reactions", 0), ("comments", 0)]).await?;
    profile("Bob", &bob, [("posts", 0), ("views", 1), ("reactions", 1), ("comments", 1)]).await?;
    show("\nEvery action was counted exactly.");
    Ok(ExitCode::SUCCESS)
}

async fn two_people(api: &Api) -> Result<(Person, Person)> {
    // A new pair every time: the demo can be played again.
    let run = format!("{:08x}", rand::random::<u32>());
    let address = |name: &str| format!("{name}.{run}@example.org");
    let ada = api.join(&address("ada"), PASSWORD, ("Ada", "Lovelace"), &TYPES).await?;
    step("Ada signs up and signs in", &format!("she is {} <{}>", ada.id, ada.email));
    let bob = api.join(&address("bob"), PASSWORD, ("Bob", "Frankston"), &["TECHNOLOGY"]).await?;
    step("Bob signs up and signs in", &format!("he is {} <{}>", bob.id, bob.email));
    let verified: Value = ada.api.ask(Method::GET, To::Auth, "/auth/verify-token", None).await?;
    step("The other services ask who her token is", &format!("status {}", verified["status"]));
    ada.connect(&bob.id).await?;
    let connections: Vec<Created> = ada.api.ask(Method::GET, To::Auth, "/users/me/connections", None).await?;
    if connections.len() != 1 || connections[0].id != bob.id {
        bail!("Ada connected to Bob, but her connections are {connections:?}");
    }
    step("Ada connects to Bob", "she has 1 connection");
    Ok((ada, bob))
}

async fn a_post(ada: &Person, bob: &Person) -> Result<Post> {
    let content = "It can do whatever we know how to order it to perform.";
    let draft = ada.write_post("On the engine", content, &TYPES, "DRAFT").await?;
    step("Ada writes a draft", &format!("post {} is {}", draft.id, draft.status));
    let path = format!("/posts/{}", draft.id);
    let (status, answer) = bob.api.send(Method::GET, To::Post, &path, None).await?;
    if status != StatusCode::NOT_FOUND {
        bail!("Bob asked for Ada's draft and was answered with {status}: {answer}");
    }
    step("Bob asks for it", &format!("{status}: {}", answer["detail"]));
    let post = ada.change_post(&draft.id, content, &TYPES, "POSTED").await?;
    step("Ada publishes it", &format!("it is {}", post.status));
    Ok(post)
}

async fn interest(bob: &Person, post: &Post) -> Result<()> {
    let comment = bob.comment(&post.id, "That is a generous way to put it, and a precise one.").await?;
    step("Bob comments", &format!("comment {}", comment.id));
    let reaction = bob.react(&post.id, "LOVE").await?;
    step("Bob reacts with LOVE", &format!("reaction {}", reaction.id));
    let seen = bob.view(&post.id).await?;
    step("Bob views it", &format!("{} view", seen.total_views));
    Ok(())
}

async fn an_insult(bob: &Person, post: &Post) -> Result<()> {
    let insult = bob.comment(&post.id, INSULT).await?;
    step("Bob forgets himself in a second comment", &format!("comment {}", insult.id));
    let gone = async || Ok(bob.comments(&post.id).await?.iter().all(|comment| comment.id != insult.id));
    let (_, took) = eventually("moderation removes an insult", gone, |gone| *gone).await?;
    step("Moderation removes it", &format!("gone after {}", seconds(took)));
    Ok(())
}

async fn what_the_post_counts(ada: &Person, post: &Post) -> Result<()> {
    let exact = |post: &Post| (post.total_comments, post.total_reactions, post.total_views) == (1, 1, 1);
    let (post, took) =
        eventually("the post counts 1 comment, 1 reaction, 1 view", async || ada.post(&post.id).await, exact).await?;
    let counts = format!(
        "{} comment, {} reaction, {} view; popularity {}, score {} (after {})",
        post.total_comments,
        post.total_reactions,
        post.total_views,
        post.popularity,
        post.score,
        seconds(took)
    );
    step("Ada looks at her post", &counts);
    Ok(())
}

async fn a_feed(ada: &Person, bob: &Person, post: &Post) -> Result<()> {
    bob.connect(&ada.id).await?;
    let counts = ["total_comments", "total_reactions", "total_views"];
    let complete = |items: &Vec<Value>| {
        items.first().is_some_and(|item| {
            item["id"] == *post.id && item["my_reaction"] == "LOVE" && counts.iter().all(|count| item[count] == 1)
        })
    };
    let read = async || bob.api.ask::<Vec<Value>>(Method::GET, To::Engagement, "/me/feed", None).await;
    let (items, took) = eventually("Bob's feed has her post with all counts", read, complete).await?;
    let what = format!("{} item, with his own LOVE (after {})", items.len(), seconds(took));
    step("Bob connects to her and opens his feed", &what);
    Ok(())
}

async fn profile(name: &str, person: &Person, expected: Counts) -> Result<()> {
    let exact = |profile: &Option<Profile>| profile.as_ref().is_some_and(|profile| counts(profile) == expected);
    let what = format!("{name}'s profile counts {expected:?}");
    let (found, took) = eventually(&what, async || person.profile().await, exact).await?;
    let Some(found) = found else { bail!("{name} has no profile") };
    show(format_args!("\n{name}'s activity profile (after {})", seconds(took)));
    for (what, count) in counts(&found) {
        show(format_args!("    {what:10} {count}"));
    }
    let categories = found.summary.iter().filter(|(_, count)| count.as_f64().is_some_and(|count| count != 0.0));
    for (category, count) in categories {
        show(format_args!("    {category:10} {count}"));
    }
    show(format_args!("    {:10} {}, {}", "engagement", found.engagement_score, found.status));
    Ok(())
}

fn counts(profile: &Profile) -> Counts {
    [
        ("posts", profile.total_owned_posts),
        ("views", profile.total_post_views),
        ("reactions", profile.total_post_reactions),
        ("comments", profile.total_post_comments),
    ]
}

fn step(what: &str, came_back: &str) {
    show(format_args!("{what:42} {came_back}"));
}
