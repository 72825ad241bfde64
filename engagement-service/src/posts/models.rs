//! Posts and their counts in the database: all of the SQL of this feature.
use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::PgTransaction;
use sqlx::types::Json;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::Id;
use crate::posts::FacetCard;

/// One version of a post.
#[derive(Clone, Debug)]
pub struct PostCard {
    pub id: Uuid,
    /// The author.
    pub user_id: Uuid,
    pub created_at: Timestamp,
    pub title: Option<String>,
    pub content: String,
    pub types: Vec<String>,
    pub status: String,
    pub version: Timestamp,
    /// When it was first published, as far as this version says.
    pub published_at: Option<Timestamp>,
    /// Whether moderation has it hidden.
    pub hidden: bool,
    /// The tags, mentions and links of the content.
    pub facets: Json<Vec<FacetCard>>,
    /// The tags as they are compared.
    pub tags: Vec<String>,
    /// What it is about, as the post service shows it.
    pub item: Option<Value>,
}

impl PostCard {
    /// Saves versions of posts. One that is older than the stored one changes at most the time of publication, and one of a deleted
    /// post nothing.
    pub async fn save(tx: &mut PgTransaction<'_>, posts: Vec<Self>) -> sqlx::Result<()> {
        let posts = newest(posts);
        let ids: Vec<Uuid> = posts.iter().map(|post| post.id).collect();
        let published: Vec<Option<Timestamp>> = posts.iter().map(|post| post.published_at).collect();
        let types: Vec<_> = posts.iter().map(|post| serde_json::json!(post.types)).collect();
        sqlx::query!(
            "insert into post_card (id, user_id, created_at, title, content, types, status, version, published_at, hidden,
                facets, tags, item)
            select id, user_id, created_at, title, content, array(select jsonb_array_elements_text(types)), status, version,
                published_at, hidden, facets, array(select jsonb_array_elements_text(tags)), item
            from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::jsonb[], $7::text[],
                $8::timestamptz[], $9::timestamptz[], $10::boolean[], $11::jsonb[], $12::jsonb[], $13::jsonb[])
                as seen (id, user_id, created_at, title, content, types, status, version, published_at, hidden, facets, tags,
                    item)
            order by id
            on conflict (id) do update set title = excluded.title, content = excluded.content, types = excluded.types,
                status = excluded.status, version = excluded.version, hidden = excluded.hidden,
                facets = excluded.facets, tags = excluded.tags, item = excluded.item,
                published_at = least(post_card.published_at, excluded.published_at)
            where post_card.deleted_at is null and post_card.version <= excluded.version",
            &ids,
            &posts.iter().map(|post| post.user_id).collect::<Vec<_>>(),
            &posts.iter().map(|post| post.created_at).collect::<Vec<_>>() as &[Timestamp],
            &posts.iter().map(|post| post.title.clone()).collect::<Vec<_>>() as &[Option<String>],
            &posts.iter().map(|post| post.content.clone()).collect::<Vec<_>>(),
            &types,
            &posts.iter().map(|post| post.status.clone()).collect::<Vec<_>>(),
            &posts.iter().map(|post| post.version).collect::<Vec<_>>() as &[Timestamp],
            &published as &[Option<Timestamp>],
            &posts.iter().map(|post| post.hidden).collect::<Vec<_>>(),
            &posts.iter().map(|post| serde_json::json!(post.facets)).collect::<Vec<_>>(),
            &posts.iter().map(|post| serde_json::json!(post.tags)).collect::<Vec<_>>(),
            &posts.iter().map(|post| post.item.clone()).collect::<Vec<_>>() as &[Option<Value>]
        )
        .execute(&mut **tx)
        .await?;
        // What an older version says about the publication is true whatever came after it.
        sqlx::query!(
            "update post_card set published_at = seen.published_at
            from unnest($1::uuid[], $2::timestamptz[]) as seen (id, published_at)
            where post_card.id = seen.id and deleted_at is null
                and seen.published_at < coalesce(post_card.published_at, 'infinity')",
            &ids,
            &published as &[Option<Timestamp>]
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Saves the tombstones of deleted posts, which nothing brings back.
    pub async fn save_tombstones(tx: &mut PgTransaction<'_>, posts: Vec<Self>) -> sqlx::Result<()> {
        let posts = newest(posts);
        sqlx::query!(
            "insert into post_card (id, user_id, created_at, content, types, status, version, deleted_at)
            select id, user_id, created_at, '', '{}', status, version, now()
            from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::timestamptz[])
                as gone (id, user_id, created_at, status, version)
            order by id
            on conflict (id) do update set title = null, content = '', types = '{}', facets = default, tags = default,
                item = null, deleted_at = now()
            where post_card.deleted_at is null",
            &posts.iter().map(|post| post.id).collect::<Vec<_>>(),
            &posts.iter().map(|post| post.user_id).collect::<Vec<_>>(),
            &posts.iter().map(|post| post.created_at).collect::<Vec<_>>() as &[Timestamp],
            &posts.iter().map(|post| post.status.clone()).collect::<Vec<_>>(),
            &posts.iter().map(|post| post.version).collect::<Vec<_>>() as &[Timestamp]
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Empties up to `rows` posts of an author whose data end; true when there may be more. The tombstones stay, or a creation that
    /// comes late would bring a post back.
    pub async fn empty_by_author(tx: &mut PgTransaction<'_>, author: Uuid, rows: i64) -> sqlx::Result<bool> {
        let emptied = sqlx::query!(
            "update post_card set title = null, content = '', types = '{}', facets = default, tags = default, item = null,
                deleted_at = now()
            where id in (select id from post_card where user_id = $1 and deleted_at is null order by id limit $2)",
            author,
            rows
        )
        .execute(&mut **tx)
        .await?;
        Ok(emptied.rows_affected() > 0)
    }
}

/// Each post once, in the order of ids, in which all transactions lock them: the newest version, and the earliest publication of
/// any.
fn newest(posts: Vec<PostCard>) -> Vec<PostCard> {
    let mut newest: BTreeMap<Uuid, PostCard> = BTreeMap::new();
    for post in posts {
        let Some(kept) = newest.get_mut(&post.id) else {
            newest.insert(post.id, post);
            continue;
        };
        let published_at = [kept.published_at, post.published_at].into_iter().flatten().min();
        // An equal version is written again: the original post service changes a post without a new version.
        if kept.version <= post.version {
            *kept = post;
        }
        kept.published_at = published_at;
    }
    // A hidden post is shown to no reader, and its deletion is in no event: its words are not kept. A restored one comes with them.
    let without_hidden_words = |post: PostCard| {
        if post.hidden {
            let (facets, tags) = (Json(Vec::new()), Vec::new());
            PostCard { title: None, content: String::new(), facets, tags, item: None, ..post }
        } else {
            post
        }
    };
    newest.into_values().map(without_hidden_words).collect()
}

/// What is added to the counts of a post; may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CountChange {
    pub comments: i64,
    pub reactions: i64,
}

