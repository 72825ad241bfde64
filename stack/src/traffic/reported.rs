//! What people report in the demo: until moderation knows it, and a picture that three people report.

use std::cell::Cell;

use anyhow::{Result, bail};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Created, Person, To, eventually};
use crate::host::console::seconds;
use crate::traffic::pictures;
use crate::traffic::steps::{TYPES, step};

/// Reports something as soon as moderation knows it, which is a moment after it was published. Once it is held, moderation knows it no
/// more to users.
pub async fn report(person: &Person, kind: &str, id: &str, reason: &str) -> Result<()> {
    let reported = Cell::new(false);
    let ask = async || {
        if !reported.get() {
            let report = json!({ "subject_type": kind, "subject_id": id, "reason": reason });
            let (status, _) = person.api.send(Method::POST, To::Moderation, "/reports", Some(&report)).await?;
            reported.set([StatusCode::CREATED, StatusCode::CONFLICT].contains(&status));
        }
        Ok(reported.get())
    };
    eventually("moderation knows what is reported", ask, |reported| *reported).await.map(drop)
}

/// A picture that three people report leaves its post until a moderator has looked; the moderator, where there is one, finds nothing
/// wrong with it, and it is back.
pub async fn a_reported_picture(bob: &Person, readers: [&Person; 3], moderator: Option<&Person>) -> Result<()> {
    let picture = bob.api.upload("POST", "Tiles of many colours", &pictures::mosaic(rand::random())).await?;
    let state =
        async || -> Result<Value> { bob.api.ask(Method::GET, To::Post, &format!("/media/{picture}"), None).await };
    eventually("Bob's picture is processed", state, |picture| picture["status"] == "READY").await?;
    let post = bob.write_post("My bathroom", "What do you think of these tiles?", &TYPES, "POSTED").await?;
    bob.illustrate(&post.id, "What do you think of these tiles?", &TYPES, std::slice::from_ref(&picture)).await?;
    let shown = async || -> Result<usize> {
        let post: Value = readers[0].api.ask(Method::GET, To::Post, &format!("/posts/{}", post.id), None).await?;
        Ok(post["media"].as_array().map_or(0, Vec::len))
    };
    if shown().await? != 1 {
        bail!("Bob's post does not show his picture");
    }
    for reader in readers {
        report(reader, "MEDIA", &picture, "SEXUAL_NUDITY").await?;
    }
    step("Three people report a picture of Bob's", &format!("picture {picture}"));
    let (_, took) = eventually("the picture is held", shown, |shown| *shown == 0).await?;
    step("It leaves his post until a moderator has looked", &format!("gone after {}", seconds(took)));
    let Some(moderator) = moderator else { return Ok(()) };
    let path = format!("/moderation/subjects/MEDIA/{picture}/decisions");
    let allow =
        json!({ "actions": [{ "action": "ALLOW" }], "reason": "OTHER_RULES", "internal_note": "Bathroom tiles" });
    let decision: Created = moderator.api.ask(Method::POST, To::Moderation, &path, Some(&allow)).await?;
    let (_, took) = eventually("the picture is back", shown, |shown| *shown == 1).await?;
    step("A moderator allows it", &format!("decision {}; it is back after {}", decision.id, seconds(took)));
    Ok(())
}
