//! The results of a search, from the words to the marked texts, all of one moment.
use std::collections::HashMap;

use chrono::Utc;
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use super::excerpts::{excerpt, marks};
use super::languages::SIMPLE;
use super::models::{FoundPost, PostQuery, begin_search, load_posts};
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

/// The results behind a cursor. By time it is the last result's time and id. By relevance it is the moment of the first page and
/// how many results were shown, which is at most [`CANDIDATES`]: what is published meanwhile moves nothing, but for what was published just
/// before and is indexed between two pages, which can repeat a result.
pub async fn find(
    db: &PgPool,
    viewer: Uuid,
    search: &PostSearch,
    before: Cursor,
    rows: i64,
    urls: &MediaUrls,
) -> sqlx::Result<Vec<SearchHit>> {
    let (mut tx, tsquery) = begin_search(db, search.config, &search.text.written, &search.text.folded).await?;
    let mut query = search.query(&tsquery);
    query.begin_with_tag(&mut tx).await?;
    query.begin_with_media(&mut tx).await?;
    let (found, places): (Vec<FoundPost>, Vec<_>) = match search.order {
        SearchOrder::Time => {
            let found = query.find_newest(&mut tx, viewer, before, rows).await?;
            let places = found.iter().map(|post| (post.published_at, post.post_id)).collect();
            (found, places)
        }
        SearchOrder::Relevance => {
            let (as_of, skipped) = if before == Cursor::end() {
                (Timestamp(Utc::now()), 0)
            } else {
                (before.at, i64::try_from(before.id.as_u128()).unwrap_or(CANDIDATES).min(CANDIDATES))
            };
            let found = query.find_most_relevant(&mut tx, viewer, as_of, skipped, rows).await?;
            let behind = |shown: usize| Uuid::from_u128(u128::from(skipped.unsigned_abs()) + shown as u128);
            let places = (1..=found.len()).map(|shown| (as_of, behind(shown))).collect();
            (found, places)
        }
    };
    let ids: Vec<Uuid> = found.iter().map(|post| post.post_id).collect();
    let posts: HashMap<Uuid, Post> =
        load_posts(&mut tx, viewer, &ids).await?.into_iter().map(|post| (post.id, post)).collect();
    let posts_with_places = found.into_iter().zip(places).filter_map(|(found, place)| {
        let post = posts.get(&found.post_id)?.clone();
        Some((post, found.config, place))
    });
    show(&mut tx, &query, posts_with_places.collect(), urls).await
}

/// Marks the words in titles and contents.
async fn show(
    tx: &mut PgTransaction<'_>,
    query: &PostQuery<'_>,
    found: Vec<(Post, String, (Timestamp, Uuid))>,
    urls: &MediaUrls,
) -> sqlx::Result<Vec<SearchHit>> {
    let most = MAX_MARKED / found.len().max(1);
    let mut texts = Vec::new();
    let (mut configs, mut lists) = (Vec::new(), Vec::new());
    for (post, config, _) in &found {
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
    let (posts, places): (Vec<Post>, Vec<_>) = found.into_iter().map(|(post, _, place)| (cut(post), place)).unzip();
    let posts = shown::to_reader(tx, urls, posts).await?;
    let hits = posts.into_iter().zip(places).map(|(post, place)| {
        let (title_html, excerpt_html) = (shown.next().unwrap_or_default(), shown.next().unwrap_or_default());
        SearchHit { post, title_html, excerpt_html, place }
    });
    Ok(hits.collect())
}

fn html(text: &str, words: &[Word], marked: &[String]) -> String {
    let marks: Vec<Vec<bool>> = marked.iter().map(|list| marks(list)).collect();
    excerpt(text, words, |place| marks.iter().any(|marks| marks.get(place).copied().unwrap_or(false)))
}
