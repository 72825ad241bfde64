//! The steps of the demo in which a post is found, gets a picture, leads to an NFT and names its readers.
use anyhow::{Result, bail};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Created, FeedItem, Notification, Person, Post, To, eventually};
use crate::host::console::seconds;
use crate::traffic::pictures;
use crate::traffic::steps::{TYPES, step};

/// Bob finds the post by its words; Ada edits it, and he finds it by the new ones. What it said for a moment only she can read.
pub async fn a_search(ada: &Person, bob: &Person, post: &Post) -> Result<()> {
    let find = async |words: &str| -> Result<Vec<Value>> {
        let path = format!("/posts/search?q={words}&author={}", ada.id);
        bob.api.ask(Method::GET, To::Post, &path, None).await
    };
    let finds = |hits: &Vec<Value>| hits.len() == 1 && hits[0]["id"] == post.id;
    let (hits, _) = eventually("Bob finds Ada's post by a word of it", async || find("order").await, finds).await?;
    step("Bob searches for \"order\"", hits[0]["excerpt_html"].as_str().unwrap_or_default());
    let content = "It can do whatever we know how to order it to perform, and weaves algebraic patterns.";
    ada.change_post(&post.id, content, &TYPES, "POSTED").await?;
    let ask = async || find("\"algebraic+patterns\"").await;
    let (hits, _) = eventually("Bob finds Ada's post by its new words", ask, finds).await?;
    let path = format!("/posts/{}/history", post.id);
    let versions: Vec<Value> = ada.api.ask(Method::GET, To::Post, &path, None).await?;
    if !hits[0]["edited_at"].is_string() || versions.len() != 1 {
        bail!("Ada edited her post; Bob found {hits:?}, and she {versions:?} of earlier versions");
    }
    step("Ada edits it, and Bob finds the new words", &format!("before it said: {}", versions[0]["content"]));
    Ok(())
}

/// Ada's post gets a picture that the demo makes, Bob sees it without a token, and another one becomes her avatar.
pub async fn a_picture(ada: &Person, bob: &Person, post: &Post) -> Result<()> {
    let number = rand::random();
    let picture = ada.api.upload("POST", "A gradient of two colours", &pictures::picture(number)).await?;
    let avatar = ada.api.upload("AVATAR", "", &pictures::picture(number.wrapping_add(1))).await?;
    let state =
        async |id: &str| -> Result<Value> { ada.api.ask(Method::GET, To::Post, &format!("/media/{id}"), None).await };
    let are_ready =
        async || Ok(state(&picture).await?["status"] == "READY" && state(&avatar).await?["status"] == "READY");
    let (_, took) = eventually("Ada's pictures are processed", are_ready, |ready| *ready).await?;
    step("Ada uploads two pictures", &format!("they are READY (after {})", seconds(took)));
    ada.illustrate(&post.id, "It can do whatever we know how to order it to perform.", &TYPES, &[picture]).await?;
    let seen: Value = bob.api.ask(Method::GET, To::Post, &format!("/posts/{}", post.id), None).await?;
    let url = seen["media"][0]["thumbnail"].as_str().unwrap_or_default();
    let (status, bytes) = bob.api.file(url).await?;
    if status != StatusCode::OK {
        bail!("Bob asked for {url} and was answered with {status}");
    }
    step("Bob sees the one that her post shows", &format!("{bytes} bytes, {}", seen["media"][0]["blurhash"]));
    let choice = json!({ "media_id": avatar });
    let _: Value = ada.api.ask(Method::PUT, To::Post, "/me/avatar", Some(&choice)).await?;
    let ask = async || -> Result<Value> {
        let profile: Value = bob.api.ask(Method::GET, To::Auth, &format!("/users/{}", ada.id), None).await?;
        Ok(profile["avatar_url"].clone())
    };
    let (_, took) = eventually("Ada's profile has her avatar", ask, Value::is_string).await?;
    step("The other one becomes her avatar", &format!("in her profile after {}", seconds(took)));
    Ok(())
}

/// The published post has an NFT record, from which it is minted where that is on: its metadata can be read by everyone then.
pub async fn an_nft(ada: &Person, post: &Post) -> Result<()> {
    let nfts: Vec<Value> = ada.api.ask(Method::GET, To::Post, "/me/nfts", None).await?;
    let Some(nft) = nfts.iter().find(|nft| nft["subject_id"] == post.id.as_str()) else {
        bail!("Ada's post has no NFT record: {nfts:?}");
    };
    step("Ada looks at its NFT", &format!("record {} is {}", nft["id"], nft["status"]));
    let (status, asked) = ada.api.send(Method::POST, To::Post, &format!("/nfts/{}/mint", post.id), None).await?;
    match status {
        StatusCode::CONFLICT if asked["detail"] == "Minting is off" => return Ok(()),
        StatusCode::ACCEPTED => {}
        _ => bail!("Ada asked for the minting of her post and was answered with {status}: {asked}"),
    }
    let path = format!("/nfts/{}", nft["id"].as_str().unwrap_or_default());
    let read = async || -> Result<Value> { ada.api.ask(Method::GET, To::Post, &path, None).await };
    let (nft, took) = eventually("its metadata is pinned", read, |nft| nft["token_uri"].is_string()).await?;
    step("Ada has it minted", &format!("{} at {} (after {})", nft["status"], nft["token_uri"], seconds(took)));
    Ok(())
}

/// Bob chooses a username and follows a tag; Ada mentions him in a post with it, which he reads as one of her connections.
pub async fn words(ada: &Person, bob: &Person) -> Result<()> {
    let username = format!("bob_{}", &bob.id[28..]);
    let name = json!({ "username": username });
    let _: Value = bob.api.ask(Method::PATCH, To::Auth, "/users/me", Some(&name)).await?;
    let tag = format!("engines_{}", &ada.id[28..]);
    let (status, _) = bob.api.send(Method::PUT, To::Engagement, &format!("/me/tags/{tag}"), None).await?;
    if status != StatusCode::NO_CONTENT {
        bail!("Bob followed #{tag} and was answered with {status}");
    }
    step("Bob chooses a username and follows a tag", &format!("he is @{username} and reads #{tag}"));
    // The name is known to the service of notifications a moment later.
    let known =
        async || -> Result<Vec<Value>> { ada.api.ask(Method::GET, To::Engagement, "/me/notifications", None).await };
    let has_name = |listed: &Vec<Value>| listed.iter().any(|one| one["actors"][0]["username"] == json!(username));
    eventually("Bob's name is known", known, has_name).await?;
    let content = format!("@{username}, what do you think of #{tag}?");
    let post = ada.write_post("A question to Bob", &content, &TYPES, "POSTED").await?;
    step("Ada mentions him", &content);
    let mentioned = |listed: &Vec<Notification>| listed.iter().any(|one| one.r#type == "USER_MENTIONED");
    let (_, took) = eventually("Bob is notified of the mention", async || bob.notifications().await, mentioned).await?;
    step("Bob is notified", &format!("Ada mentioned him (after {})", seconds(took)));
    let path = format!("/tags/{tag}/posts");
    let tagged: Vec<Created> = bob.api.ask(Method::GET, To::Post, &path, None).await?;
    if tagged.len() != 1 || tagged[0].id != post.id {
        bail!("the posts with #{tag} are {tagged:?}");
    }
    let is_there = |feed: &Vec<FeedItem>| feed.iter().any(|item| item.id == post.id);
    let (_, took) = eventually("Bob's feed has it", async || bob.home_feed().await, is_there).await?;
    step("Bob reads the tag", &format!("1 post, also in his feed (after {})", seconds(took)));
    Ok(())
}
