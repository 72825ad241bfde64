//! A decision of moderation and its end, over all five services: what it takes from readers comes back as it was when the appeal
//! against it succeeds.

use anyhow::Result;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::examples::administrator;
use crate::client::{Person, Post, To, eventually};
use crate::platform::{PASSWORD, Platform};

const ROOT: &str = "root@example.org";
/// Lets a moderator decide about a subject.
async fn decide(by: &Person, kind: &str, subject: &str, actions: &Value) -> Result<Value> {
    let decision =
        json!({ "actions": actions, "reason": "HARASSMENT_BULLYING", "public_note": "It names a neighbour." });
    by.api
        .ask(Method::POST, To::Moderation, &format!("/moderation/subjects/{kind}/{subject}/decisions"), Some(&decision))
        .await
}

#[tokio::test]
async fn an_appeal_that_succeeds_brings_everything_back() -> Result<()> {
    let mut platform = Platform::up(&["--set", &format!("auth-service.FIRST_ADMIN={ROOT}")]);
    let api = platform.api();
    let root = administrator(&platform, &api).await?;
    let other = api.join("grace@example.org", PASSWORD, ("Grace", "Hopper"), &["NEWS"]).await?;
    let role = json!({ "role": "MODERATOR", "reason": "A second pair of eyes." });
    root.api.ask::<Value>(Method::PUT, To::Auth, &format!("/admin/users/{}/role", other.id), Some(&role)).await?;
    let ada = api.join("ada@example.org", PASSWORD, ("Ada", "Lovelace"), &["BOOKS"]).await?;
    let bob = api.join("bob@example.org", PASSWORD, ("Bob", "Frankston"), &["BOOKS"]).await?;

    let post = lived_with(&ada, &bob).await?;
    let before = seen(&ada, &bob, &post).await?;
    let decision = decide(&root, "POST", &post, &json!([{ "action": "HIDE" }])).await?;
    gone(&ada, &bob, &post).await?;
    // What was decided, and the warning that follows from a first strike.
    let notices = notified(&ada, "SYSTEM_MESSAGE", 2).await?;
    let names_root = |notice: &String| notice.contains("Root") || notice.contains(&root.id);
    assert!(!notices.iter().any(names_root), "no moderator is named: {notices:?}");

    let appeal = json!({ "text": "It is my own neighbour, who asked for it." });
    let path = format!("/me/moderation/decisions/{}/appeal", text(&decision["id"]));
    let appeal = ada.api.ask::<Value>(Method::POST, To::Moderation, &path, Some(&appeal)).await?;
    let path = format!("/moderation/appeals/{}/resolve", text(&appeal["id"]));
    let resolution = json!({ "outcome": "OVERTURNED", "note": "The neighbour did ask." });
    let own = root.api.ask::<Value>(Method::POST, To::Moderation, &path, Some(&resolution)).await;
    assert!(own.unwrap_err().to_string().contains("403"), "who has decided does not resolve the appeal");
    other.api.ask::<Value>(Method::POST, To::Moderation, &path, Some(&resolution)).await?;

    let ask = async || seen(&ada, &bob, &post).await;
    eventually("all is as it was", ask, |after| *after == before).await?;
    a_limit_and_a_mute_come_and_go(&root, (&ada, &bob), &post).await?;
    platform.stop();
    Ok(())
}

/// Ada writes, and Bob reads, comments and reacts; the post.
async fn lived_with(ada: &Person, bob: &Person) -> Result<String> {
    bob.connect(&ada.id).await?;
    let post = ada.write_post("On neighbours", "Mine plays the trombone.", &["BOOKS"], "POSTED").await?.id;
    bob.view(&post).await?;
    bob.comment(&post, "At which hour?").await?;
    bob.react(&post, "FUNNY").await?;
    let counted = |post: &Post| (post.total_views, post.total_comments, post.total_reactions) == (1, 1, 1);
    eventually("what Bob did is counted", async || bob.post(&post).await, counted).await?;
    let in_the_feed =
        |feed: &Vec<crate::client::FeedItem>| feed.iter().any(|item| item.id == post && item.total_comments == 1);
    eventually("the post is in Bob's feed", async || bob.home_feed().await, in_the_feed).await?;
    notified(ada, "POST_COMMENT_RECEIVED", 1).await?;
    notified(ada, "POST_REACTION_RECEIVED", 1).await?;
    Ok(post)
}

