//! Posts in the database: all of the SQL of this feature.
use std::collections::HashMap;
use std::ops::AddAssign;

use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::{Commenters, Schedule, Status};
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;

/// The longest contents of a page together, in characters, that are listed whole: 50 posts of 2,000.
pub const WHOLE_PAGE: i64 = 100_000;
/// The length of a content on a longer page, in characters: 200 of them are as long as a page that is listed whole.
pub const EXCERPT: i32 = 500;

/// A post as it is stored.
#[derive(Clone, Debug)]
pub struct Post {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub created_by: Uuid,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
    /// When its author last changed what readers had read; none: never.
    pub edited_at: Option<Timestamp>,
    /// When the draft is to be published.
    pub publish_at: Option<Timestamp>,
    /// Why the draft was not published when it was due.
    pub publish_refused: Option<String>,
    pub title: Option<String>,
    pub content: String,
    pub types: Vec<String>,
    pub status: Status,
    pub comments: Commenters,
    pub total_views: i64,
    pub total_comments: i64,
    pub total_reactions: i64,
    pub score: f64,
    pub popularity: f64,
    /// When it was first published; none: it never was.
    pub published_at: Option<Timestamp>,
    /// Since when moderation hides it from all; none: it is not hidden.
    pub hidden_at: Option<Timestamp>,
    /// Why it is hidden.
    pub hidden_reason: Option<String>,
    /// The version that was restored; none: it was never hidden, or still is.
    pub restored_at: Option<Timestamp>,
    /// What moderation warns its readers of.
    pub labels: Vec<String>,
    /// Whether `content` is only its beginning, as in a heavy list.
    pub truncated: bool,
}

/// The validated fields of a new or changed post; in an update `None` leaves a field as it is.
pub struct Draft<'a> {
    pub title: Option<&'a str>,
    pub content: &'a str,
    pub types: &'a [String],
    pub status: Option<Status>,
    /// When the draft is to be published.
    pub schedule: Schedule,
    pub comments: Option<Commenters>,
    /// What its item says.
    pub item: Vec<&'a str>,
}

impl Draft<'_> {
    /// Whether other users will see it, now or when it is due.
    pub fn will_be_public(&self) -> bool {
        self.status == Some(Status::Posted) || self.schedule.time().is_some()
    }

    /// Its texts, by which a user's quota is charged.
    pub fn texts(&self) -> Vec<&str> {
        let types = self.types.iter().map(String::as_str);
        [self.content].into_iter().chain(self.title).chain(types).chain(self.item.iter().copied()).collect()
    }
}

/// What is added to a post's counters; may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    pub views: i64,
    /// Of the views those by users who had viewed the post a short while ago.
    pub repeated_views: i64,
    pub comments: i64,
    pub reactions: i64,
}

impl AddAssign for Delta {
    fn add_assign(&mut self, other: Self) {
        self.views += other.views;
        self.repeated_views += other.repeated_views;
        self.comments += other.comments;
        self.reactions += other.reactions;
    }
}

/// A post's counters and its author's connections. Its row is locked until the transaction ends.
pub struct Counters {
    pub id: Uuid,
    /// Without repeated ones.
    pub views: i64,
    pub total_comments: i64,
    pub total_reactions: i64,
    pub connections: Option<i64>,
}

impl Post {
    /// Whether all users may read it, but for blocks.
    pub fn is_public(&self) -> bool {
        self.status == Status::Posted && self.hidden_at.is_none()
    }

