//! Posts, comments and reactions as pages show them, whichever service they come from.
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::failures::Failure;
use super::people::Card;
use super::{Caller, Listed};
use crate::ground::pictures::own_picture;
use crate::ground::words::visible;

/// The reactions, in the order in which they are offered.
pub const REACTIONS: [&str; 6] = ["LIKE", "LOVE", "FUNNY", "JOY", "SAD", "ANGRY"];

/// A post, from a feed, a list or a search.
#[derive(Clone, Debug, Deserialize)]
pub struct Post {
    pub id: Uuid,
    pub created_at: DateTime<Utc>,
    pub published_at: Option<DateTime<Utc>>,
    pub edited_at: Option<DateTime<Utc>>,
    pub title: Option<String>,
    pub content: String,
    #[serde(default)]
    pub types: Vec<String>,
    #[serde(default = "posted")]
    pub status: String,
    pub created_by: Option<Uuid>,
    pub author: Option<Card>,
    #[serde(default)]
    pub total_views: i64,
    #[serde(default)]
    pub total_comments: i64,
    #[serde(default)]
    pub total_reactions: i64,
    pub my_reaction: Option<String>,
    #[serde(default)]
    pub labels: Vec<String>,
    pub hidden_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub facets: Vec<Facet>,
    #[serde(default)]
    pub truncated: bool,
    #[serde(default)]
    pub media: Vec<Picture>,
    pub comments: Option<String>,
    /// When a draft will be published.
    pub publish_at: Option<DateTime<Utc>>,
    /// Why a draft was not published when it was due.
    pub publish_refused: Option<String>,
}

fn posted() -> String {
    "POSTED".to_owned()
}

impl Post {
    pub fn time(&self) -> DateTime<Utc> {
        self.published_at.unwrap_or(self.created_at)
    }

    pub fn link(&self) -> String {
        format!("/posts/{}", self.id)
    }

    pub fn heading(&self) -> Option<String> {
        self.title.as_deref().filter(|title| !title.trim().is_empty()).map(visible)
    }

    pub fn pieces(&self) -> Vec<Piece<'_>> {
        pieces(&self.content, &self.facets)
    }

    /// Whether it is the work of this person.
    pub fn is_by(&self, person: Uuid) -> bool {
        self.created_by == Some(person) || self.author.as_ref().is_some_and(|author| author.id == person)
    }
}

/// A tag, a mention or a link, and the bytes of the text that it stands on.
#[derive(Clone, Debug, Deserialize)]
pub struct Facet {
    pub kind: String,
    pub value: String,
    pub byte_start: usize,
    pub byte_end: usize,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    Words(&'a str),
    /// Words that lead to a page of this origin.
    Inside(&'a str, String),
    /// Words that lead elsewhere.
    Outside(&'a str, &'a str),
}

/// Cuts a text at its facets. One that does not fit the text, or leads to no page, is words.
fn pieces<'a>(text: &'a str, facets: &'a [Facet]) -> Vec<Piece<'a>> {
    let (mut found, mut at) = (Vec::new(), 0);
    let mut facets: Vec<_> = facets.iter().collect();
    facets.sort_by_key(|facet| facet.byte_start);
    for facet in facets {
        let Some(words) = text.get(facet.byte_start..facet.byte_end) else { continue };
        let Some(before) = text.get(at..facet.byte_start) else { continue };
        let encoded = crate::ground::words::encoded(&facet.value);
        let piece = match facet.kind.as_str() {
            "TAG" => Piece::Inside(words, format!("/tags/{encoded}")),
            "MENTION" => Piece::Inside(words, format!("/@{encoded}")),
            "LINK" if ["http://", "https://"].iter().any(|scheme| facet.value.starts_with(scheme)) => {
                Piece::Outside(words, &facet.value)
            }
            _ => continue,
        };
        found.extend([Piece::Words(before), piece]);
        at = facet.byte_end;
    }
    found.push(Piece::Words(&text[at..]));
    found.retain(|piece| *piece != Piece::Words(""));
    found
}

/// A picture of a post.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Picture {
    pub id: Uuid,
    #[serde(default)]
    pub alt: String,
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub thumbnail: Option<String>,
    pub medium: Option<String>,
    pub original: Option<String>,
}

impl Picture {
    /// The address that a page loads; none while it is processed, or where it is not the platform's own.
    pub fn source(&self) -> Option<String> {
        [&self.medium, &self.thumbnail].into_iter().flatten().find_map(|address| own_picture(address))
    }

    /// Where the whole picture is.
    pub fn whole(&self) -> Option<String> {
        self.original.as_deref().and_then(own_picture).or_else(|| self.source())
    }
}

/// A comment, or a reply to one.
#[derive(Clone, Debug, Deserialize)]
pub struct Comment {
    pub id: Uuid,
    pub created_at: DateTime<Utc>,
    pub created_by: Uuid,
    pub post_id: Uuid,
    pub content: String,
    pub reply_to: Option<Uuid>,
    pub hidden_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub facets: Vec<Facet>,
    pub total_replies: Option<i64>,
    pub total_reactions: Option<i64>,
    pub my_reaction: Option<String>,
    /// Who wrote it; looked up for the page.
    #[serde(skip)]
    pub author: Option<Card>,
    /// Its first replies; read for the page.
    #[serde(skip)]
    pub replies: Vec<Comment>,
}

impl Comment {
    pub fn pieces(&self) -> Vec<Piece<'_>> {
        pieces(&self.content, &self.facets)
    }

