//! By keyboard alone: sign in, skip the navigation, write a post, and send it.

use anyhow::{Result, ensure};
use fantoccini::key::Key;

use super::{World, none};
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
    visitor.sees("form[action='/compose']").await?;
    skip().await?;
    visitor.types("By keyboard").await?;
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
