//! Every page of the client's router, as a guest and as a moderator who has written, read and decided: no rule of WCAG 2.2 AA that `axe` can
//! check is broken in light or dark, nothing scrolls sideways on a small phone, and the console stays silent.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use super::visitor::Visitor;
use super::{World, none, promote};
use crate::client::{Person, To, eventually};
use crate::pictures::mosaic;

/// What guests see; `{token}` is that of a mail about a ban.
const OF_GUESTS: [&str; 10] = [
    "/",
    "/signin?next=%2Fexplore",
    "/signup",
    "/activate",
    "/activate?token=t",
    "/forgot-password",
    "/reset-password?token=t",
    "/undo-change?token=t",
    "/appeal?token={token}",
    "/posts/nothing",
];
/// The pages of one member; each name in braces is an id of [`Lived`].
const OF_MEMBERS: [&str; 57] = [
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
    "/linked-accounts/callback?error=access_denied&state=s",
    "/decisions",
    "/moderation",
    "/moderation?claimed_by_me=true",
    "/moderation?type=POST&escalated=false",
    "/moderation/appeals",
    "/moderation/scheduled",
    "/moderation/policies",
    "/moderation/reporters/{person}",
    "/moderation/appeals/{appeal}",
    "/moderation/decisions/{decision}",
    "/moderation/POST/{post}",
    "/moderation/POST/{hidden}",
    "/moderation/COMMENT/{comment}",
    "/moderation/MEDIA/{picture}",
    "/moderation/USER/{person}",
    "/@ada.lovelace",
    "/@nobody.of.this.name",
    "/signin",
    "/nothing/here",
    "/posts/{post}",
    "/posts/{post}/edit",
    "/posts/{post}/nft",
    "/posts/{post}/delete",
    "/report?type=POST&id={hidden}",
    "/report?type=USER&id={person}",
    "/comments/{comment}",
    "/comments/{comment}/edit",
    "/comments/{comment}/delete",
    "/comments/{comment}/nft",
    "/users/{person}",
    "/users/{me}/activity",
    "/users/{person}/activity",
    "/users/{person}/common",
    "/users/{person}/followers",
    "/users/{person}/connections",
];
/// What administrators alone see.
const OF_ADMINISTRATORS: [&str; 4] =
    ["/moderation/policies", "/moderation/policies/new", "/moderation/policies/{policy}", "/moderation/domains"];
/// What a browser asks for that is no page, and why.
const NO_PAGES: [(&str, &str); 6] = [
    ("/home/news", "a part of the home feed"),
    ("/notifications/stream", "a stream of events"),
    ("/settings/export", "a file"),
    ("/health/live", "for machines"),
    ("/health/ready", "for machines"),
    ("/assets/{hash}/{name}", "a file"),
];
/// The addresses of the client, on one page.
const ROUTER: &str = include_str!("../../../web-client/src/pages/mod.rs");

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

/// What has happened before the pages are looked at: the ids in their addresses.
struct Lived {
    ada: Person,
    /// A post and a comment of Ada's.
    post: String,
    comment: String,
    /// A post of another that a moderator has hidden, its picture, and its decision, which is appealed.
    hidden: String,
    picture: String,
    decision: String,
    appeal: String,
    /// The author of that.
    person: String,
    /// A policy that came with the service.
    policy: String,
    /// Of a mail about a ban.
    token: String,
}

impl Lived {
    /// An address with its ids.
    fn of(&self, path: &str) -> String {
        let ids = [
            ("{me}", &self.ada.id),
            ("{post}", &self.post),
            ("{comment}", &self.comment),
            ("{hidden}", &self.hidden),
            ("{picture}", &self.picture),
            ("{decision}", &self.decision),
            ("{appeal}", &self.appeal),
            ("{person}", &self.person),
            ("{policy}", &self.policy),
            ("{token}", &self.token),
        ];
        ids.iter().fold(path.to_owned(), |path, (name, id)| path.replace(name, id))
    }
}

