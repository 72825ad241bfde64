//! What a moderator looks at before a decision: a case with all that the other services show of it, read in three rounds.
//!
//! A content that is hidden has no address, not even for moderators: it is looked for in the lists of hidden contents. A part that
//! is away does not keep the rest from being shown; the page says that something is missing.
use std::collections::HashMap;

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use futures::future::{BoxFuture, join, join_all, join3, join5};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::analyses::{Analysis, MarkedText};
use super::cases::{Account, Case, CaseEntry, Strike, Strikes};
use super::failures::Failure;
use super::moderation::Decision;
use super::people::{Card, Profile};
use super::posts::{Comment, Facet, Picture, Post};
use super::reporters::Reporter;
use super::{Caller, Listed};

/// How many of the decisions in force are read, the newest: a subject rarely has more than two.
const MOST_DECISIONS: usize = 8;

/// A case and what is around it.
pub struct Evidence {
    pub case: Case,
    pub original: Original,
    pub author: Option<Profile>,
    pub account: Option<Account>,
    pub strikes: Vec<Strike>,
    /// Those in force, the newest first.
    pub decisions: Vec<Decision>,
    pub analysis: Option<Analysis>,
    /// Whether a part of it could not be read.
    pub is_incomplete: bool,
    people: HashMap<Uuid, Card>,
    reporters: HashMap<Uuid, Reporter>,
}

/// A subject as its own service shows it.
#[derive(Default)]
pub struct Original {
    /// The post, or the post that a comment or a picture belongs to.
    pub post: Option<ReviewedPost>,
    pub comment: Option<Comment>,
    /// The comment that it replies to.
    pub parent: Option<Comment>,
    /// The picture, where it is the subject and can be seen.
    pub picture: Option<Picture>,
}

/// A post with what it is about.
#[derive(Clone, Debug, Deserialize)]
pub struct ReviewedPost {
    #[serde(flatten)]
    pub post: Post,
    pub item: Option<AttachedItem>,
}

/// What a post is about: a page, a book, a track.
#[derive(Clone, Debug, Deserialize)]
pub struct AttachedItem {
    pub kind: String,
    pub url: String,
    pub title: String,
    #[serde(default)]
    pub artists: Vec<String>,
    pub site: Option<String>,
}

impl AttachedItem {
    pub fn makers(&self) -> String {
        self.artists.join(", ")
    }
}

impl Original {
    /// Where the links of the subject lead, each once. Only addresses of the web are links.
    pub fn links(&self) -> Vec<&str> {
        let (facets, item): (&[Facet], Option<&AttachedItem>) = match (&self.comment, &self.post) {
            (Some(comment), _) => (comment.facets.as_slice(), None),
            (None, Some(reviewed)) => (reviewed.post.facets.as_slice(), reviewed.item.as_ref()),
            (None, None) => return Vec::new(),
        };
        let links = facets.iter().filter(|facet| facet.kind == "LINK").map(|facet| facet.value.as_str());
        let all = links.chain(item.map(|item| item.url.as_str()));
        let mut found: Vec<&str> = Vec::new();
        for link in all.filter(|link| ["http://", "https://"].iter().any(|scheme| link.starts_with(scheme))) {
            if !found.contains(&link) {
                found.push(link);
            }
        }
        found
    }

    /// The pictures of the subject: those of a post, or the one that it is.
    pub fn pictures(&self) -> Vec<&Picture> {
        match (&self.picture, &self.comment, &self.post) {
            (Some(picture), ..) => vec![picture],
            (None, None, Some(reviewed)) => reviewed.post.media.iter().collect(),
            _ => Vec::new(),
        }
    }
}

impl Evidence {
    /// Who wrote it.
    pub fn writer(&self) -> Card {
        self.author.as_ref().map_or_else(|| self.person(&self.case.author.id), |author| author.card.clone())
    }

    /// The person with this id; without a name where they are not to be seen.
    pub fn person(&self, id: &Uuid) -> Card {
        self.people.get(id).cloned().unwrap_or_else(|| Card { id: *id, ..Card::default() })
    }

    /// What became of the reports of a person so far, where that was read.
    pub fn record(&self, reporter: &Uuid) -> Option<&Reporter> {
        self.reporters.get(reporter)
    }

    /// Who made a decision; without a name where it was a machine.
    pub fn decider(&self, decision: &Decision) -> Card {
        decision.moderator.map(|id| self.person(&id)).unwrap_or_default()
    }

