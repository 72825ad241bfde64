//! Profiles, their sums per category and day, and the posts behind them in the database: all of the SQL of this feature.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::{Kind, Level};
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;

/// A profile as it is stored.
pub struct Profile {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub user_id: Uuid,
    pub total_owned_posts: i64,
    pub total_post_views: i64,
    pub total_post_reactions: i64,
    pub total_post_comments: i64,
    pub engagement_score: f64,
    pub status: Level,
    /// Posts per category; categories without a post are left out.
    pub summary: Json<HashMap<String, i64>>,
}

/// A user's level before a change. The row of their profile is locked until the transaction ends.
pub struct LockedProfile {
    pub user_id: Uuid,
    pub status: Level,
}

/// A user's activity per kind; negative when a deletion has overtaken its creation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub posts: i64,
    pub comments: i64,
    pub reactions: i64,
    pub views: i64,
}

/// The result of a calculation.
pub struct Rating {
    pub user_id: Uuid,
    pub engagement_score: f64,
    pub status: Level,
    /// The last day of its window; none when no activity is left that could enter or leave the window.
    pub scored_on: Option<NaiveDate>,
}

/// A post as this service stores it.
#[derive(Clone, Debug, PartialEq)]
pub struct Post {
    pub id: Uuid,
    pub user_id: Uuid,
    pub day: NaiveDate,
    /// Its categories; none when it was deleted.
    pub types: Option<Vec<String>>,
    pub version: DateTime<Utc>,
}

/// What is added to users' sums; may be negative.
#[derive(Default)]
pub struct Changes {
    activity: BTreeMap<(Uuid, NaiveDate, Kind), i64>,
    categories: BTreeMap<(Uuid, String), i64>,
    /// Views that are in the total and on no day, and so in no score.
    repeated_views: BTreeMap<Uuid, i64>,
}

impl Changes {
    /// Adds activity of a user on a day.
    pub fn add_activity(&mut self, user: Uuid, kind: Kind, day: NaiveDate, times: i64) {
        *self.activity.entry((user, day, kind)).or_default() += times;
    }

    /// Adds posts of a user in a category.
    pub fn add_category(&mut self, user: Uuid, category: &str, times: i64) {
        *self.categories.entry((user, category.to_owned())).or_default() += times;
    }

    /// Adds a view of a post that the user has viewed a short while ago.
    pub fn add_repeated_view(&mut self, user: Uuid) {
        *self.repeated_views.entry(user).or_default() += 1;
    }

    /// Removes sums of zero.
    pub fn remove_zeros(&mut self) {
        self.activity.retain(|_, times| *times != 0);
        self.categories.retain(|_, times| *times != 0);
    }

    /// The users whose sums change.
    pub fn users(&self) -> BTreeSet<Uuid> {
        let active = self.activity.keys().map(|key| key.0);
        active.chain(self.categories.keys().map(|key| key.0)).chain(self.repeated_views.keys().copied()).collect()
    }
}