pub async fn are_for_all(world: &World, root: &Person, axe: &Path) -> Result<()> {
    let axe = fs::read_to_string(axe)?;
    let lived = lived(world, root).await?;
    let visitor = world.visitor(true).await?;
    let mut found = Vec::new();
    for path in OF_GUESTS {
        let path = lived.of(path);
        found.extend(opened(&visitor, &path, &axe).await.with_context(|| path.clone())?);
    }
    visitor.signs_in(&lived.ada.email).await?;
    for path in OF_MEMBERS {
        let path = lived.of(path);
        found.extend(opened(&visitor, &path, &axe).await.with_context(|| path.clone())?);
    }
    found.extend(those_of_forms(&visitor, &lived, &axe).await.context("pages that answer forms")?);
    found.extend(those_in_dialogs(&visitor, &lived, &axe).await.context("dialogs")?);
    visitor.leaves().await?;
    found.extend(those_of_administrators(world, root, &lived, &axe).await.context("pages of administrators")?);
    none("pages that are not for all", &found)
}

/// The pages that administrators alone see, and what a trial of a policy answers.
async fn those_of_administrators(world: &World, root: &Person, lived: &Lived, axe: &str) -> Result<Vec<String>> {
    let visitor = world.visitor(true).await?;
    visitor.signs_in(&root.email).await?;
    let mut found = Vec::new();
    for path in OF_ADMINISTRATORS {
        let path = lived.of(path);
        found.extend(opened(&visitor, &path, axe).await.with_context(|| path.clone())?);
    }
    let path = lived.of("/moderation/policies/{policy}");
    visitor.open(&path).await?;
    visitor.click(&format!("form[action='{path}'] > button")).await?;
    visitor.sees("button[name=step][value=save]").await?;
    found.extend(faults(&visitor, "a trial of a policy", axe).await?);
    visitor.leaves().await?;
    Ok(found)
}

/// The pages that only forms lead to: the questions before a decision, what became of it, and forms that come back.
async fn those_of_forms(visitor: &Visitor, lived: &Lived, axe: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    visitor.open("/moderation").await?;
    visitor.click("input[name=subjects]").await?;
    visitor.click("#bulk-action option[value=DISMISS]").await?;
    visitor.click("#bulk-reason option[value=OTHER_RULES]").await?;
    visitor.click("#bulk button").await?;
    visitor.sees("input[name=sure]").await?;
    found.extend(faults(visitor, "the question about many cases", axe).await?);
    visitor.click("form[action='/moderation/bulk'] button.danger").await?;
    visitor.reads("What became of the cases").await?;
    found.extend(faults(visitor, "what became of many cases", axe).await?);

    let case = lived.of("/moderation/USER/{person}");
    visitor.open(&case).await?;
    visitor.click("input[name=action][value=BAN]").await?;
    visitor.click("#reason option[value=OTHER_RULES]").await?;
    visitor.click("form[action$='/decide'] button").await?;
    visitor.sees("#error").await?;
    found.extend(faults(visitor, "a decision that was refused", axe).await?);
    visitor.click("input[name=time][value=permanent]").await?;
    visitor.click("form[action$='/decide'] button").await?;
    visitor.sees("input[name=sure]").await?;
    found.extend(faults(visitor, "the question about a ban", axe).await?);
    Ok(found)
}

/// Forms in dialogs over a page. One that is closed leads back to where it was opened, and to the menu where that was in one.
async fn those_in_dialogs(visitor: &Visitor, lived: &Lived, axe: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    visitor.open("/").await?;
    visitor.click("header a.write").await?;
    visitor.sees("dialog[open] form[action='/compose']").await?;
    found.extend(faults(visitor, "writing in a dialog", axe).await?);
    visitor.open(&lived.of("/users/{person}")).await?;
    visitor.click(".profile details.menu > summary").await?;
    visitor.click(".profile a[href^='/report?']").await?;
    visitor.sees("dialog[open] form[action='/report']").await?;
    found.extend(faults(visitor, "reporting in a dialog", axe).await?);
    visitor.click("dialog [data-close]").await?;
    visitor.sees("dialog:not([open])").await?;
    ensure!(visitor.is_at(".profile details.menu > summary").await?, "the focus is lost with the dialog");
    // The form of a comment has a field with the same id, so that writing is a page.
    visitor.open(&lived.of("/comments/{comment}")).await?;
    visitor.click("header a.write").await?;
    visitor.sees("main > form[action='/compose']").await?;
    ensure!(visitor.path().await? == "/compose", "a link is a page where a dialog cannot be");
    Ok(found)
}