    /// Inserts a post.
    pub async fn create(tx: &mut PgTransaction<'_>, author: Uuid, draft: &Draft<'_>) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"insert into post (id, created_by, title, content, types, status, published_at, publish_at, comments)
            values ($1, $2, $3, $4, $5, $6, case when $6 = 'POSTED' then now() end, $7, $8)
            returning id, created_at, created_by, updated_at,
                edited_at, publish_at, publish_refused,
                updated_by, title, content, types, status, comments, total_views, total_comments,
                total_reactions, score, popularity, published_at, hidden_at, hidden_reason, restored_at, labels,
                false as "truncated!""#,
            Uuid::now_v7(),
            author,
            draft.title,
            draft.content,
            draft.types,
            draft.status.unwrap_or(Status::Draft) as Status,
            draft.schedule.time() as Option<Timestamp>,
            draft.comments.unwrap_or_default() as Commenters
        )
        .fetch_one(&mut **tx)
        .await
    }

    /// A post that the viewer may see: a published one of an author without a block between the two, or one of their own.
    pub async fn find_visible(db: impl PgExecutor<'_>, id: Uuid, viewer: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, created_at, created_by, updated_at,
                edited_at, publish_at, publish_refused,
                updated_by, title, content, types, status, comments, total_views, total_comments,
                total_reactions, score, popularity, published_at, hidden_at, hidden_reason, restored_at, labels,
                false as "truncated!"
            from post where id = $1 and visible(post, $2)"#,
            id,
            viewer
        )
        .fetch_optional(db)
        .await
    }

    /// The posts that the viewer may see, newest first. When their contents are long together, the long ones are cut: a page of
    /// 200 long posts would be eight megabytes in the memory of each reader's request.
    pub async fn list(db: impl PgExecutor<'_>, viewer: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Self>> {
        // Two index scans, merged: one condition with "or" would scan the drafts of all users.
        sqlx::query_as!(
            Self,
            r#"with mine as (
                select * from post where created_by = $1 and status <> 'POSTED' and visible(post, $1)
                    and (created_at, id) < ($2, $3)
                order by created_at desc, id desc limit $4
            ), posted as (
                select * from post where status = 'POSTED' and visible(post, $1) and (created_at, id) < ($2, $3)
                order by created_at desc, id desc limit $4
            ), page as (
                select * from (select * from mine union all select * from posted) as seen
                order by created_at desc, id desc limit $4
            ), heavy as (select coalesce(sum(char_length(content)), 0) > $5 as is_heavy from page)
            select id as "id!", created_at as "created_at!", created_by as "created_by!",
                updated_at as "updated_at!", updated_by, title,
                edited_at, publish_at, publish_refused,
                case when is_heavy then left(content, $6) else content end as "content!", types as "types!",
                status as "status!: Status", comments as "comments!: Commenters", total_views as "total_views!", total_comments as "total_comments!",
                total_reactions as "total_reactions!", score as "score!", popularity as "popularity!",
                published_at, hidden_at, hidden_reason, restored_at, labels as "labels!",
                is_heavy and char_length(content) > $6 as "truncated!"
            from page, heavy order by created_at desc, id desc"#,
            viewer,
            before.at,
            before.id,
            rows,
            WHOLE_PAGE,
            EXCERPT
        )
        .fetch_all(db)
        .await
    }

    /// Updates an author's post; none when it is not theirs, does not exist, or is hidden.
    pub async fn update(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        author: Uuid,
        draft: &Draft<'_>,
    ) -> sqlx::Result<Option<Self>> {
        // updated_at is the version by which consumers order updates, so it grows even if the clock does not.
        sqlx::query_as!(
            Self,
            r#"update post set title = coalesce($3, title), content = $4, types = $5, status = coalesce($6, status),
                comments = case when comments = 'LOCKED' then comments else coalesce($9, comments) end,
                unlocked_comments = case when comments = 'LOCKED' then coalesce($9, unlocked_comments) end,
                updated_by = $2, updated_at = greatest(now(), updated_at + interval '1 microsecond'),
                published_at = case when coalesce($6, status) = 'POSTED' then coalesce(published_at, now())
                    else published_at end,
                edited_at = case when published_at is not null
                        and (title, content, types) is distinct from (coalesce($3, title), $4, $5)
                    then greatest(now(), updated_at + interval '1 microsecond') else edited_at end,
                worded_at = case when status = 'POSTED'
                        and (title, content, types) is not distinct from (coalesce($3, title), $4, $5)
                    then worded_at else now() end,
                publish_at = case when $7 then $8 when coalesce($6, status) = 'DRAFT' then publish_at end,
                publish_refused = null
            where id = $1 and created_by = $2 and visible(post, $2)
            returning id, created_at, created_by, updated_at,
                edited_at, publish_at, publish_refused,
                updated_by, title, content, types, status, comments, total_views, total_comments,
                total_reactions, score, popularity, published_at, hidden_at, hidden_reason, restored_at, labels,
                false as "truncated!""#,
            id,
            author,
            draft.title,
            draft.content,
            draft.types,
            draft.status as Option<Status>,
            draft.schedule != Schedule::Unchanged,
            draft.schedule.time() as Option<Timestamp>,
            draft.comments as Option<Commenters>
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Deletes a post with its NFT record and returns it; none when it does not exist or is not of `author`. Without an
    /// author, any user's post is deleted.
    pub async fn delete(tx: &mut PgTransaction<'_>, id: Uuid, author: Option<Uuid>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"delete from post where id = $1 and ($2::uuid is null or created_by = $2)
            returning id, created_at, created_by, updated_at,
                edited_at, publish_at, publish_refused,
                updated_by, title, content, types, status, comments, total_views, total_comments,
                total_reactions, score, popularity, published_at, hidden_at, hidden_reason, restored_at, labels,
                false as "truncated!""#,
            id,
            author
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Up to `rows` posts of an author, locked until the transaction ends.
    pub async fn lock_by_author(tx: &mut PgTransaction<'_>, author: Uuid, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!("select id from post where created_by = $1 order by id limit $2 for update", author, rows)
            .fetch_all(&mut **tx)
            .await
    }

    /// Deletes posts with their NFT records and returns them.
    pub async fn delete_all(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"delete from post where id = any($1)
            returning id, created_at, created_by, updated_at,
                edited_at, publish_at, publish_refused,
                updated_by, title, content, types, status, comments, total_views, total_comments,
                total_reactions, score, popularity, published_at, hidden_at, hidden_reason, restored_at, labels,
                false as "truncated!""#,
            ids
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// A user's posts for the export of personal data, newest first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select created_at as at, id, to_json(post) as "thing!" from post
            where created_by = $1 and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Locks posts until the transaction ends. A transaction that changes several posts does this first: locks taken in one
    /// order cannot deadlock.
    pub async fn lock(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!("select id from post where id = any($1) order by id for update", ids).fetch_all(&mut **tx).await?;
        Ok(())
    }

    /// Adds to counters; posts that do not exist are left out.
    pub async fn add_to_counters(
        tx: &mut PgTransaction<'_>,
        deltas: &HashMap<Uuid, Delta>,
    ) -> sqlx::Result<Vec<Counters>> {
        let ids: Vec<Uuid> = deltas.keys().copied().collect();
        let column = |of: fn(&Delta) -> i64| ids.iter().map(|id| of(&deltas[id])).collect::<Vec<i64>>();
        Self::lock(tx, &ids).await?;
        sqlx::query_as!(
            Counters,
            r#"update post set total_views = total_views + delta.views, total_comments = total_comments + delta.comments,
                total_reactions = total_reactions + delta.reactions, repeated_views = repeated_views + delta.repeated
            from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
                as delta (id, views, comments, reactions, repeated)
            left join lateral (select total_connections from author, post as p
                where p.id = delta.id and author.id = p.created_by) as author on true
            where post.id = delta.id
            returning post.id, post.total_views - post.repeated_views as "views!", post.total_comments, post.total_reactions,
                author.total_connections as "connections?""#,
            &ids,
            &column(|delta| delta.views),
            &column(|delta| delta.comments),
            &column(|delta| delta.reactions),
            &column(|delta| delta.repeated_views)
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Saves scores and popularities of posts whose counters this transaction has locked.
    pub async fn save_ratings(tx: &mut PgTransaction<'_>, ratings: &[(Uuid, f64, f64)]) -> sqlx::Result<()> {
        let ids: Vec<Uuid> = ratings.iter().map(|rating| rating.0).collect();
        let scores: Vec<f64> = ratings.iter().map(|rating| rating.1).collect();
        let popularities: Vec<f64> = ratings.iter().map(|rating| rating.2).collect();
        sqlx::query!(
            "update post set score = rating.score, popularity = rating.popularity
            from unnest($1::uuid[], $2::double precision[], $3::double precision[]) as rating (id, score, popularity)
            where post.id = rating.id",
            &ids,
            &scores,
            &popularities
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The authors of posts.
    pub async fn authors(db: impl PgExecutor<'_>, posts: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!("select distinct created_by from post where id = any($1)", posts).fetch_all(db).await
    }
}