/// All that Ada and Bob see of the post: its counts, comments, places in feeds, and what Ada is notified of about it.
async fn seen(ada: &Person, bob: &Person, post: &str) -> Result<Option<Value>> {
    let (status, shown) = bob.api.send(Method::GET, To::Post, &format!("/posts/{post}"), None).await?;
    if status != StatusCode::OK {
        return Ok(None);
    }
    let comments: Vec<_> = bob.comments(post).await?.into_iter().map(|comment| comment.id).collect();
    let mut feeds = Vec::new();
    for reader in [ada, bob] {
        let feed = reader.home_feed().await?;
        feeds.push(feed.iter().map(|item| json!([item.id, item.total_views, item.total_comments])).collect::<Vec<_>>());
    }
    let about = ada.notifications().await?.into_iter().filter(|one| one.r#type.starts_with("POST_"));
    let mut about: Vec<_> = about.map(|one| one.text).collect();
    about.sort();
    let fields = ["title", "content", "types", "status", "total_views", "total_comments", "total_reactions", "score"];
    let shown: Vec<_> = fields.iter().map(|field| &shown[*field]).collect();
    Ok(Some(json!({ "post": shown, "comments": comments, "feeds": feeds, "notifications": about })))
}

/// Waits until the post is out of everything, and its author knows where it is.
async fn gone(ada: &Person, bob: &Person, post: &str) -> Result<()> {
    let path = format!("/posts/{post}");
    let ask = async || Ok(bob.api.send(Method::GET, To::Post, &path, None).await?.0);
    eventually("the post is hidden", ask, |status| *status == StatusCode::NOT_FOUND).await?;
    let path = format!("/{post}/comments");
    let ask = async || Ok(bob.api.send(Method::GET, To::Interaction, &path, None).await?.0);
    eventually("and so are its comments", ask, |status| *status == StatusCode::NOT_FOUND).await?;
    for reader in [ada, bob] {
        let lacks = |feed: &Vec<crate::client::FeedItem>| feed.iter().all(|item| item.id != post);
        eventually("no feed has it", async || reader.home_feed().await, lacks).await?;
    }
    notified(ada, "POST_COMMENT_RECEIVED", 0).await?;
    let hidden: Vec<Value> = ada.api.ask(Method::GET, To::Post, "/posts/hidden", None).await?;
    assert_eq!((&hidden[0]["id"], &hidden[0]["hidden_reason"]), (&json!(post), &json!("OFFENSIVE_CONTENT")));
    Ok(())
}

/// A post that is limited is in no feed of others; a user who is muted does not write. Both end with their decisions.
async fn a_limit_and_a_mute_come_and_go(root: &Person, (ada, bob): (&Person, &Person), post: &str) -> Result<()> {
    let has = async |reader: &Person| Ok(reader.home_feed().await?.iter().any(|item| item.id == post));
    let actions = json!([{ "action": "LIMIT" }, { "action": "LABEL", "label": "satire" }]);
    let limit = decide(root, "POST", post, &actions).await?;
    eventually("it is not in Bob's feed", async || has(bob).await, |has| !has).await?;
    let labels = async || {
        Ok(bob.api.ask::<Value>(Method::GET, To::Post, &format!("/posts/{post}"), None).await?["labels"].clone())
    };
    eventually("he reads it with its label", labels, |labels| *labels == json!(["satire"])).await?;
    assert!(has(ada).await?, "Ada has her own");
    let reverse = async |decision: &Value| {
        let path = format!("/moderation/decisions/{}/reverse", text(&decision["id"]));
        root.api.ask::<Value>(Method::POST, To::Moderation, &path, Some(&json!({ "note": "A test." }))).await
    };
    reverse(&limit).await?;
    eventually("it is in Bob's feed again", async || has(bob).await, |has| *has).await?;
    eventually("without a label", labels, Value::is_null).await?;

    let mute = decide(root, "USER", &ada.id, &json!([{ "action": "MUTE", "hours": 24 }])).await?;
    let post = json!({ "title": "More", "content": "He has a drum now.", "types": ["BOOKS"], "status": "POSTED" });
    let write = async || Ok(ada.api.send(Method::POST, To::Post, "/posts", Some(&post)).await?.0);
    eventually("Ada does not write", write, |status| *status == StatusCode::FORBIDDEN).await?;
    reverse(&mute).await?;
    let status = async || Ok(ada.api.ask::<Value>(Method::GET, To::Auth, "/users/me", None).await?["status"].clone());
    eventually("she may write again", status, |status| *status != json!("MUTED")).await?;
    Ok(())
}

/// Waits until a person has that many notifications of a type; their texts.
async fn notified(person: &Person, kind: &str, number: usize) -> Result<Vec<String>> {
    let ask = async || {
        let all = person.notifications().await?.into_iter().filter(|one| one.r#type == kind);
        Ok(all.map(|one| one.text).collect::<Vec<_>>())
    };
    Ok(eventually(&format!("{number} of {kind}"), ask, |texts| texts.len() == number).await?.0)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
