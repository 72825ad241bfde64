//! Every page, once as a guest and once as a moderator who has written, read and decided: no rule of WCAG 2.2 AA that `axe` can check
//! is broken in light or dark, nothing scrolls sideways on a small phone, and the console stays silent.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use super::visitor::Visitor;
use super::{World, none, promote};
use crate::client::{Person, To, eventually};

/// What guests see.
const OF_GUESTS: [&str; 8] = [
    "/",
    "/signin?next=%2Fexplore",
    "/signup",
    "/activate",
    "/activate?token=t",
    "/forgot-password",
    "/reset-password?token=t",
    "/posts/nothing",
];
/// The pages of one member without an id in their address.
const OF_MEMBERS: [&str; 28] = [
    "/",
    "/explore",
    "/explore?category=BOOKS",
    "/tags/engines",
    "/search",
    "/search?q=engine",
    "/search?q=ada&kind=people",
    "/search?q=engine&kind=tags",
    "/compose",
    "/drafts",
    "/bookmarks",
    "/connect",
    "/recommended",
    "/notifications",
    "/settings",
    "/settings/password",
    "/settings/sessions",
    "/settings/accounts",
    "/settings/people",
    "/settings/notifications",
    "/settings/data",
    "/decisions",
    "/moderation",
    "/moderation/appeals",
    "/@ada.lovelace",
    "/@nobody.of.this.name",
    "/signin",
    "/nothing/here",
];
/// Those with the id of a post, a comment and a person.
const OF_POSTS: [&str; 6] = [
    "/posts/{}",
    "/posts/{}/edit",
    "/posts/{}/nft",
    "/posts/{}/delete",
    "/report?type=POST&id={}",
    "/moderation/POST/{}",
];
const OF_COMMENTS: [&str; 3] = ["/comments/{}", "/comments/{}/edit", "/comments/{}/delete"];
const OF_PEOPLE: [&str; 5] =
    ["/users/{}", "/users/{}/common", "/users/{}/followers", "/users/{}/connections", "/report?type=USER&id={}"];

/// The narrowest phone, and a text at 400 % on a desktop, in pixels.
const NARROW: (u32, u32) = (320, 640);
const WIDE: (u32, u32) = (1280, 900);

/// Runs `axe` with the rules of WCAG 2.2 AA, or with one rule; what is broken, and where.
const CHECK: &str = r"
    const [rules, done] = arguments;
    axe.run(document, { runOnly: rules, resultTypes: ['violations'] }).then(
        (found) => done(found.violations.map((rule) => `${rule.id}: ${rule.nodes.map((node) => node.html).join(' | ')}`)),
        (error) => done([String(error)]));
";

pub async fn are_for_all(world: &World, root: &Person, axe: &Path) -> Result<()> {
    let axe = fs::read_to_string(axe)?;
    let (ada, post, comment) = lived(world, root).await?;
    let visitor = world.visitor(true).await?;
    let mut found = Vec::new();
    for path in OF_GUESTS {
        found.extend(faults(&visitor, path, &axe).await.with_context(|| path.to_owned())?);
    }
    visitor.signs_in(&ada.email).await?;
    let named = |paths: &'static [&str], id: &str| paths.iter().map(|path| path.replace("{}", id)).collect::<Vec<_>>();
    let pages = OF_MEMBERS.map(str::to_owned).into_iter().chain(named(&OF_POSTS, &post));
    for path in pages.chain(named(&OF_COMMENTS, &comment)).chain(named(&OF_PEOPLE, &root.id)) {
        found.extend(faults(&visitor, &path, &axe).await.with_context(|| path.clone())?);
    }
    none("pages that are not for all", &found)?;
    visitor.leaves().await
}