    /// What it was reported for, or else flagged for.
    pub fn reason(&self) -> Option<&str> {
        let reported =
            self.case.reports.iter().find(|report| report.status == "OPEN").map(|report| report.reason.as_str());
        let matched = self.analysis.iter().flat_map(|analysis| &analysis.matched).find(|rule| rule.mode == "ENFORCE");
        reported.or_else(|| matched.map(|rule| rule.reason.as_str()))
    }

    /// The text, with what weighs in the scores of the machine, where it read this text.
    pub fn marks(&self) -> Vec<MarkedText<'_>> {
        let text = self.case.content.as_ref().and_then(|content| content.text.as_deref());
        text.zip(self.analysis.as_ref()).map(|(text, analysis)| analysis.marks(text)).unwrap_or_default()
    }
}

/// What is there; what is not is none, and what is away is missing.
fn part<T>(found: Result<T, Failure>, is_incomplete: &mut bool) -> Option<T> {
    match if_there(found) {
        Ok(found) => found,
        Err(failure) => {
            tracing::warn!(%failure, "a case without a part of it");
            *is_incomplete = true;
            None
        }
    }
}

/// None where there is no such thing for the caller.
fn if_there<T>(found: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match found {
        Err(failure) if failure.is(StatusCode::NOT_FOUND) => Ok(None),
        found => found.map(Some),
    }
}

