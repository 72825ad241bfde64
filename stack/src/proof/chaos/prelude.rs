//! What there is in every run, whatever its seed and however slow its machine: one of everything that is rare. Two users and the
//! moderators make it before the faults and the load, and the users of the run know nothing of it, so it stays as it is. So each
//! mutation has something to spoil (`mutations.sql`).

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::{Method, StatusCode, Url};
use serde_json::{Value, json};
use sqlx::types::chrono::Utc;

use crate::client::{Created, Person, To};
use crate::proof::chaos::actions::FRIENDLY;
use crate::proof::chaos::users::PASSWORD;
use crate::proof::chaos::violation::{Violation, ViolationKind};
use crate::proof::platform::Platform;
use crate::proof::poll;
use crate::servers::psql;
use crate::traffic::pictures;

/// How long moderation may take to read what was written.
const READ_TIMEOUT: Duration = Duration::from_mins(1);
const EVERY: Duration = Duration::from_millis(250);
/// In how long the scheduled decision is due: longer than the answer to the request for it may take.
const DUE_IN: Duration = Duration::from_secs(30);
/// Posts that are locked, the first ones first, and how many of them are commented on.
const LOCKED: &str = "select id from moderation.subject where type = 'POST' and locked order by id limit 20;";

/// What the end of a run needs of the prelude.
pub struct Prelude {
    /// A user who is connected to the author, and neither muted nor banned.
    reader: Person,
    /// A post that is locked, and to be seen.
    locked: String,
}

/// Plays it on a platform that is ready.
pub async fn play(platform: &Platform<'_>, moderators: &[Person]) -> Result<Prelude> {
    let [one, other, ..] = moderators else { anyhow::bail!("one moderator judges what another has decided") };
    let api = platform.api()?;
    let author = api.join("prelude.author@example.org", PASSWORD, ("Some", "Author"), &["BOOKS"]).await?;
    let reader = api.join("prelude.reader@example.org", PASSWORD, ("Some", "Reader"), &["BOOKS"]).await?;
    reader.connect(&author.id).await?;
    author.api.upload("POST", "A gradient", &pictures::picture(0)).await?;
    let [hidden, restored, appealed, labelled, limited, locked, planned, deleted] = write::<8>(&author).await?;
    let removed = reader.write_post("A morning", FRIENDLY, &["BOOKS"], "POSTED").await?.id;
    read_and_answer(&reader, &labelled).await?;
    let posts =
        [&hidden, &restored, &appealed, &labelled, &limited, &locked, &planned, &deleted, &removed].map(String::as_str);
    wait_until_read(platform, &posts).await?;
    author.api.ask::<Value>(Method::DELETE, To::Post, &format!("/posts/{deleted}"), None).await?;

    // At most two strikes of the author count at a time, and one of the reader: three would mute them.
    decide(one, &restored, &json!({ "action": "HIDE" })).await?;
    decide(one, &restored, &json!({ "action": "RESTORE" })).await?;
    decide(one, &hidden, &json!({ "action": "HIDE" })).await?;
    decide(one, &removed, &json!({ "action": "REMOVE" })).await?;
    let decision = decide(one, &appealed, &json!({ "action": "HIDE" })).await?;
    appeal(&author, &decision, other).await?;
    decide(other, &limited, &json!({ "action": "LIMIT" })).await?;
    decide(other, &locked, &json!({ "action": "LOCK" })).await?;
    label_in_bulk(other, [&labelled, &planned]).await?;
    schedule(one, &planned).await?;
    Ok(Prelude { reader, locked })
}

/// Writes as many posts as are asked for.
async fn write<const POSTS: usize>(author: &Person) -> Result<[String; POSTS]> {
    let mut posts = Vec::with_capacity(POSTS);
    for _ in 0..POSTS {
        posts.push(author.write_post("A morning", FRIENDLY, &["BOOKS"], "POSTED").await?.id);
    }
    posts.try_into().ok().context("not all posts are written")
}

/// Does to a post what users do.
async fn read_and_answer(reader: &Person, post: &str) -> Result<()> {
    reader.view(post).await?;
    reader.view(post).await?;
    reader.comment(post, FRIENDLY).await?;
    reader.react(post, "LOVE").await?;
    Ok(())
}

/// Waits until moderation has read posts: from then on its rules have nothing to add to what is decided about them.
async fn wait_until_read(platform: &Platform<'_>, posts: &[&str]) -> Result<()> {
    let sql = format!(
        "select count(distinct content_id) from moderation.analysis where content_id in ('{}');",
        posts.join("', '")
    );
    let read = async || {
        let count = psql::run(&platform.database, &sql).await?;
        Ok(count.trim() == posts.len().to_string())
    };
    poll::until("moderation has read what was written before the run", READ_TIMEOUT, EVERY, read).await
}

fn decision(action: &Value, note: &str) -> Value {
    json!({ "actions": [action], "reason": "SPAM_COMMERCIAL", "public_note": "Please stay kind.", "internal_note": note })
}