/// What is wrong with the page of an address.
async fn opened(visitor: &Visitor, path: &str, axe: &str) -> Result<Vec<String>> {
    visitor.console().await?;
    visitor.open(path).await?;
    visitor.sees("main h1").await?;
    faults(visitor, path, axe).await
}

/// What is wrong with the page that is shown.
async fn faults(visitor: &Visitor, name: &str, axe: &str) -> Result<Vec<String>> {
    // A page that says what is missing or refused has such a status, and that is no fault of it.
    let is_status = |entry: &str| {
        entry.contains("\"source\":\"network\"")
            && ["403", "404", "409", "422"].iter().any(|status| entry.contains(&format!("status of {status}")))
    };
    let mut found = visitor.console().await?;
    found.retain(|entry| !is_status(entry));

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
    Ok(found.into_iter().map(|fault| format!("{name}: {fault}")).collect())
}

async fn broken(visitor: &Visitor, rules: Value) -> Result<Vec<String>> {
    let answer = visitor.browser.tab.execute_async(CHECK, vec![rules]).await.context("axe does not run")?;
    let list = answer.as_array().context("axe has no list")?;
    Ok(list.iter().map(Value::to_string).collect())
}

/// A moderator with posts, a draft, comments, a bookmark, notifications, decisions and appeals; another person whose post was hidden
/// and who appeals; and one who is banned.
async fn lived(world: &World, root: &Person) -> Result<Lived> {
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

    // Reports that wait, and a decision about Ada that is appealed.
    reported(root, &bob, "POST", &post).await?;
    let waiting = bob.write_post("Buy", "Buy one more engine.", &["NEWS"], "POSTED").await?.id;
    reported(root, &ada, "POST", &waiting).await?;
    let about = ada.comment(&post, "Buy my engine!").await?.id;
    let decision = hidden(root, "COMMENT", &about).await?;
    appealed(&ada, &decision).await?;

    // A post of Bob's with a picture, a link and an item, which was hidden, and whose appeal waits for Ada. Its words are no
    // advertisement: what the model takes for one is hidden at once, and cannot be reported.
    let picture = bob.api.upload("POST", "Tiles of many colours", &mosaic(77)).await?;
    let path = format!("/media/{picture}");
    let state = async || -> Result<Value> { bob.api.ask(Method::GET, To::Post, &path, None).await };
    eventually("Bob's picture is processed", state, |state| state["status"] == "READY").await?;
    let tiles = json!({
        "title": "Old tiles", "content": "I found these tiles in Lisbon, more of them at https://example.org/tiles",
        "types": ["NEWS"], "status": "POSTED", "media": [picture],
        "item": { "kind": "BOOK", "url": "https://example.org/book", "title": "A book", "artists": ["Eve"] },
    });
    let tiles: Value = bob.api.ask(Method::POST, To::Post, "/posts", Some(&tiles)).await?;
    let tiles = id_of(&tiles)?;
    reported(root, &ada, "POST", &tiles).await?;
    let decision = hidden(root, "POST", &tiles).await?;
    let appeal = appealed(&bob, &decision).await?;

    let noted = async || ada.notifications().await;
    eventually("Ada is notified", noted, |listed| listed.len() > 2).await?;
    let rule = json!({ "verdict": "WARN", "note": "Sells engines that are none." });
    let _: Value =
        root.api.ask(Method::PUT, To::Moderation, "/moderation/domains/engines.example", Some(&rule)).await?;
    let policies: Value = root.api.ask(Method::GET, To::Moderation, "/moderation/policies", None).await?;
    let policy = id_of(&policies[0])?;
    let token = banned(world, root).await?;
    let person = bob.id;
    Ok(Lived { ada, post, comment, hidden: tiles, picture, decision, appeal, person, policy, token })
}

/// Lets root ban someone for good; the token of the mail about it.
async fn banned(world: &World, root: &Person) -> Result<String> {
    let email = "eve.banned@example.org";
    let eve = world.join(email, ("Eve", "Out")).await?;
    let path = known(root, "USER", &eve.id).await?;
    let ban = json!({ "actions": [{ "action": "BAN" }], "reason": "SPAM_COMMERCIAL", "public_note": "Nothing but advertisements." });
    let _: Value = root.api.ask(Method::POST, To::Moderation, &format!("{path}/decisions"), Some(&ban)).await?;
    world.mailed_to(email, "/appeal").await
}

