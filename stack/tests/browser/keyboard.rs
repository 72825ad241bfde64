//! By keyboard alone: sign in, skip the navigation, write a post in a dialog, and send it; and decide about what was reported, with the keys of the
//! moderators' pages, and without them.

use anyhow::{Result, bail, ensure};
use fantoccini::key::Key;

use super::pages::reported;
use super::visitor::Visitor;
use super::{World, none, promote};
use crate::client::Person;
use crate::platform::PASSWORD;

/// How many times Tab may be pressed on the way to one element.
const MOST_STOPS: usize = 60;

pub async fn writes(world: &World) -> Result<()> {
    let email = "kim@example.org";
    world.join(email, ("Kim", "Keys")).await?;
    let visitor = world.visitor(true).await?;
    visitor.open("/signin").await?;
    // The first stop leads past the navigation, to the first field.
    let skip = async || -> Result<()> {
        visitor.presses(Key::Tab).await?;
        ensure!(visitor.is_at("a.skip").await?, "the first stop skips the navigation");
        visitor.presses(Key::Enter).await?;
        ensure!(visitor.is_at("main").await?, "it leads to the content");
        visitor.presses(Key::Tab).await
    };
    skip().await?;
    ensure!(visitor.is_at("[name=email]").await?, "the first stop of the content is its first field");
    visitor.types(email).await?;
    visitor.presses(Key::Tab).await?;
    visitor.types(PASSWORD).await?;
    visitor.presses(Key::Enter).await?;
    visitor.sees("form[action='/signout']").await?;

    skip().await?;
    ensure!(visitor.is_at("a[href='/compose']").await?, "to write is the first stop of the feed");
    visitor.presses(Key::Enter).await?;
    visitor.sees("dialog[open] form[action='/compose']").await?;
    ensure!(visitor.is_at("dialog [name=title]").await?, "a dialog begins at its first field");
    visitor.types("By keyboard").await?;
    visitor.presses(Key::Escape).await?;
    visitor.sees("dialog:not([open])").await?;
    ensure!(
        visitor.is_at("main a[href='/compose']").await?,
        "a dialog that is closed leads back to where it was opened"
    );
    visitor.presses(Key::Enter).await?;
    visitor.sees("dialog[open]").await?;
    let kept = visitor.runs("return document.activeElement.value", vec![]).await?;
    ensure!(kept == "By keyboard", "what was typed is lost: {kept}");
    visitor.presses(Key::Tab).await?;
    visitor.types("No mouse was used.").await?;
    let mut stops = 0;
    while !visitor.is_at("button[value=POSTED]").await? {
        ensure!(stops < MOST_STOPS, "the button is not reached");
        visitor.presses(Key::Tab).await?;
        stops += 1;
        let hidden = "const box = document.activeElement.getBoundingClientRect(); return box.width * box.height > 0";
        ensure!(visitor.runs(hidden, vec![]).await? == true, "stop {stops} is not to be seen");
    }
    visitor.presses(Key::Enter).await?;
    visitor.sees("article.post").await?;
    visitor.reads("No mouse was used.").await?;
    none("the console", &visitor.console().await?)?;
    visitor.leaves().await
}

/// Two cases from the queue to their decisions: one by three keys, the other one by Tab and Enter, in a browser that runs no scripts.
pub async fn decides(world: &World, root: &Person) -> Result<()> {
    let moderator = world.join("kit@example.org", ("Kit", "Keys")).await?;
    promote(root, &moderator).await?;
    let loud = world.join("loud@example.org", ("Lou", "Loud")).await?;
    for number in 0..2 {
        let post = loud.write_post("Buy", &format!("Buy my engine number {number}."), &["NEWS"], "POSTED").await?.id;
        reported(root, root, "POST", &post).await?;
    }
    let visitor = world.visitor(true).await?;
    visitor.signs_in(&moderator.email).await?;
    visitor.open("/moderation").await?;
    visitor.sees("#keys:not([hidden])").await?;
    visitor.types("n").await?;
    visitor.sees("form[action$='/decide']").await?;
    visitor.sees("#keys:not([hidden])").await?;
    visitor.types("1").await?;
    ensure!(visitor.is_at("[name=action]:checked").await?, "a number chooses what is done");
    visitor.presses(Key::Enter).await?;
    visitor.reads("Decided.").await?;
    none("the console", &visitor.console().await?)?;
    visitor.leaves().await?;

    let visitor = world.visitor(false).await?;
    visitor.signs_in(&moderator.email).await?;
    visitor.open("/moderation").await?;
    ensure!(visitor.path().await? == "/moderation", "the queue is shown");
    tabs_to(&visitor, "form[action='/moderation/next'] button").await?;
    visitor.presses(Key::Enter).await?;
    visitor.sees("form[action$='/decide']").await?;
    tabs_to(&visitor, "[name=action]").await?;
    visitor.types(" ").await?;
    tabs_to(&visitor, "form[action$='/decide'] button").await?;
    visitor.presses(Key::Enter).await?;
    visitor.reads("Decided.").await?;
    visitor.leaves().await
}

/// Presses Tab until an element has the focus.
async fn tabs_to(visitor: &Visitor, css: &str) -> Result<()> {
    for _ in 0..MOST_STOPS {
        if visitor.is_at(css).await? {
            return Ok(());
        }
        visitor.presses(Key::Tab).await?;
    }
    bail!("{css} is not reached by {MOST_STOPS} stops")
}
