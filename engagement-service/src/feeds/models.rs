//! Feeds in the database: which posts a reader sees, and what is shown of them. A page is two queries: one selects the keys of its
//! posts, by the reader's connections, mutes, blocks and hidden posts as they are now; one loads what is shown.
//!
//! A lateral subquery with `offset 0` is what the planner takes as it stands: it looks rows up one by one by their index, however
//! wrong its guess of their number is.
use serde_json::Value;
use sqlx::PgExecutor;
use sqlx::types::Json;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::post_pictures::PublishedPicture;
use crate::posts::FacetCard;

/// Which part of a reader's home feed is asked for.
#[derive(Clone, Copy, Debug)]
pub struct HomeQuery {
    pub reader: Uuid,
    /// Only what lies between the two, both exclusive; `Uuid::nil()` and `Uuid::max()` are the ends.
    pub above: Uuid,
    pub below: Uuid,
    pub rows: i64,
}

/// The newest of the given keys that the reader sees, of the posts of big authors they read and of those with a tag that they follow;
/// the newest first.
pub async fn select_newest(db: impl PgExecutor<'_>, given: &[Uuid], query: HomeQuery) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"with candidate as (
            select feed_key from unnest($2::uuid[]) as given (feed_key)
            union
            select post.feed_key
            from (select target_id from follow where user_id = $1 and stands and pulled offset 0) as author
            cross join lateral (
                select feed_key from post_card
                where user_id = author.target_id and deleted_at is null and not hidden and status = 'POSTED'
                    and feed_key > $3 and feed_key < $4
                    and not exists (select from post_hide where user_id = $1 and post_id = post_card.id)
                    and not exists (select from moderated_post where post_id = post_card.id and limited)
                order by feed_key desc limit $5
            ) as post
            union
            select post.feed_key
            from (select tag from tag_follow where user_id = $1 offset 0) as followed
            cross join lateral (
                select feed_key from tagged_post
                where tag = followed.tag and feed_key > $3 and feed_key < $4
                    and not exists (select from mute where user_id = $1 and target_id = author_id)
                    and not exists (select from block where stands and user_id = $1 and target_id = author_id)
                    and not exists (select from block where stands and user_id = author_id and target_id = $1)
                    and not exists (select from post_hide where user_id = $1 and post_id = tagged_post.post_id)
                    and not exists (select from moderated_post where post_id = tagged_post.post_id and limited)
                order by feed_key desc limit $5
            ) as post
        )
        select candidate.feed_key as "feed_key!" from candidate cross join lateral (
            select from post_card
            where feed_key = candidate.feed_key and deleted_at is null and not hidden and status = 'POSTED'
                and (user_id = $1
                    or ((exists (
                                select from follow where follow.user_id = $1 and target_id = post_card.user_id and stands)
                            or exists (
                                select from tagged_post join tag_follow using (tag)
                                where tagged_post.post_id = post_card.id and tag_follow.user_id = $1))
                        and not exists (select from moderated_post where post_id = post_card.id and limited)))
                and not exists (select from mute where mute.user_id = $1 and target_id = post_card.user_id)
                and not exists (select from block where stands and block.user_id = $1 and target_id = post_card.user_id)
                and not exists (select from block where stands and block.user_id = post_card.user_id and target_id = $1)
                and not exists (select from post_hide where post_hide.user_id = $1 and post_id = post_card.id)
            offset 0
        ) as shown
        order by candidate.feed_key desc limit $5"#,
        query.reader,
        given,
        query.above,
        query.below,
        query.rows
    )
    .fetch_all(db)
    .await
}

/// The same, the oldest first.
pub async fn select_oldest(db: impl PgExecutor<'_>, given: &[Uuid], query: HomeQuery) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"with candidate as (
            select feed_key from unnest($2::uuid[]) as given (feed_key)
            union
            select post.feed_key
            from (select target_id from follow where user_id = $1 and stands and pulled offset 0) as author
            cross join lateral (
                select feed_key from post_card
                where user_id = author.target_id and deleted_at is null and not hidden and status = 'POSTED'
                    and feed_key > $3 and feed_key < $4
                    and not exists (select from post_hide where user_id = $1 and post_id = post_card.id)
                    and not exists (select from moderated_post where post_id = post_card.id and limited)
                order by feed_key limit $5
            ) as post
            union
            select post.feed_key
            from (select tag from tag_follow where user_id = $1 offset 0) as followed
            cross join lateral (
                select feed_key from tagged_post
                where tag = followed.tag and feed_key > $3 and feed_key < $4
                    and not exists (select from mute where user_id = $1 and target_id = author_id)
                    and not exists (select from block where stands and user_id = $1 and target_id = author_id)
                    and not exists (select from block where stands and user_id = author_id and target_id = $1)
                    and not exists (select from post_hide where user_id = $1 and post_id = tagged_post.post_id)
                    and not exists (select from moderated_post where post_id = tagged_post.post_id and limited)
                order by feed_key limit $5
            ) as post
        )
        select candidate.feed_key as "feed_key!" from candidate cross join lateral (
            select from post_card
            where feed_key = candidate.feed_key and deleted_at is null and not hidden and status = 'POSTED'
                and (user_id = $1
                    or ((exists (
                                select from follow where follow.user_id = $1 and target_id = post_card.user_id and stands)
                            or exists (
                                select from tagged_post join tag_follow using (tag)
                                where tagged_post.post_id = post_card.id and tag_follow.user_id = $1))
                        and not exists (select from moderated_post where post_id = post_card.id and limited)))
                and not exists (select from mute where mute.user_id = $1 and target_id = post_card.user_id)
                and not exists (select from block where stands and block.user_id = $1 and target_id = post_card.user_id)
                and not exists (select from block where stands and block.user_id = post_card.user_id and target_id = $1)
                and not exists (select from post_hide where post_hide.user_id = $1 and post_id = post_card.id)
            offset 0
        ) as shown
        order by candidate.feed_key limit $5"#,
        query.reader,
        given,
        query.above,
        query.below,
        query.rows
    )
    .fetch_all(db)
    .await
}