/// A view of a post.
#[derive(Clone, Copy, Debug)]
pub struct CountedView {
    pub post_id: Uuid,
    /// Its place in the stream.
    pub place: Id,
    /// Whether its viewer has viewed the post a short while ago, so that it is none for what ranks posts.
    pub repeated: bool,
}

/// The counts of posts.
pub struct PostCount;

impl PostCount {
    /// Locks the counts of posts until the transaction ends, and creates those that are missing. Whatever changes the views,
    /// comments and reactions of a post does this first: it is the lock of all of them.
    pub async fn create_and_lock(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into post_count (post_id) select distinct id from unnest($1::uuid[]) as post (id) order by id
            on conflict (post_id) do nothing",
            posts
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!("select post_id from post_count where post_id = any($1) order by post_id for update", posts)
            .fetch_all(&mut **tx)
            .await?;
        Ok(())
    }

    /// Adds to the counts of posts that this transaction has locked.
    pub async fn add(tx: &mut PgTransaction<'_>, changes: &BTreeMap<Uuid, CountChange>) -> sqlx::Result<()> {
        sqlx::query!(
            "update post_count set comments = post_count.comments + delta.comments,
                reactions = post_count.reactions + delta.reactions
            from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as delta (post_id, comments, reactions)
            where post_count.post_id = delta.post_id",
            &changes.keys().copied().collect::<Vec<_>>(),
            &changes.values().map(|change| change.comments).collect::<Vec<_>>(),
            &changes.values().map(|change| change.reactions).collect::<Vec<_>>()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Adds views to posts that this transaction has locked; those that were taken over from the post service with the sum count nothing.
    pub async fn add_views(tx: &mut PgTransaction<'_>, views: &[CountedView]) -> sqlx::Result<()> {
        sqlx::query!(
            "update post_count set views = post_count.views + fresh.views,
                repeated_views = post_count.repeated_views + fresh.repeated
            from (
                select seen.post_id, count(*) as views, count(*) filter (where seen.repeated) as repeated
                from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::boolean[]) as seen (post_id, ms, seq, repeated)
                join post_count on post_count.post_id = seen.post_id and (seen.ms, seen.seq) > (views_ms, views_seq)
                group by seen.post_id
            ) as fresh
            where post_count.post_id = fresh.post_id",
            &views.iter().map(|view| view.post_id).collect::<Vec<_>>(),
            &views.iter().map(|view| view.place.ms).collect::<Vec<_>>(),
            &views.iter().map(|view| view.place.seq).collect::<Vec<_>>(),
            &views.iter().map(|view| view.repeated).collect::<Vec<_>>()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