    pub fn reactions(&self) -> i64 {
        self.total_reactions.unwrap_or_default()
    }

    pub fn more_replies(&self) -> bool {
        self.total_replies.unwrap_or_default() > i64::try_from(self.replies.len()).unwrap_or(i64::MAX)
    }
}

/// The reactions to a post by type, and the caller's own.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Summary {
    #[serde(default)]
    pub total: i64,
    #[serde(default)]
    pub types: Vec<TypeCount>,
    pub mine: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct TypeCount {
    #[serde(rename = "type")]
    pub kind: String,
    pub total: i64,
}

/// A tag that many authors use at the moment.
#[derive(Clone, Debug, Deserialize)]
pub struct Trend {
    pub tag: String,
    pub written: String,
    pub authors: i64,
}

impl Caller {
    /// A page of posts, with their authors.
    pub async fn posts(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Listed<Post>, Failure> {
        let mut found = self.list::<Post>(path, query).await?;
        self.name_authors(&mut found.items).await;
        Ok(found)
    }

    pub async fn post(&self, id: Uuid) -> Result<Post, Failure> {
        let post: Post = self.get(&["posts", &id.to_string()], &[]).await?;
        let mut posts = [post];
        self.name_authors(&mut posts).await;
        let [post] = posts;
        Ok(post)
    }

    /// A comment, without its author's name.
    pub async fn comment(&self, id: Uuid) -> Result<Comment, Failure> {
        self.get(&["comments", &id.to_string()], &[]).await
    }

    /// Looks up the authors that are not known yet. A post without its author's name is better than no post.
    pub async fn name_authors(&self, posts: &mut [Post]) {
        let missing: Vec<_> =
            posts.iter().filter(|post| post.author.is_none()).filter_map(|post| post.created_by).collect();
        let known = self.known(&missing).await;
        for post in posts.iter_mut().filter(|post| post.author.is_none()) {
            post.author = post.created_by.and_then(|id| known.get(&id).cloned());
        }
    }

    /// Looks up the authors of comments and of their replies.
    pub async fn name_commenters(&self, comments: &mut [Comment]) {
        let all = comments.iter().flat_map(|comment| std::iter::once(comment).chain(&comment.replies));
        let known = self.known(&all.map(|comment| comment.created_by).collect::<Vec<_>>()).await;
        for comment in comments {
            for reply in &mut comment.replies {
                reply.author = known.get(&reply.created_by).cloned();
            }
            comment.author = known.get(&comment.created_by).cloned();
        }
    }

    async fn known(&self, ids: &[Uuid]) -> HashMap<Uuid, Card> {
        let people = self.people(ids).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "authors were not looked up");
            Vec::new()
        });
        people.into_iter().map(|card| (card.id, card)).collect()
    }

    /// A page of comments with their authors and the first replies to each.
    pub async fn comments(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        replies: bool,
    ) -> Result<Listed<Comment>, Failure> {
        let mut found = self.list::<Comment>(path, query).await?;
        if replies {
            let answered = found.items.iter().filter(|comment| comment.total_replies.unwrap_or_default() > 0);
            let asked = answered.map(async |comment| {
                let id = comment.id.to_string();
                let query = [("limit", FIRST_REPLIES)];
                let replies = self.list::<Comment>(&["comments", &id, "replies"], &query).await;
                (comment.id, replies.map(|listed| listed.items).unwrap_or_default())
            });
            let mut all: HashMap<_, _> = futures::future::join_all(asked).await.into_iter().collect();
            for comment in &mut found.items {
                comment.replies = all.remove(&comment.id).unwrap_or_default();
            }
        }
        self.name_commenters(&mut found.items).await;
        Ok(found)
    }
}

/// How many replies stand below a comment of a post; its own page has all.
const FIRST_REPLIES: &str = "3";

#[cfg(test)]
mod tests {
    use super::*;

    fn facet(kind: &str, value: &str, byte_start: usize, byte_end: usize) -> Facet {
        Facet { kind: kind.to_owned(), value: value.to_owned(), byte_start, byte_end }
    }

    #[test]
    fn a_text_is_cut_at_its_facets() {
        let facets = [facet("LINK", "https://a.example/?b", 11, 20), facet("TAG", "Grün/1", 4, 10)];
        let found = pieces("Hi, #gr\u{fc}n a.example!", &facets);
        let wanted = [
            Piece::Words("Hi, "),
            Piece::Inside("#gr\u{fc}n", "/tags/Gr%C3%BCn%2F1".to_owned()),
            Piece::Words(" "),
            Piece::Outside("a.example", "https://a.example/?b"),
            Piece::Words("!"),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn facets_that_do_not_fit_are_words() {
        for odd in [
            facet("LINK", "javascript:alert(1)", 0, 2),
            facet("TAG", "a", 1, 99),
            facet("TAG", "a", 2, 1),
            facet("X", "a", 0, 1),
        ] {
            assert_eq!(pieces("words", &[odd]), [Piece::Words("words")]);
        }
        assert_eq!(pieces("\u{fc}", &[facet("TAG", "a", 1, 2)]), [Piece::Words("\u{fc}")], "inside of a character");
        let twice = [facet("TAG", "a", 0, 3), facet("TAG", "b", 1, 4)];
        assert_eq!(pieces("abcd", &twice), [Piece::Inside("abc", "/tags/a".to_owned()), Piece::Words("d")]);
    }
}
