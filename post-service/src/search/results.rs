//! The results of a search, from the words to the marked texts, all of one moment.
use std::collections::HashMap;

use chrono::{TimeDelta, Utc};
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use super::candidates::models::{Candidates, FoundPost, PostQuery, SearchWindow, begin_search};
use super::excerpts::{excerpt, marks};
use super::languages::SIMPLE;
use super::models::load_posts;
use super::schemas::{PostSearch, SearchHit, cut};
use super::words::{Word, join, words};
use super::{CANDIDATES, SearchOrder};
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::media::grants::MediaUrls;
use crate::posts::models::Post;
use crate::posts::shown;

/// How many words of the results are looked through for marks together: Postgres reads some million a second.
const MAX_MARKED: usize = 40_000;

/// A page of results.
pub struct ResultPage {
    pub hits: Vec<SearchHit>,
    /// Behind what the next page begins; none: there is no more.
    pub next: Option<Cursor>,
}

/// The results behind a cursor.
pub async fn find(
    db: &PgPool,
    viewer: Uuid,
    search: &PostSearch,
    before: Cursor,
    limit: i64,
    urls: &MediaUrls,
) -> sqlx::Result<ResultPage> {
    let text = &search.text;
    let (mut tx, words) = begin_search(db, search.config, &text.written, &text.folded, &search.labels()).await?;
    let mut query = search.query(&words);
    query.begin_with_media(&mut tx).await?;
    let (found, next) = match search.order {
        SearchOrder::Time => newest(&mut tx, &query, viewer, before, limit).await?,
        SearchOrder::Relevance => most_relevant(&mut tx, &query, viewer, before, limit).await?,
    };
    let ids: Vec<Uuid> = found.iter().map(|post| post.post_id).collect();
    let mut posts: HashMap<Uuid, Post> =
        load_posts(&mut tx, viewer, &ids).await?.into_iter().map(|post| (post.id, post)).collect();
    let found = found.into_iter().filter_map(|found| Some((posts.remove(&found.post_id)?, found.config)));
    let hits = show(&mut tx, &query, found.collect(), urls).await?;
    Ok(ResultPage { hits, next })
}

/// The newest behind a cursor, which is a time and an id: of the last result, or where no more were read.
pub async fn newest(
    tx: &mut PgTransaction<'_>,
    query: &PostQuery<'_>,
    viewer: Uuid,
    before: Cursor,
    limit: i64,
) -> sqlx::Result<(Vec<FoundPost>, Option<Cursor>)> {
    // One more than are shown, to know whether there is a next page.
    let window = SearchWindow { viewer, before, most: limit + 1, ranks: false };
    let Candidates { mut posts, rest } = query.find(tx, window).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if posts.len() <= limit {
        return Ok((posts, rest));
    }
    posts.truncate(limit);
    let next = posts.last().map(|last| Cursor { at: last.published_at, id: last.post_id });
    Ok((posts, next))
}

/// The most relevant behind a cursor. What is ranked together is a stretch: the newest [`CANDIDATES`] up to a moment or, where not so
/// many are found, those in what was read. The cursor is that moment and how many of the stretch were shown: what is published meanwhile
/// moves nothing, but for what was published just before and is indexed between two pages, which can repeat a result. Behind a stretch
/// the next one follows, if this one has fewer than [`CANDIDATES`].
pub async fn most_relevant(
    tx: &mut PgTransaction<'_>,
    query: &PostQuery<'_>,
    viewer: Uuid,
    before: Cursor,
    limit: i64,
) -> sqlx::Result<(Vec<FoundPost>, Option<Cursor>)> {
    let (as_of, skipped) = if before == Cursor::end() {
        (Timestamp(Utc::now()), 0)
    } else {
        (before.at, usize::try_from(before.id.as_u128()).unwrap_or(usize::MAX))
    };
    let up_to_then = Cursor { at: as_of, id: Uuid::max() };
    let window = SearchWindow { viewer, before: up_to_then, most: CANDIDATES, ranks: true };
    let Candidates { mut posts, rest } = query.find(tx, window).await?;
    let next_stretch = rest.map(|rest| end_stretch(&mut posts, as_of, rest.at));
    posts.sort_unstable_by(|one, other| {
        let newer = (other.published_at, other.post_id).cmp(&(one.published_at, one.post_id));
        other.rank.total_cmp(&one.rank).then(newer)
    });
    let shown = skipped.saturating_add(usize::try_from(limit).unwrap_or(usize::MAX));
    let next =
        if posts.len() > shown { Some(Cursor { at: as_of, id: Uuid::from_u128(shown as u128) }) } else { next_stretch };
    Ok((posts.into_iter().take(shown).skip(skipped).collect(), next))
}

/// Ends a stretch before the posts of the time at which no more were read: a cursor has no room for a place among these, so they are
/// ranked with the next stretch, which begins here. Only where a stretch is of one time alone is the rest of that time passed over.
fn end_stretch(posts: &mut Vec<FoundPost>, as_of: Timestamp, unread: Timestamp) -> Cursor {
    if unread >= as_of {
        return Cursor { at: Timestamp(as_of.0 - TimeDelta::microseconds(1)), id: Uuid::nil() };
    }
    posts.retain(|post| post.published_at > unread);
    Cursor { at: unread, id: Uuid::nil() }
}

/// Marks the words in titles and contents.
async fn show(
    tx: &mut PgTransaction<'_>,
    query: &PostQuery<'_>,
    found: Vec<(Post, String)>,
    urls: &MediaUrls,
) -> sqlx::Result<Vec<SearchHit>> {
    let most = MAX_MARKED / found.len().max(1);
    let mut texts = Vec::new();
    let (mut configs, mut lists) = (Vec::new(), Vec::new());
    for (post, config) in &found {
        for text in [post.title.as_deref().unwrap_or_default(), &post.content] {
            let mut words = words(text);
            words.truncate(most);
            // As it is indexed: the stems, and the words as they are.
            configs.extend([config.clone(), SIMPLE.to_owned()]);
            lists.extend([join(&words, |word| &word.written), join(&words, |word| &word.folded)]);
            texts.push((text.to_owned(), words));
        }
    }
    let marked = query.mark(tx, &configs, &lists).await?;
    let mut shown = texts.iter().zip(marked.chunks(2)).map(|((text, words), marked)| html(text, words, marked));
    let posts = found.into_iter().map(|(post, _)| cut(post)).collect();
    let posts = shown::to_reader(tx, urls, posts).await?;
    let hits = posts.into_iter().map(|post| {
        let (title_html, excerpt_html) = (shown.next().unwrap_or_default(), shown.next().unwrap_or_default());
        SearchHit { post, title_html, excerpt_html }
    });
    Ok(hits.collect())
}

fn html(text: &str, words: &[Word], marked: &[String]) -> String {
    let marks: Vec<Vec<bool>> = marked.iter().map(|list| marks(list)).collect();
    excerpt(text, words, |place| marks.iter().any(|marks| marks.get(place).copied().unwrap_or(false)))
}