fn id_of(thing: &Value) -> Result<String> {
    Ok(thing["id"].as_str().context("no id")?.to_owned())
}

/// Lets a moderator hide something; the decision.
async fn hidden(by: &Person, kind: &str, id: &str) -> Result<String> {
    let path = known(by, kind, id).await?;
    let hide =
        json!({ "actions": [{ "action": "HIDE" }], "reason": "SPAM_COMMERCIAL", "public_note": "No advertisements." });
    let decision: Value = by.api.ask(Method::POST, To::Moderation, &format!("{path}/decisions"), Some(&hide)).await?;
    id_of(&decision)
}

/// Lets a person appeal; the appeal.
async fn appealed(person: &Person, decision: &str) -> Result<String> {
    let appeal = json!({ "text": "It was a joke." });
    let path = format!("/me/moderation/decisions/{decision}/appeal");
    id_of(&person.api.ask(Method::POST, To::Moderation, &path, Some(&appeal)).await?)
}

/// Lets a person report something, and waits until it stands in its case.
pub async fn reported(moderator: &Person, reporter: &Person, kind: &str, id: &str) -> Result<()> {
    let path = known(moderator, kind, id).await?;
    let report = json!({ "subject_type": kind, "subject_id": id, "reason": "SPAM_COMMERCIAL", "text": "Please look." });
    let _: Value = reporter.api.ask(Method::POST, To::Moderation, "/reports", Some(&report)).await?;
    let waits = async || moderator.api.ask::<Value>(Method::GET, To::Moderation, &path, None).await;
    eventually("the report waits", waits, |case| !case["reports"].as_array().is_none_or(Vec::is_empty)).await.map(drop)
}

/// Waits until moderation knows a subject; the path of its case.
async fn known(root: &Person, kind: &str, id: &str) -> Result<String> {
    let path = format!("/moderation/subjects/{kind}/{id}");
    let ask = async || root.api.send(Method::GET, To::Moderation, &path, None).await;
    eventually("moderation knows it", ask, |(status, _)| status.is_success()).await?;
    Ok(path)
}

/// The addresses of the router that answer to reading.
fn read_routes() -> BTreeSet<&'static str> {
    let named = ROUTER.split(".route(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split_once('"'));
    let read = named.filter(|(_, handlers)| handlers.trim_start_matches([',', ' ', '\n']).starts_with("get("));
    read.map(|(path, _)| path).collect()
}

/// The route that an address is for: of those that fit, the one with the fewest parameters.
fn route_of<'a>(address: &str, routes: &BTreeSet<&'a str>) -> Option<&'a str> {
    let path: Vec<_> = address.split('?').next().unwrap_or_default().split('/').collect();
    let fits = |route: &&&str| {
        let parts: Vec<_> = route.split('/').collect();
        parts.len() == path.len() && parts.iter().zip(&path).all(|(part, given)| part.starts_with('{') || part == given)
    };
    routes.iter().filter(fits).min_by_key(|route| route.matches('{').count()).copied()
}

/// A page that is added to the router is looked at, or it is said here why not. It needs no browser.
#[test]
fn every_page_of_the_router_is_looked_at() {
    let routes = read_routes();
    let looked_at: BTreeSet<_> = OF_GUESTS
        .iter()
        .chain(&OF_MEMBERS)
        .chain(&OF_ADMINISTRATORS)
        .filter_map(|page| route_of(page, &routes))
        .collect();
    let left_out: BTreeSet<_> = NO_PAGES.iter().map(|(route, _)| *route).collect();
    let missed: Vec<_> =
        routes.iter().filter(|route| !looked_at.contains(*route) && !left_out.contains(*route)).collect();
    assert!(missed.is_empty() && routes.len() > 40, "no visit to {missed:?}: add them to the pages");
    let stale: Vec<_> =
        left_out.iter().filter(|route| !routes.contains(*route) || looked_at.contains(*route)).collect();
    assert!(stale.is_empty(), "{stale:?} are no exceptions");
}
