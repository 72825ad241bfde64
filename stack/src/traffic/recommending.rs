//! The part of the demo about recommendations: what a newcomer is recommended, and why; and what two people have in common.

use anyhow::{Result, bail};
use reqwest::Method;
use serde_json::Value;

use crate::client::{Api, Person, Post, To, eventually};
use crate::host::console::{seconds, show};
use crate::traffic::steps::{TYPES, step};

/// Where recommended posts are.
const PAGE: &str = "/me/recommendations/posts";

/// Eve connects to Bob, who has reacted to Ada's post: it is recommended to her, until she is not interested.
pub async fn a_recommendation(api: &Api, ada: &Person, bob: &Person, post: &Post) -> Result<()> {
    show("");
    let eve = api
        .join(&format!("eve.{}@example.org", &ada.id[24..]), "a long walk by the sea", ("Eve", "Ning"), &TYPES)
        .await?;
    eve.connect(&bob.id).await?;
    // Her connection is known to the engagement service as soon as Bob is notified of it.
    let ask = async || bob.notifications().await;
    let known = |all: &Vec<crate::client::Notification>| all.iter().any(|one| one.text.contains("Eve Ning"));
    let (_, took) = eventually("Bob is notified of Eve", ask, known).await?;
    let page: Vec<Value> = eve.api.ask(Method::GET, To::Engagement, &format!("{PAGE}?limit=200"), None).await?;
    let Some(recommended) = page.iter().find(|item| item["id"] == post.id.as_str()) else {
        bail!("Ada's post is not recommended to Eve")
    };
    let reason = recommended["reason"]["text"].as_str().unwrap_or_default();
    step("Eve is recommended Ada's post", &format!("{reason} (after {})", seconds(took)));
    let path = format!("{PAGE}/{}/not-interested", post.id);
    eve.api.send(Method::POST, To::Engagement, &path, None).await?;
    let page: Vec<Value> = eve.api.ask(Method::GET, To::Engagement, &format!("{PAGE}?limit=200"), None).await?;
    if page.iter().any(|item| item["id"] == post.id.as_str()) {
        bail!("Ada's post is recommended to Eve although she is not interested");
    }
    step("Eve is not interested", "it is gone");
    Ok(())
}

/// Ada and Bob are compared; Bob is not recommended to Ada, who is connected to him, and the people that are come with a reason.
pub async fn people(ada: &Person, bob: &Person) -> Result<()> {
    let common: Value =
        ada.api.ask(Method::GET, To::Engagement, &format!("/me/compatibility/{}", bob.id), None).await?;
    if common["interests"]["common"] != serde_json::json!(["TECHNOLOGY"]) {
        bail!("Ada and Bob are both interested in TECHNOLOGY, and have in common: {common}");
    }
    step("Ada is compared with Bob", &format!("{} % of their interests are common", common["interests"]["percent"]));
    let people: Vec<Value> = ada.api.ask(Method::GET, To::Engagement, "/me/recommendations/people", None).await?;
    if people.iter().any(|person| person["user"]["id"] == bob.id.as_str() || person["reason"] == "") {
        bail!("Ada is connected to Bob, and is recommended {people:?}");
    }
    step("People are recommended to Ada", &format!("{}, each with a reason, and not Bob", people.len()));
    Ok(())
}