impl Profile {
    /// A user's profile.
    pub async fn find(db: impl PgExecutor<'_>, user: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, created_at, updated_at, user_id,
                total_owned_posts, total_post_views, total_post_reactions, total_post_comments, engagement_score,
                status,
                coalesce((select jsonb_object_agg(category, total) from summary where summary.user_id = profile.user_id),
                    '{}') as "summary!: Json<HashMap<String, i64>>"
            from profile where user_id = $1"#,
            user
        )
        .fetch_optional(db)
        .await
    }

    /// A user's profile, with the sums per category and day, for the export of personal data.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select created_at as at, id, to_jsonb(profile) || jsonb_build_object(
                'summary', (select jsonb_agg(to_jsonb(summary)) from summary where user_id = profile.user_id),
                'activity', (select jsonb_agg(to_jsonb(activity)) from activity where user_id = profile.user_id)
            ) as "thing!"
            from profile where user_id = $1 and (created_at, id) < ($2, $3) limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Deletes a user's profile and sums; true when there was a profile.
    pub async fn erase(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<bool> {
        // The profile's row is the lock of all that follows.
        let erased = sqlx::query!("delete from profile where user_id = $1", user).execute(&mut **tx).await?;
        sqlx::query!("delete from summary where user_id = $1", user).execute(&mut **tx).await?;
        sqlx::query!("delete from activity where user_id = $1", user).execute(&mut **tx).await?;
        Ok(erased.rows_affected() > 0)
    }

    /// Creates the profiles that are missing, and locks all of them.
    pub async fn create_and_lock(
        tx: &mut PgTransaction<'_>,
        users: &BTreeSet<Uuid>,
    ) -> sqlx::Result<Vec<LockedProfile>> {
        let ids: Vec<Uuid> = users.iter().map(|_| Uuid::now_v7()).collect();
        let users: Vec<Uuid> = users.iter().copied().collect();
        sqlx::query!(
            "insert into profile (id, user_id) select id, user_id from unnest($1::uuid[], $2::uuid[]) as new (id, user_id)
            order by user_id on conflict (user_id) do nothing",
            &ids,
            &users
        )
        .execute(&mut **tx)
        .await?;
        Self::lock(tx, &users).await
    }

    /// Locks profiles until the transaction ends.
    pub async fn lock(tx: &mut PgTransaction<'_>, users: &[Uuid]) -> sqlx::Result<Vec<LockedProfile>> {
        // Several streams count at once: locks taken in one order cannot deadlock.
        sqlx::query_as!(
            LockedProfile,
            r#"select user_id, status from profile
            where user_id = any($1) order by user_id for update"#,
            users
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Adds to the totals, categories and days of users whose profiles this transaction has locked.
    pub async fn add_to_sums(tx: &mut PgTransaction<'_>, changes: &Changes) -> sqlx::Result<()> {
        let mut totals: BTreeMap<Uuid, Counts> =
            changes.users().into_iter().map(|user| (user, Counts::default())).collect();
        for ((user, _, kind), times) in &changes.activity {
            let sum = totals.entry(*user).or_default();
            match kind {
                Kind::Post => sum.posts += times,
                Kind::Comment => sum.comments += times,
                Kind::Reaction => sum.reactions += times,
                Kind::View => sum.views += times,
            }
        }
        for (user, times) in &changes.repeated_views {
            totals.entry(*user).or_default().views += times;
        }
        let column = |of: fn(&Counts) -> i64| totals.values().map(of).collect::<Vec<i64>>();
        sqlx::query!(
            "update profile set total_owned_posts = total_owned_posts + delta.posts,
                total_post_comments = total_post_comments + delta.comments,
                total_post_reactions = total_post_reactions + delta.reactions,
                total_post_views = total_post_views + delta.views, updated_at = now()
            from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
                as delta (user_id, posts, comments, reactions, views)
            where profile.user_id = delta.user_id",
            &totals.keys().copied().collect::<Vec<_>>(),
            &column(|sum| sum.posts),
            &column(|sum| sum.comments),
            &column(|sum| sum.reactions),
            &column(|sum| sum.views)
        )
        .execute(&mut **tx)
        .await?;
        count_days(tx, changes).await?;
        count_categories(tx, changes).await
    }

    /// The activity of users whose profiles this transaction has locked, from one day to another; users without any are left
    /// out. Deletes older activity, which no score counts any more.
    pub async fn count_window(
        tx: &mut PgTransaction<'_>,
        users: &[Uuid],
        from: NaiveDate,
        to: NaiveDate,
    ) -> sqlx::Result<HashMap<Uuid, Counts>> {
        sqlx::query!("delete from activity where user_id = any($1) and day < $2", users, from)
            .execute(&mut **tx)
            .await?;
        let rows = sqlx::query!(
            r#"select user_id,
                coalesce(sum(total) filter (where kind = 'POST' and day <= $2), 0)::bigint as "posts!",
                coalesce(sum(total) filter (where kind = 'COMMENT' and day <= $2), 0)::bigint as "comments!",
                coalesce(sum(total) filter (where kind = 'REACTION' and day <= $2), 0)::bigint as "reactions!",
                coalesce(sum(total) filter (where kind = 'VIEW' and day <= $2), 0)::bigint as "views!"
            from activity where user_id = any($1) group by user_id"#,
            users,
            to
        )
        .fetch_all(&mut **tx)
        .await?;
        let counts = rows.into_iter().map(|row| {
            let counts =
                Counts { posts: row.posts, comments: row.comments, reactions: row.reactions, views: row.views };
            (row.user_id, counts)
        });
        Ok(counts.collect())
    }

    /// Saves the ratings of users whose profiles this transaction has locked.
    pub async fn save_ratings(tx: &mut PgTransaction<'_>, ratings: &[Rating]) -> sqlx::Result<()> {
        let users: Vec<Uuid> = ratings.iter().map(|rating| rating.user_id).collect();
        let scores: Vec<f64> = ratings.iter().map(|rating| rating.engagement_score).collect();
        let levels: Vec<Level> = ratings.iter().map(|rating| rating.status).collect();
        let days: Vec<Option<NaiveDate>> = ratings.iter().map(|rating| rating.scored_on).collect();
        // The calendar job moves scored_on every day; that alone does not change updated_at.
        sqlx::query!(
            "update profile set engagement_score = rating.score, status = rating.status, scored_on = rating.scored_on,
                updated_at = case when engagement_score = rating.score then updated_at else now() end
            from unnest($1::uuid[], $2::double precision[], $3::text[], $4::date[])
                as rating (user_id, score, status, scored_on)
            where profile.user_id = rating.user_id and
                (engagement_score, profile.status, profile.scored_on)
                    is distinct from (rating.score, rating.status, rating.scored_on)",
            &users,
            &scores,
            &levels as &[Level],
            &days as &[Option<NaiveDate>]
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Up to `rows` users whose score was last calculated for a day before `today`, the oldest first.
    pub async fn list_due(db: impl PgExecutor<'_>, today: NaiveDate, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!("select user_id from profile where scored_on < $1 order by scored_on limit $2", today, rows)
            .fetch_all(db)
            .await
    }
}

async fn count_days(tx: &mut PgTransaction<'_>, changes: &Changes) -> sqlx::Result<()> {
    let keys = || changes.activity.keys();
    sqlx::query!(
        "insert into activity (user_id, day, kind, total)
        select * from unnest($1::uuid[], $2::date[], $3::text[], $4::bigint[])
        on conflict (user_id, day, kind) do update set total = activity.total + excluded.total",
        &keys().map(|key| key.0).collect::<Vec<_>>(),
        &keys().map(|key| key.1).collect::<Vec<_>>(),
        &keys().map(|key| key.2.word()).collect::<Vec<_>>() as &[&str],
        &changes.activity.values().copied().collect::<Vec<_>>()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn count_categories(tx: &mut PgTransaction<'_>, changes: &Changes) -> sqlx::Result<()> {
    if changes.categories.is_empty() {
        return Ok(());
    }
    let keys = || changes.categories.keys();
    sqlx::query!(
        "insert into summary (user_id, category, total) select * from unnest($1::uuid[], $2::text[], $3::bigint[])
        on conflict (user_id, category) do update set total = summary.total + excluded.total",
        &keys().map(|key| key.0).collect::<Vec<_>>(),
        &keys().map(|key| key.1.clone()).collect::<Vec<_>>(),
        &changes.categories.values().copied().collect::<Vec<_>>()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

impl Post {
    /// The stored ones of these posts; this transaction has locked the profiles of their authors.
    pub async fn list(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<Vec<Self>> {
        let rows = sqlx::query!(r#"select id, user_id, day, types, version from post where id = any($1)"#, posts)
            .fetch_all(&mut **tx)
            .await?;
        let post = rows.into_iter().map(|row| Self {
            id: row.id,
            user_id: row.user_id,
            day: row.day,
            types: row.types.map(|types| types.0),
            version: row.version.0,
        });
        Ok(post.collect())
    }

    /// Saves posts.
    pub async fn save(tx: &mut PgTransaction<'_>, posts: &[Self]) -> sqlx::Result<()> {
        let types: Vec<_> = posts.iter().map(|post| post.types.as_ref().map(Json)).collect();
        sqlx::query!(
            "insert into post (id, user_id, day, types, version)
            select * from unnest($1::uuid[], $2::uuid[], $3::date[], $4::jsonb[], $5::timestamptz[])
            on conflict (id) do update set types = excluded.types, version = excluded.version",
            &posts.iter().map(|post| post.id).collect::<Vec<_>>(),
            &posts.iter().map(|post| post.user_id).collect::<Vec<_>>(),
            &posts.iter().map(|post| post.day).collect::<Vec<_>>(),
            &types as &[Option<Json<&Vec<String>>>],
            &posts.iter().map(|post| post.version).collect::<Vec<_>>()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
