//! A newcomer: signs up, follows the mail, writes a post with a picture, reacts, comments, is notified, and signs out.

use std::fs;

use anyhow::{Context, Result, ensure};
use reqwest::Url;
use serde_json::json;
use tokio::time::{Duration, Instant, interval};

use super::visitor::Visitor;
use super::{World, none};
use crate::pictures::picture;
use crate::platform::PASSWORD;

/// How long a picture may take before it counts as lost.
const EFFECT_TIMEOUT: Duration = Duration::from_secs(30);

/// The journey, with scripts or without; nothing in it needs one.
pub async fn comes_and_goes(world: &World, scripts: bool) -> Result<()> {
    let name = if scripts { "cleo" } else { "dan" };
    let email = format!("{name}@example.org");
    let neighbour = world.join(&format!("{name}.neighbour@example.org"), ("Bob", "Frankston")).await?;
    let visitor = world.visitor(scripts).await?;
    visitor.reads("A calm place to talk").await?;
    joins(world, &visitor, &email).await?;

    let post = writes(world, &visitor).await?;
    visitor.click(".actions details.menu > summary").await?;
    visitor.click("button[name=type][value=LOVE]").await?;
    visitor.reads("1 reaction").await?;
    visitor.fill("content", "I have drawn it myself.").await?;
    visitor.click("form[action$='/comments'] button").await?;
    visitor.sees("#comments .comment .text").await?;

    neighbour.comment(&post, "Where does the door lead?").await?;
    if scripts {
        // The number arrives on the page that is open.
        visitor.sees("#live .badge").await?;
    }
    visitor.opens_until("/notifications", "Bob Frankston commented on your post").await?;
    // The list and the number are two questions: the page that is the first to have the one may lack the other.
    visitor.open("/notifications").await?;
    visitor.sees("#live .badge").await?;
    visitor.click("form[action='/signout'] button").await?;
    visitor.reads("You are signed out.").await?;
    visitor.open("/notifications").await?;
    ensure!(visitor.path().await? == "/signin", "a closed page leads to the sign-in");
    none("the console", &visitor.console().await?)?;
    visitor.leaves().await
}

/// Signs up, follows the link of the mail, and signs in.
async fn joins(world: &World, visitor: &Visitor, email: &str) -> Result<()> {
    visitor.click("a[href='/signup']").await?;
    for (name, value) in [("first_name", "Ada"), ("last_name", "Lovelace"), ("email", email), ("password", PASSWORD)] {
        visitor.fill(name, value).await?;
    }
    visitor.click("input[name=interests][value=BOOKS]").await?;
    visitor.click("form[action='/signup'] button").await?;
    visitor.reads("Look into your mail").await?;
    let token = world.mailed(email).await?;
    visitor.open(&format!("/activate?token={token}")).await?;
    visitor.click("form[action='/activate'] button").await?;
    visitor.reads("Your address is confirmed").await?;
    visitor.signs_in(email).await
}

/// Writes a post with a picture, and waits until the picture is drawn; the id of the post, whose page is open.
async fn writes(world: &World, visitor: &Visitor) -> Result<String> {
    let file = world.platform.home.path().join("house.png");
    fs::write(&file, picture(7))?;
    visitor.click("header a.write").await?;
    visitor.fill("title", "My first house").await?;
    visitor.fill("content", "It has a door and #no_windows.").await?;
    visitor.click("details.fold > summary").await?;
    visitor.sees("#file1").await?.send_keys(file.to_str().context("no path")?).await?;
    visitor.sees("#alt1").await?.send_keys("A house with a door").await?;
    visitor.click("button[name=status][value=POSTED]").await?;
    visitor.sees("article.post a[href='/tags/no_windows']").await?;
    let page = Url::parse(visitor.browser.tab.current_url().await?.as_str())?;
    let id = page.path().rsplit('/').next().context("no id")?.to_owned();
    ensure!(id.len() == 36, "{page}");
    drawn(visitor, &format!("/posts/{id}")).await?;
    Ok(id)
}

/// Opens a page until it draws the picture of its post, which is processed meanwhile.
async fn drawn(visitor: &Visitor, path: &str) -> Result<()> {
    let picture = "article.post img[alt='A house with a door']";
    let (began, mut turns) = (Instant::now(), interval(Duration::from_millis(300)));
    loop {
        turns.tick().await;
        visitor.open(path).await?;
        // The load of the page waits for it, unless it is lazy.
        let width = "const image = document.querySelector(arguments[0]); return image ? image.naturalWidth : 0";
        if visitor.runs(width, vec![json!(picture)]).await?.as_i64() > Some(0) {
            return Ok(());
        }
        ensure!(began.elapsed() < EFFECT_TIMEOUT, "{path} does not draw its picture");
    }
}
