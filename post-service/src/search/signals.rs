//! What follows from a change of a post for search, in the same transaction.
use std::time::Duration;

use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::{PostDocument, delete_document};
use super::services::title_keys;
use super::{SearchOrder, languages, words};
use crate::facets::services::{read, tag_identities};
use crate::posts::Status;
use crate::posts::models::Post;

/// A post was written, changed or restored: it is indexed when all users may read it, and otherwise found no more.
pub async fn changed(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<()> {
    if post.status != Status::Posted || post.hidden_at.is_some() {
        return delete_document(tx, post.id).await;
    }
    index(tx, post, &tag_identities(&read(&post.content))).await
}

/// A post was hidden. One that is deleted takes its document with it.
pub async fn hidden(tx: &mut PgTransaction<'_>, post: Uuid) -> sqlx::Result<()> {
    delete_document(tx, post).await
}

/// Indexes a post that has these tags.
async fn index(tx: &mut PgTransaction<'_>, post: &Post, tags: &[String]) -> sqlx::Result<()> {
    let title = post.title.as_deref().unwrap_or_default();
    let (title_words, content_words) = (words::words(title), words::words(&post.content));
    let mut folded = words::join(&content_words, |word| &word.folded);
    let mut folded_title = words::join(&title_words, |word| &word.folded);
    for (text, of) in [(&mut folded, &content_words), (&mut folded_title, &title_words)] {
        for single in words::singles(of) {
            text.push(' ');
            text.push_str(&single);
        }
    }
    let labels = tags
        .iter()
        .map(|tag| words::fold(tag))
        .chain(post.types.iter().map(|category| category.replace('_', " ").to_lowercase()));
    let document = PostDocument {
        post,
        config: languages::configuration_of(&format!("{title}\n{}", post.content)),
        folded_title: &folded_title,
        folded_content: &folded,
        title: &words::join(&title_words, |word| &word.written),
        content: &words::join(&content_words, |word| &word.written),
        labels: &labels.collect::<Vec<_>>().join(" "),
        keys: &title_keys(title),
    };
    document.save(tx).await
}

/// A search was answered: it is measured.
pub fn searched(order: SearchOrder, took: Duration, is_empty: bool) {
    let order = match order {
        SearchOrder::Relevance => "relevance",
        SearchOrder::Time => "time",
    };
    metrics::histogram!("search_seconds", "order" => order).record(took);
    metrics::counter!("searches_total", "found" => if is_empty { "nothing" } else { "posts" }).increment(1);
}
