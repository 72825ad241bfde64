//! `cargo stack demo`: the functional flow of the platform, step by step with each answer, and counted at the end.

use std::process::ExitCode;

use anyhow::{Result, bail};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Api, Created, FeedItem, Notification, Person, Post, Profile, To, eventually};
use crate::host::console::{seconds, show};
use crate::traffic::local::connections;
use crate::traffic::moderator::moderator;
use crate::traffic::posting::{a_picture, a_search, an_nft, words};
use crate::traffic::recommending::{a_recommendation, people};
use crate::traffic::reported::{a_reported_picture, report};
use crate::traffic::steps::{TYPES, step};
use crate::traffic::target::Entrance;

const PASSWORD: &str = "a long walk by the sea";
/// What moderation must remove: an attack that no reading excuses.
const INSULT: &str = "You have understood nothing, and I hope you die.";

/// What a profile counts, in the order in which it is shown.
type Counts = [(&'static str, i64); 4];

/// Plays the flow; fails in one sentence at the first step that goes otherwise.
pub async fn demo(entrance: Entrance) -> Result<ExitCode> {
    let (base, distance) = entrance.place();
    let api = Api::new(base, distance)?;
    let (ada, bob) = two_people(&api).await?;
    a_phone(&ada).await?;
    let post = a_post(&ada, &bob).await?;
    a_search(&ada, &bob, &post).await?;
    a_picture(&ada, &bob, &post).await?;
    let comment = interest(&bob, &post).await?;
    an_insult(&bob, &post).await?;
    what_the_post_counts(&ada, &post).await?;
    an_nft(&ada, &post).await?;
    home_feed(&bob, &post).await?;
    notifications(&ada, &bob).await?;
    people(&ada, &bob).await?;
    words(&ada, &bob).await?;
    profile("Ada", &ada, [("posts", 2), ("views", 0), ("reactions", 0), ("comments", 0)]).await?;
    profile("Bob", &bob, [("posts", 0), ("views", 1), ("reactions", 1), ("comments", 1)]).await?;
    conversation(&ada, &bob, &post, &comment).await?;
    a_recommendation(&api, &ada, &bob, &post).await?;
    reports(&api, &entrance, &ada, &bob).await?;
    show("\nEvery action was counted exactly.");
    if let Some(url) = connections(&entrance.data, base)?.and_then(|mut connections| connections.remove("WEB_URL")) {
        show(format_args!(
            "\nLook at it in a browser: {url}\nSign in as {} or {}, password \"{PASSWORD}\"",
            ada.email, bob.email
        ));
    }
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
    bob.connect(&ada.id).await?;
    step("Bob connects to Ada", "he reads what she publishes from now on");
    Ok((ada, bob))
}

/// Nothing is pushed to it, unless the platform is configured for Firebase: its token is none of Google's.
async fn a_phone(ada: &Person) -> Result<()> {
    let phone = json!({ "provider": "FCM", "token": format!("demo-{}", ada.id) });
    let device: Value = ada.api.ask(Method::POST, To::Engagement, "/me/devices", Some(&phone)).await?;
    let devices: Vec<Value> = ada.api.ask(Method::GET, To::Engagement, "/me/devices", None).await?;
    if devices != [device.clone()] {
        bail!("Ada registered {device}, but her devices are {devices:?}");
    }
    step("Ada registers her phone for notifications", &format!("device {}", device["id"].as_str().unwrap_or_default()));
    Ok(())
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

async fn interest(bob: &Person, post: &Post) -> Result<Created> {
    let comment = bob.comment(&post.id, "That is a generous way to put it, and a precise one.").await?;
    step("Bob comments", &format!("comment {}", comment.id));
    let reaction = bob.react(&post.id, "LOVE").await?;
    step("Bob reacts with LOVE", &format!("reaction {}", reaction.id));
    let seen = bob.view(&post.id).await?;
    step("Bob views it", &format!("{} view", seen.total_views));
    Ok(comment)
}

/// Ada replies to Bob, who is notified, reacts to the reply and keeps the post.
async fn conversation(ada: &Person, bob: &Person, post: &Post, comment: &Created) -> Result<()> {
    show("");
    let reply = json!({ "content": "Thank you. Precision is half of the work.", "reply_to": comment.id });
    let path = format!("/{}/comments", post.id);
    let reply: Created = ada.api.ask(Method::POST, To::Interaction, &path, Some(&reply)).await?;
    step("Ada replies to Bob's comment", &format!("comment {}", reply.id));
    let told = |listed: &Vec<Notification>| {
        listed.iter().any(|one| one.r#type == "COMMENT_REPLY" && one.actors.iter().any(|actor| actor.id == ada.id))
    };
    let (_, took) = eventually("Bob is notified of the reply", async || bob.notifications().await, told).await?;
    step("Bob is notified", &format!("of a reply (after {})", seconds(took)));
    let path = format!("/comments/{}/reactions", reply.id);
    let _: Value = bob.api.ask(Method::PUT, To::Interaction, &path, Some(&json!({ "type": "JOY" }))).await?;
    let path = format!("/comments/{}/replies", comment.id);
    let replies: Vec<Value> = bob.api.ask(Method::GET, To::Interaction, &path, None).await?;
    match replies.as_slice() {
        [one] if one["total_reactions"] == 1 && one["my_reaction"] == "JOY" => {}
        _ => bail!("Bob reacted to one reply with JOY, but the replies are {replies:?}"),
    }
    step("Bob reacts to the reply with JOY", "1 reply, 1 reaction to it");
    let path = format!("/{}/bookmark", post.id);
    let folder = json!({ "folder": "Engines" });
    let kept: Value = bob.api.ask(Method::PUT, To::Interaction, &path, Some(&folder)).await?;
    let bookmarks: Vec<Value> = bob.api.ask(Method::GET, To::Interaction, "/me/bookmarks?folder=Engines", None).await?;
    if bookmarks != [kept] {
        bail!("Bob bookmarked the post, but his bookmarks are {bookmarks:?}");
    }
    step("Bob bookmarks the post", "1 bookmark in the folder Engines");
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

/// Bob's home feed has the post, with its author, its counts and his own reaction.
async fn home_feed(bob: &Person, post: &Post) -> Result<()> {
    let is_complete = |feed: &Vec<FeedItem>| {
        feed.iter().any(|item| {
            item.id == post.id
                && (item.total_comments, item.total_reactions, item.total_views) == (1, 1, 1)
                && item.my_reaction.as_deref() == Some("LOVE")
        })
    };
    let (feed, took) = eventually("Bob's feed shows the post", async || bob.home_feed().await, is_complete).await?;
    for item in feed {
        let author = item.author.first_name.as_deref().unwrap_or("a stranger");
        let counts = format!(
            "a post by {author}: {} comment, {} reaction, {} view; his own: {} (after {})",
            item.total_comments,
            item.total_reactions,
            item.total_views,
            item.my_reaction.as_deref().unwrap_or("none"),
            seconds(took)
        );
        step("Bob opens his feed", &counts);
    }
    Ok(())
}

/// Ada is notified of Bob's connection, comment and reaction, of each once.
async fn notifications(ada: &Person, bob: &Person) -> Result<()> {
    let by_bob = |listed: &Vec<Notification>| {
        let mut types: Vec<&str> = listed
            .iter()
            .filter(|notification| notification.actors.iter().any(|actor| actor.id == bob.id))
            .map(|notification| notification.r#type.as_str())
            .collect();
        types.sort_unstable();
        types == ["POST_COMMENT_RECEIVED", "POST_REACTION_RECEIVED", "USER_CONNECTED"]
    };
    let ask = async || ada.notifications().await;
    let (listed, took) = eventually("Ada is notified of what Bob did", ask, by_bob).await?;
    for Notification { text, .. } in listed {
        step("Ada is notified", &format!("{text} (after {})", seconds(took)));
    }
    Ok(())
}

/// Three people report a comment of Bob's, which hides it until a moderator has looked; the moderator agrees, and Bob appeals.
async fn reports(api: &Api, entrance: &Entrance, ada: &Person, bob: &Person) -> Result<()> {
    show("");
    let post = ada.write_post("A question", "What do you think?", &TYPES, "POSTED").await?;
    let comment = bob.comment(&post.id, "I think that you should ask somebody who knows.").await?;
    let address = |name: &str| format!("{name}.{}@example.org", &ada.id[24..]);
    let carl = api.join(&address("carl"), PASSWORD, ("Carl", "Gauss"), &["BOOKS"]).await?;
    let dora = api.join(&address("dora"), PASSWORD, ("Dora", "Maar"), &["BOOKS"]).await?;
    for (name, person) in [("Ada", ada), ("Carl", &carl), ("Dora", &dora)] {
        report(person, "COMMENT", &comment.id, "HARASSMENT_INSULT").await?;
        step(&format!("{name} reports a comment of Bob's"), "a moderator is asked");
    }
    let gone = async || Ok(ada.comments(&post.id).await?.iter().all(|shown| shown.id != comment.id));
    let (_, took) = eventually("what three have reported is held", gone, |gone| *gone).await?;
    step("It is hidden until a moderator has looked", &format!("gone after {}", seconds(took)));
    let email = address("mia");
    let moderator = moderator(&entrance.data, entrance.place().0, api, (&email, PASSWORD)).await?;
    a_reported_picture(bob, [ada, &carl, &dora], moderator.as_ref()).await?;
    let Some(moderator) = moderator else {
        step("No moderator can be made from here", "the reports wait in the queue");
        return Ok(());
    };
    step("Mia moderates", &format!("{email}, password \"{PASSWORD}\""));
    decision(&moderator, ada, bob, &comment).await
}

/// The moderator agrees, and Bob appeals.
async fn decision(moderator: &Person, ada: &Person, bob: &Person, comment: &Created) -> Result<()> {
    let subject = format!("/moderation/subjects/COMMENT/{}", comment.id);
    let claim = format!("{subject}/claim");
    let claimed: Value = moderator.api.ask(Method::POST, To::Moderation, &claim, None).await?;
    step("Mia claims it", &format!("until {}", claimed["until"].as_str().unwrap_or_default()));
    let body =
        json!({ "actions": [{ "action": "HIDE" }], "reason": "HARASSMENT_INSULT", "public_note": "Please stay kind." });
    let path = format!("{subject}/decisions");
    let decision: Created = moderator.api.ask(Method::POST, To::Moderation, &path, Some(&body)).await?;
    step("Mia hides it", &format!("decision {}", decision.id));
    let ask = async || -> Result<Vec<Value>> { ada.api.ask(Method::GET, To::Moderation, "/me/reports", None).await };
    let about = |report: &&Value| report["subject_id"] == comment.id.as_str();
    let agreed = |reports: &Vec<Value>| reports.iter().find(about).is_some_and(|report| report["status"] == "AGREED");
    let (_, took) = eventually("the reporters are answered", ask, agreed).await?;
    step("Ada looks at her report", &format!("AGREED (after {})", seconds(took)));
    let appeal = json!({ "text": "I meant it in a friendly way." });
    let path = format!("/me/moderation/decisions/{}/appeal", decision.id);
    let appeal: Created = bob.api.ask(Method::POST, To::Moderation, &path, Some(&appeal)).await?;
    step("Bob appeals; another moderator will decide", &format!("appeal {}", appeal.id));
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