/// What is wrong with a page.
async fn faults(visitor: &Visitor, path: &str, axe: &str) -> Result<Vec<String>> {
    visitor.console().await?;
    visitor.open(path).await?;
    visitor.sees("main h1").await?;
    // What is missing is an error of the network, too, which is no fault of its page.
    let mut found = visitor.console().await?;
    found.retain(|entry| !(entry.contains("404 (Not Found)") && entry.contains("\"source\":\"network\"")));

    visitor.runs(axe, vec![]).await?;
    visitor.browser.size(NARROW.0, NARROW.1).await?;
    let width = visitor.runs("return document.documentElement.scrollWidth", vec![]).await?;
    ensure!(width.is_u64(), "{width}");
    if width.as_u64() > Some(NARROW.0.into()) {
        found.push(format!("it is {width} pixels wide on a phone of {}", NARROW.0));
    }
    visitor.browser.size(WIDE.0, WIDE.1).await?;
    let standards = json!({ "type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
    found.extend(broken(visitor, standards).await?);
    visitor.browser.prefer("dark").await?;
    // Nothing else depends on colours.
    found.extend(broken(visitor, json!({ "type": "rule", "values": ["color-contrast"] })).await?);
    visitor.browser.prefer("light").await?;
    Ok(found.into_iter().map(|fault| format!("{path}: {fault}")).collect())
}

async fn broken(visitor: &Visitor, rules: Value) -> Result<Vec<String>> {
    let answer = visitor.browser.tab.execute_async(CHECK, vec![rules]).await.context("axe does not run")?;
    let list = answer.as_array().context("axe has no list")?;
    Ok(list.iter().map(Value::to_string).collect())
}

/// A moderator with posts, a draft, comments, a bookmark, notifications, decisions and appeals; with the ids of a post and of a
/// comment of theirs.
async fn lived(world: &World, root: &Person) -> Result<(Person, String, String)> {
    let ada = world.join("ada@example.org", ("Ada", "Lovelace")).await?;
    let bob = world.join("bob@example.org", ("Bob", "Frankston")).await?;
    promote(root, &ada).await?;
    let name = json!({ "username": "ada.lovelace", "bio": "I write to engines.", "location": "London" });
    let _: Value = ada.api.ask(Method::PATCH, To::Auth, "/users/me", Some(&name)).await?;
    for other in [&bob, root] {
        ada.connect(&other.id).await?;
        other.connect(&ada.id).await?;
    }
    let post = ada.write_post("On the engine", "It can do what we order. #engines", &["BOOKS"], "POSTED").await?.id;
    ada.write_post("A plan", "Not yet.", &["BOOKS"], "DRAFT").await?;
    let untitled = json!({ "content": "A post without a title. #engines https://example.org/", "types": ["NEWS"], "status": "POSTED" });
    let _: Value = bob.api.ask(Method::POST, To::Post, "/posts", Some(&untitled)).await?;
    let comment = ada.comment(&post, "It weaves patterns.").await?.id;
    let reply = json!({ "content": "Which ones?", "reply_to": comment });
    let _: Value = bob.api.ask(Method::POST, To::Interaction, &format!("/{post}/comments"), Some(&reply)).await?;
    bob.react(&post, "LOVE").await?;
    let kept = json!({ "folder": "Engines" });
    let _: Value = ada.api.ask(Method::PUT, To::Interaction, &format!("/{post}/bookmark"), Some(&kept)).await?;

    // A report that waits, and a decision about Ada that is appealed.
    let path = known(root, "POST", &post).await?;
    let report =
        json!({ "subject_type": "POST", "subject_id": post, "reason": "SPAM_COMMERCIAL", "text": "Please look." });
    let _: Value = bob.api.ask(Method::POST, To::Moderation, "/reports", Some(&report)).await?;
    let waits = async || root.api.ask::<Value>(Method::GET, To::Moderation, &path, None).await;
    eventually("the report waits", waits, |case| !case["reports"].as_array().is_none_or(Vec::is_empty)).await?;
    let about = ada.comment(&post, "Buy my engine!").await?.id;
    let path = known(root, "COMMENT", &about).await?;
    let hide =
        json!({ "actions": [{ "action": "HIDE" }], "reason": "SPAM_COMMERCIAL", "public_note": "No advertisements." });
    let decision: Value = root.api.ask(Method::POST, To::Moderation, &format!("{path}/decisions"), Some(&hide)).await?;
    let id = decision["id"].as_str().context("no id")?;
    let appeal = json!({ "text": "It was a joke." });
    let path = format!("/me/moderation/decisions/{id}/appeal");
    let _: Value = ada.api.ask(Method::POST, To::Moderation, &path, Some(&appeal)).await?;
    let noted = async || ada.notifications().await;
    eventually("Ada is notified", noted, |listed| listed.len() > 2).await?;
    Ok((ada, post, comment))
}

/// Waits until moderation knows a subject; the path of its case.
async fn known(root: &Person, kind: &str, id: &str) -> Result<String> {
    let path = format!("/moderation/subjects/{kind}/{id}");
    let ask = async || root.api.send(Method::GET, To::Moderation, &path, None).await;
    eventually("moderation knows it", ask, |(status, _)| status.is_success()).await?;
    Ok(path)
}
