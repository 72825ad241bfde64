//! Search in the API: what is asked for, and what is found.
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::SearchOrder;
use super::candidates::MAX_READ;
use super::candidates::models::{PostQuery, SearchWords};
use super::languages;
use super::services::{QueryText, key, labels, query_text};
use super::suggestions::models::{SuggestedPost, SuggestedTag};
use crate::core::api::errors::Error;
use crate::core::api::pagination::Cursor;
use crate::core::contract::extract::Query;
use crate::core::contract::fields::invalid;
use crate::core::contract::timestamp::Timestamp;
use crate::posts::CATEGORIES;
use crate::posts::models::Post;
use crate::posts::schemas::PostOut;
use crate::tag_names::tag_identity;

/// The longest query, in characters.
const MAX_QUERY: usize = 200;
/// The longest beginning for which something is suggested, and the longest tag, in characters.
const MAX_PREFIX: usize = 100;
/// The longest time, in characters: with nine digits of a second and a zone.
const MAX_TIME: usize = 40;
/// Suggestions of each kind: at most, and when the caller does not say.
const SUGGESTIONS: (i64, i64) = (20, 10);

/// What posts are searched for.
pub struct PostSearch {
    pub text: QueryText,
    pub config: &'static str,
    author: Option<Uuid>,
    category: Option<String>,
    tag: Option<String>,
    has_media: Option<bool>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    pub order: SearchOrder,
}

impl PostSearch {
    /// Reads the parameters, and reports all that is wrong with them.
    pub fn read(mut query: Query) -> Result<Self, Error> {
        let q = text(&mut query, "q", MAX_QUERY);
        let search = Self {
            text: query_text(&q),
            config: languages::configuration_of(&q),
            author: author(&mut query),
            category: category(&mut query),
            tag: tag(&mut query),
            has_media: has_media(&mut query),
            since: time(&mut query, "since"),
            until: time(&mut query, "until"),
            order: order(&mut query),
        };
        if !search.text.has_word && query.errors.is_empty() {
            query.errors.push(invalid(&["query", "q"], "there is no word to search for", "value_error.query", None));
        }
        query.check()?;
        Ok(search)
    }

    /// The words by which the index has the tag and the category.
    pub fn labels(&self) -> String {
        labels(self.tag.as_deref(), self.category.as_deref())
    }

    /// The same as the database gets it, with the words as it has read them.
    pub fn query<'a>(&'a self, words: &'a SearchWords) -> PostQuery<'a> {
        PostQuery {
            words,
            author: self.author,
            category: self.category.as_deref(),
            tag: self.tag.as_deref(),
            has_media: self.has_media,
            reads_media: false,
            since: self.since,
            until: self.until,
            max_read: MAX_READ,
        }
    }
}

/// A tag as it is compared; a # before it is not part of it. Empty where no tag can be called so.
fn compared_tag(given: &str) -> String {
    tag_identity(given.trim().trim_start_matches('#')).unwrap_or_default()
}

/// The tag by which a list is filtered.
pub fn tag(query: &mut Query) -> Option<String> {
    query.get("tag")?;
    Some(compared_tag(&text(query, "tag", MAX_PREFIX)))
}

fn text(query: &mut Query, name: &'static str, max: usize) -> String {
    let given = query.required(name).trim().to_owned();
    if given.chars().count() > max {
        let msg = format!("ensure this value has at most {max} characters");
        let ctx = Some(json!({ "limit_value": max }));
        query.errors.push(invalid(&["query", name], msg, "value_error.any_str.max_length", ctx));
        return String::new();
    }
    if given.chars().any(|c| c.is_control() && c != '\t' && c != '\n') {
        let kind = "value_error.any_str.control_character";
        query.errors.push(invalid(&["query", name], "control characters are not allowed", kind, None));
        return String::new();
    }
    given
}

/// The author whose posts a list has.
pub fn author(query: &mut Query) -> Option<Uuid> {
    let parsed = query.get("author").map(Uuid::try_parse)?;
    if parsed.is_err() {
        query.errors.push(invalid(&["query", "author"], "value is not a valid uuid", "type_error.uuid", None));
    }
    parsed.ok()
}

/// The category by which a list is filtered.
pub fn category(query: &mut Query) -> Option<String> {
    let given = query.get("category")?.to_owned();
    if CATEGORIES.contains(&given.as_str()) {
        return Some(given);
    }
    let permitted: Vec<_> = CATEGORIES.iter().map(|word| format!("'{word}'")).collect();
    let msg = format!("value is not a valid enumeration member; permitted: {}", permitted.join(", "));
    let ctx = Some(json!({ "enum_values": CATEGORIES }));
    query.errors.push(invalid(&["query", "category"], msg, "type_error.enum", ctx));
    None
}