impl Caller {
    /// The case of a subject with all that belongs to it; with this analysis, or the newest one.
    pub fn evidence<'a>(
        &'a self,
        kind: &'a str,
        id: Uuid,
        analysis: Option<Uuid>,
    ) -> BoxFuture<'a, Result<Evidence, Failure>> {
        // Boxed: it is large.
        Box::pin(self.read_evidence(kind, id, analysis))
    }

    async fn read_evidence(&self, kind: &str, id: Uuid, analysis: Option<Uuid>) -> Result<Evidence, Failure> {
        let case: Case = self.get(&["moderation", "subjects", kind, &id.to_string()], &[]).await?;
        let author = case.author.id.to_string();
        let in_force = case.state.as_ref().map(|state| state.decisions.as_slice()).unwrap_or_default();
        let in_force: Vec<Uuid> = in_force.iter().rev().take(MOST_DECISIONS).copied().collect();
        let (original, profile, account, strikes, decisions) = join5(
            self.original(kind, id, &case),
            self.get::<Profile>(&["users", &author], &[]),
            self.get::<Account>(&["admin", "users", &author], &[]),
            self.get::<Strikes>(&["moderation", "users", &author, "strikes"], &[]),
            join_all(in_force.into_iter().map(|id| self.decision(id))),
        )
        .await;
        let mut is_incomplete = false;
        let decisions: Vec<_> = decisions.into_iter().filter_map(|found| part(found, &mut is_incomplete)).collect();
        let analysis = analysis.or_else(|| newest_analysis(&case, &decisions));
        let read = async {
            match analysis {
                Some(id) => self.get::<Analysis>(&["moderation", "analyses", &id.to_string()], &[]).await.map(Some),
                None => Ok(None),
            }
        };
        let named = named(&case, &decisions);
        let (analysis, people, reporters) = join3(read, self.people(&named), self.reporters(&case)).await;
        let people = part(people, &mut is_incomplete).unwrap_or_default();
        Ok(Evidence {
            original: part(original, &mut is_incomplete).unwrap_or_default(),
            author: part(profile, &mut is_incomplete),
            account: part(account, &mut is_incomplete),
            strikes: part(strikes, &mut is_incomplete).map(|found| found.strikes).unwrap_or_default(),
            analysis: part(analysis, &mut is_incomplete).flatten(),
            people: people.into_iter().map(|card| (card.id, card)).collect(),
            reporters: part(reporters, &mut is_incomplete).unwrap_or_default(),
            case,
            decisions,
            is_incomplete,
        })
    }

    async fn original(&self, kind: &str, id: Uuid, case: &Case) -> Result<Original, Failure> {
        let since = case.content.as_ref().and_then(|content| content.created_at);
        match kind {
            "POST" => Ok(Original { post: self.reviewed_post(id, since).await?, ..Original::default() }),
            "COMMENT" => self.in_its_thread(id, case).await,
            "MEDIA" => self.where_it_is_shown(id, case.author.id).await,
            _ => Ok(Original::default()),
        }
    }

    /// A post, hidden or not; none where it is gone.
    async fn reviewed_post(&self, id: Uuid, since: Option<DateTime<Utc>>) -> Result<Option<ReviewedPost>, Failure> {
        if let Some(post) = if_there(self.get(&["posts", &id.to_string()], &[]).await)? {
            return Ok(Some(post));
        }
        // The list begins with the latest, so that what is older than the wanted one ends the search.
        let is_past = |listed: &ReviewedPost| since.is_some_and(|since| listed.post.created_at < since);
        self.sought(&["posts", "hidden"], |listed: &ReviewedPost| listed.post.id == id, is_past).await
    }

    /// A comment, hidden or not, with the post that it is on and the comment that it replies to, where they are shown.
    async fn in_its_thread(&self, id: Uuid, case: &Case) -> Result<Original, Failure> {
        let content = case.content.as_ref();
        let since = content.and_then(|content| content.created_at);
        let mut comment = if_there(self.get(&["comments", &id.to_string()], &[]).await)?;
        if comment.is_none() {
            let is_past = |listed: &Comment| since.is_some_and(|since| listed.created_at < since);
            comment = self.sought(&["comments", "hidden"], |listed: &Comment| listed.id == id, is_past).await?;
        }
        let post = comment.as_ref().map(|comment| comment.post_id).or(content.and_then(|content| content.post_id));
        let parent = comment.as_ref().and_then(|comment| comment.reply_to);
        let (post, parent) = join(self.shown("posts", post), self.shown("comments", parent)).await;
        Ok(Original { post: post?, comment, parent: parent?, picture: None })
    }

    /// A thing that has an address below this folder, where it is shown.
    async fn shown<T: DeserializeOwned>(&self, folder: &str, id: Option<Uuid>) -> Result<Option<T>, Failure> {
        match id {
            Some(id) => if_there(self.get(&[folder, &id.to_string()], &[]).await),
            None => Ok(None),
        }
    }

    /// A picture, found where it is shown: on the profile of its owner, or in one of their latest posts, hidden or not.
    async fn where_it_is_shown(&self, id: Uuid, owner: Uuid) -> Result<Original, Failure> {
        let (text, address) = (owner.to_string(), format!("/media/{id}/"));
        let query = [("author", text.as_str()), ("has_media", "true"), ("limit", "200")];
        let (profile, posts) = join(self.profile(owner), self.list::<ReviewedPost>(&["posts"], &query)).await;
        let profile = if_there(profile)?;
        let urls = profile.map(|profile| [profile.card.avatar_url, profile.banner_url]);
        let on_profile = urls.into_iter().flatten().flatten().find(|url| url.contains(&address));
        if on_profile.is_some() {
            let picture = Picture { id, medium: on_profile, ..Picture::default() };
            return Ok(Original { picture: Some(picture), ..Original::default() });
        }
        let shows = |listed: &ReviewedPost| listed.post.media.iter().any(|picture| picture.id == id);
        let Listed { items, .. } = posts?;
        let post = match items.into_iter().find(shows) {
            Some(post) => Some(post),
            None => self.sought(&["posts", "hidden"], shows, |_| false).await?,
        };
        let picture =
            post.as_ref().and_then(|listed| listed.post.media.iter().find(|picture| picture.id == id)).cloned();
        Ok(Original { post, picture, ..Original::default() })
    }
}

/// The newest analysis that a flag or a decision in force names: their ids are in the order of time.
fn newest_analysis(case: &Case, decisions: &[Decision]) -> Option<Uuid> {
    let flagged = case.history.iter().filter_map(CaseEntry::analysis);
    flagged.chain(decisions.iter().filter_map(|decision| decision.analysis)).max()
}

/// All whose names a case needs.
fn named(case: &Case, decisions: &[Decision]) -> Vec<Uuid> {
    let reporters = case.reports.iter().map(|report| report.reporter);
    let actors = case.history.iter().filter_map(|entry| entry.actor);
    let moderators = decisions.iter().filter_map(|decision| decision.moderator);
    let claim = case.claim.iter().map(|claim| claim.moderator);
    let schedulers = case.scheduled.iter().map(|scheduled| scheduled.moderator);
    [case.author.id]
        .into_iter()
        .chain(claim)
        .chain(schedulers)
        .chain(moderators)
        .chain(reporters)
        .chain(actors)
        .collect()
}