/// Which part of an author's posts is asked for, by a reader.
#[derive(Clone, Copy, Debug)]
pub struct AuthorQuery {
    pub reader: Uuid,
    pub author: Uuid,
    /// Only what lies between the two, both exclusive.
    pub above: Uuid,
    pub below: Uuid,
    /// Whether those directly above `above` are asked for, and not those directly below `below`.
    pub oldest: bool,
    pub rows: i64,
}

/// The keys of an author's posts; none when the author does not exist for the reader. The oldest come first when they are asked for.
pub async fn list_author_keys(db: impl PgExecutor<'_>, query: AuthorQuery) -> sqlx::Result<Option<Vec<Uuid>>> {
    sqlx::query_scalar!(
        r#"select case when $5 then array(
                select feed_key from post_card
                where user_id = $2 and deleted_at is null and not hidden and status = 'POSTED'
                    and feed_key > $3 and feed_key < $4
                    and not exists (select from post_hide where user_id = $1 and post_id = post_card.id)
                order by feed_key limit $6
            ) else array(
                select feed_key from post_card
                where user_id = $2 and deleted_at is null and not hidden and status = 'POSTED'
                    and feed_key > $3 and feed_key < $4
                    and not exists (select from post_hide where user_id = $1 and post_id = post_card.id)
                order by feed_key desc limit $6
            ) end as "keys!"
        from person where id = $2 and not hidden($1, $2)"#,
        query.reader,
        query.author,
        query.above,
        query.below,
        query.oldest,
        query.rows
    )
    .fetch_optional(db)
    .await
}

/// A post with all that a feed shows of it.
pub struct FeedRow {
    pub id: Uuid,
    pub user_id: Uuid,
    pub created_at: Timestamp,
    pub published_at: Timestamp,
    pub version: Timestamp,
    pub title: Option<String>,
    pub content: String,
    pub types: Vec<String>,
    pub username: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub avatar_url: Option<String>,
    pub views: i64,
    pub comments: i64,
    pub reactions: i64,
    pub my_reaction: Option<String>,
    /// What moderation warns of.
    pub labels: Vec<String>,
    /// The tags, mentions and links of the content.
    pub facets: Json<Vec<FacetCard>>,
    /// The tags as they are compared.
    pub tags: Vec<String>,
    /// What it is about, as the post service shows it.
    pub item: Option<Value>,
    /// The pictures of the post.
    pub pictures: Json<Vec<PublishedPicture>>,
}

/// What is shown of posts, in the order of their keys, to a reader who may see them. One that was deleted a moment ago is missing.
pub async fn load(db: impl PgExecutor<'_>, reader: Uuid, keys: &[Uuid]) -> sqlx::Result<Vec<FeedRow>> {
    sqlx::query_as!(
        FeedRow,
        r#"select post.id, post.user_id, post.created_at, post.published_at as "published_at!", post.version, post.title,
            post.content, post.types, person.username as "username?", person.first_name as "first_name?",
            person.last_name as "last_name?", person.avatar_url as "avatar_url?",
            greatest(tally.views, 0) as "views!", greatest(tally.comments, 0) as "comments!",
            greatest(tally.reactions, 0) as "reactions!",
            (
                select type from reaction_card where post_id = post.id and reaction_card.user_id = $1 and deleted_at is null
                order by reaction_card.created_at desc limit 1
            ) as "my_reaction?",
            coalesce((select labels from moderated_post where post_id = post.id), '{}') as "labels!",
            post.facets as "facets!: Json<Vec<FacetCard>>", post.tags as "tags!", post.item,
            coalesce((select pictures from post_picture where post_id = post.id), '[]')
                as "pictures!: Json<Vec<PublishedPicture>>"
        from unnest($2::uuid[]) with ordinality as given (feed_key, turn)
        cross join lateral (
            select * from post_card
            where feed_key = given.feed_key and deleted_at is null and not hidden and status = 'POSTED' offset 0
        ) as post
        left join lateral (select * from person where id = post.user_id offset 0) as person on true
        left join lateral (select * from post_count where post_id = post.id offset 0) as tally on true
        order by turn"#,
        reader,
        keys
    )
    .fetch_all(db)
    .await
}