/// Whether a list has the posts that show pictures, or those that show none; none: both.
pub fn has_media(query: &mut Query) -> Option<bool> {
    let parsed = match query.get("has_media")?.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    };
    if parsed.is_none() {
        let msg = "value could not be parsed to a boolean";
        query.errors.push(invalid(&["query", "has_media"], msg, "type_error.bool", None));
    }
    parsed
}

fn time(query: &mut Query, name: &'static str) -> Option<Timestamp> {
    // A plus that was not escaped is a blank in a query.
    query.get(name)?;
    let given = text(query, name, MAX_TIME).replace(' ', "+");
    let day = format!("{given}T00:00:00Z");
    let parsed = given.parse::<DateTime<Utc>>().or_else(|_| day.parse());
    // Postgres does not know every time that can be written.
    let in_bounds = parsed.ok().filter(|at| (DateTime::UNIX_EPOCH..=Cursor::end().at.0).contains(at));
    if in_bounds.is_none() && !given.is_empty() {
        query.errors.push(invalid(&["query", name], "invalid datetime format", "value_error.datetime", None));
    }
    in_bounds.map(Timestamp)
}

fn order(query: &mut Query) -> SearchOrder {
    match query.get("order") {
        None | Some("relevance") => SearchOrder::Relevance,
        Some("time") => SearchOrder::Time,
        Some(_) => {
            let msg = "value is not a valid enumeration member; permitted: 'relevance', 'time'";
            let ctx = Some(json!({ "enum_values": ["relevance", "time"] }));
            query.errors.push(invalid(&["query", "order"], msg, "type_error.enum", ctx));
            SearchOrder::Relevance
        }
    }
}

/// A post that was found; its `content` may be only its beginning.
#[derive(Serialize, ToSchema)]
pub struct SearchHit {
    #[serde(flatten)]
    pub post: PostOut,
    /// The title as HTML, in which `<mark>` is the only tag
    pub title_html: String,
    /// The content around the first word that was searched for, as HTML in which `<mark>` is the only tag
    pub excerpt_html: String,
}

/// Contents are cut here to this length, in characters: the excerpt shows why the post was found.
const MAX_CONTENT: usize = 500;

/// Cuts a long content.
pub fn cut(mut post: Post) -> Post {
    if let Some((end, _)) = post.content.char_indices().nth(MAX_CONTENT) {
        post.content.truncate(end);
        post.truncated = true;
    }
    post
}

/// A beginning of a word or a tag, and how many suggestions are asked for.
pub struct Prefix {
    pub key: String,
    pub tag: String,
    pub limit: i64,
}

impl Prefix {
    /// Reads the parameters, and reports all that is wrong with them.
    pub fn read(mut query: Query) -> Result<Self, Error> {
        let q = text(&mut query, "q", MAX_PREFIX);
        let (most, usual) = SUGGESTIONS;
        let limit = query.integer("most", 1, most).unwrap_or(usual);
        let prefix = Self { key: key(&q), tag: compared_tag(&q), limit };
        if prefix.key.is_empty() && query.errors.is_empty() {
            query.errors.push(invalid(&["query", "q"], "there is no word to search for", "value_error.query", None));
        }
        query.check()?;
        Ok(prefix)
    }
}

/// What a user may mean.
#[derive(Serialize, ToSchema)]
pub struct SuggestionsOut {
    /// Tags that begin so, the most used first
    pub tags: Vec<TagSuggestion>,
    /// Posts in whose title a word begins so, the newest first
    pub posts: Vec<PostSuggestion>,
}

/// A tag that begins so.
#[derive(Serialize, ToSchema)]
pub struct TagSuggestion {
    /// Without the #, in lower case and without accents
    pub tag: String,
    /// How many posts have it; 100 stands for 100 and more
    #[schema(minimum = 1, maximum = 100)]
    pub uses: i64,
}

/// A post in whose title a word begins so.
#[derive(Serialize, ToSchema)]
pub struct PostSuggestion {
    pub id: Uuid,
    pub title: String,
}

impl SuggestionsOut {
    /// The suggestions as they are shown.
    pub fn new(tags: Vec<SuggestedTag>, posts: Vec<SuggestedPost>) -> Self {
        let tags = tags.into_iter().map(|SuggestedTag { tag, uses }| TagSuggestion { tag, uses }).collect();
        let posts = posts.into_iter().map(|SuggestedPost { id, title }| PostSuggestion { id, title }).collect();
        Self { tags, posts }
    }
}