/// Lets a moderator decide about a post; the id of the decision.
async fn decide(by: &Person, post: &str, action: &Value) -> Result<String> {
    let path = format!("/moderation/subjects/POST/{post}/decisions");
    let decision = decision(action, &format!("Prelude: {action}"));
    Ok(by.api.ask::<Created>(Method::POST, To::Moderation, &path, Some(&decision)).await?.id)
}

/// Lets an author appeal a decision, in vain: the moderator who claims the appeal finds nothing wrong.
async fn appeal(author: &Person, decision: &str, judge: &Person) -> Result<()> {
    let path = format!("/me/moderation/decisions/{decision}/appeal");
    let appeal = json!({ "text": FRIENDLY });
    let appeal: Created = author.api.ask(Method::POST, To::Moderation, &path, Some(&appeal)).await?;
    let claim = json!({ "limit": 1 });
    let claimed: Vec<Created> =
        judge.api.ask(Method::POST, To::Moderation, "/moderation/appeals/claim", Some(&claim)).await?;
    ensure!(claimed.iter().any(|claimed| claimed.id == appeal.id), "an appeal that waits was not claimed");
    let path = format!("/moderation/appeals/{}/resolve", appeal.id);
    let resolution = json!({ "outcome": "UPHELD", "note": "We have read it." });
    judge.api.ask::<Value>(Method::POST, To::Moderation, &path, Some(&resolution)).await?;
    Ok(())
}

/// Labels posts by one request.
async fn label_in_bulk(by: &Person, posts: [&String; 2]) -> Result<()> {
    let mut bulk = decision(&json!({ "action": "LABEL", "label": "satire" }), "Prelude: a bulk");
    bulk["subjects"] = posts.iter().map(|post| json!({ "type": "POST", "id": post })).collect();
    bulk["only_open"] = json!(false);
    let results: Vec<Value> =
        by.api.ask(Method::POST, To::Moderation, "/moderation/decisions/bulk", Some(&bulk)).await?;
    ensure!(results.iter().all(|result| result["outcome"] == "DECIDED"), "not all was decided about: {results:?}");
    Ok(())
}

/// Schedules a decision that is made, and one that is cancelled.
async fn schedule(by: &Person, post: &str) -> Result<()> {
    let path = format!("/moderation/subjects/POST/{post}/scheduled-decisions");
    let label = json!({ "action": "LABEL", "label": "satire" });
    let mut later = decision(&label, "Prelude: later");
    later["at"] = json!((Utc::now() + DUE_IN).to_rfc3339());
    by.api.ask::<Created>(Method::POST, To::Moderation, &path, Some(&later)).await?;
    let mut never = decision(&label, "Prelude: never");
    never["in_hours"] = json!(1);
    let cancelled: Created = by.api.ask(Method::POST, To::Moderation, &path, Some(&never)).await?;
    let path = format!("/moderation/scheduled-decisions/{}", cancelled.id);
    by.api.ask::<Value>(Method::DELETE, To::Moderation, &path, None).await?;
    Ok(())
}

impl Prelude {
    /// The id and an access token of the reader, who reads at the end.
    pub async fn session(&self) -> Result<(String, String)> {
        let token = self.reader.api.access_token().await?.context("the reader of the prelude has no session")?;
        Ok((self.reader.id.clone(), token))
    }

    /// Comments on locked posts, now that every service knows of the locks: none of them takes the comment.
    pub async fn comment_on_locked(&self, url: &Url) -> Result<Vec<Violation>> {
        let locked = psql::run(url, LOCKED).await.context("the locked posts cannot be read")?;
        let mut violations = Vec::new();
        if !locked.lines().any(|post| post == self.locked) {
            violations.push(Violation::new(ViolationKind::Lost, format!("the lock of post {}", self.locked)));
        }
        for post in locked.lines() {
            let (path, comment) = (format!("/{post}/comments"), json!({ "content": FRIENDLY }));
            let (status, _) = self.reader.api.send(Method::POST, To::Interaction, &path, Some(&comment)).await?;
            if !is_refused(status, post == self.locked) {
                let what = format!("post {post} is locked, and a comment on it was answered with {status}");
                violations.push(Violation::new(ViolationKind::Wrong, what));
            }
        }
        Ok(violations)
    }
}

/// Whether a comment on a locked post was refused as it must be: one that is hidden or gone as well is not found.
fn is_refused(status: StatusCode, is_visible: bool) -> bool {
    status == StatusCode::FORBIDDEN || (status == StatusCode::NOT_FOUND && !is_visible)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_post_refuses_a_comment_and_one_that_is_gone_is_not_found() {
        assert!(is_refused(StatusCode::FORBIDDEN, true) && is_refused(StatusCode::FORBIDDEN, false));
        assert!(is_refused(StatusCode::NOT_FOUND, false) && !is_refused(StatusCode::NOT_FOUND, true));
        assert!(!is_refused(StatusCode::CREATED, false) && !is_refused(StatusCode::SERVICE_UNAVAILABLE, false));
    }
}
