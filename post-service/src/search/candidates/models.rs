//! Candidates of a search in the database: all of the SQL of this feature.
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use super::{COMMON, GLANCE};
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::search::media_backfill::models::MediaBackfill;

/// The words of a search, as Postgres has read them.
#[derive(Debug)]
pub struct SearchWords {
    /// What a document must fit.
    pub tsquery: String,
    /// What the index can say of it: the words that must be there, wherever they stand, and those of the tag and the category. All
    /// documents that fit have them. Empty where there are none.
    pub lookup: String,
}

/// What a user searches for.
pub struct PostQuery<'a> {
    /// As [`begin_search`] has read them.
    pub words: &'a SearchWords,
    pub author: Option<Uuid>,
    pub category: Option<&'a str>,
    pub tag: Option<&'a str>,
    /// Whether it shows pictures.
    pub has_media: Option<bool>,
    /// Whether only documents of posts with pictures are read, by their own index; what readers see of the pictures is asked besides.
    pub reads_media: bool,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// How many posts are read at most.
    pub max_read: i64,
}

/// Which of the posts are candidates: those that the viewer may see, behind a place.
#[derive(Clone, Copy)]
pub struct SearchWindow {
    pub viewer: Uuid,
    pub before: Cursor,
    /// How many at most.
    pub most: i64,
    /// Whether it is asked how well each fits.
    pub ranks: bool,
}

/// A post that was found.
pub struct FoundPost {
    pub post_id: Uuid,
    pub published_at: Timestamp,
    pub config: String,
    /// How well it fits, where that is asked. A long text does not fit better for its length.
    pub rank: f32,
    /// Whether it was not looked at: the first post behind those that were read.
    pub is_unread: bool,
}

/// The newest posts that a search finds.
pub struct Candidates {
    pub posts: Vec<FoundPost>,
    /// The place behind which the posts lie that were not read; none where all were, or there are as many candidates as were asked for.
    pub rest: Option<Cursor>,
}

/// Begins a transaction all of whose statements see one moment, and reads a query in the syntax of `websearch_to_tsquery`: as it is
/// written by the configuration of its language, and folded word by word; `labels` are the words of the tag and the category.
pub async fn begin_search(
    db: &PgPool,
    config: &str,
    written: &str,
    folded: &str,
    labels: &str,
) -> sqlx::Result<(PgTransaction<'static>, SearchWords)> {
    let mut tx = db.begin_with("begin isolation level repeatable read read only").await?;
    // Which filters are given decides which index is read, and that it is one is no matter of estimates: they know nothing of words that
    // stand together, and of a post that many have of late. What an estimate thinks dear is not compiled for that. Postgres remarks on a
    // query of stop words only, which is no news here.
    sqlx::query!(
        "select set_config('plan_cache_mode', 'force_custom_plan', true) as plans,
            set_config('enable_seqscan', 'off', true) as scans, set_config('enable_sort', 'off', true) as sorts,
            set_config('jit', 'off', true) as compilation, set_config('client_min_messages', 'warning', true) as remarks"
    )
    .fetch_one(&mut *tx)
    .await?;
    // Of `the -engine` nothing but the exclusion is left where a stemmer drops the other word, and nearly all posts would fit that: then
    // they must fit both readings. The name of a configuration is looked up here: in the statements that search, that would be once per row.
    let words = sqlx::query_as!(
        SearchWords,
        r#"with reading as (
            select websearch_to_tsquery($1::text::regconfig, $2) as written, websearch_to_tsquery('simple', $3) as folded
        ), query as (
            select case when querytree(written) = 'T' then written && folded else written || folded end as words from reading
        )
        select words::text as "tsquery!",
            (case when querytree(words) = 'T' then ''::tsquery
                else regexp_replace(querytree(words), '<(-|\d+)>', '&', 'g')::tsquery end
                && plainto_tsquery('simple', $4))::text as "lookup!"
        from query"#,
        config,
        written,
        folded,
        labels
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok((tx, words))
}

impl PostQuery<'_> {
    /// Looks whether the posts that have pictures can be read alone: all older documents must say so.
    pub async fn begin_with_media(&mut self, tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
        self.reads_media = self.has_media == Some(true) && MediaBackfill::is_done(tx).await?;
        Ok(())
    }

    /// The newest posts that fit, as many as are asked for, or as a bounded number of rows has.
    pub async fn find(&self, tx: &mut PgTransaction<'_>, window: SearchWindow) -> sqlx::Result<Candidates> {
        // Of a text that can be no tag: the index knows nothing of it, so posts would be asked for it to the last.
        if self.tag == Some("") {
            return Ok(Candidates { posts: Vec::new(), rest: None });
        }
        let is_common = if self.tag.is_some() {
            // Few of the newest posts have it, so they would be asked for it in vain.
            false
        } else {
            let newest = self.read_newest(tx, window, GLANCE).await?;
            if newest.rest.is_none() {
                return Ok(newest);
            }
            i64::try_from(newest.posts.len()).is_ok_and(|found| found * COMMON >= GLANCE)
        };
        if !is_common && self.are_few(tx).await? {
            return Ok(Candidates { posts: self.read_looked_up(tx, window).await?, rest: None });
        }
        self.read_newest(tx, window, self.max_read).await
    }

    /// Reads up to `rows` of the newest posts: of the author, or with pictures, where these are asked for, and else of all.
    async fn read_newest(
        &self,
        tx: &mut PgTransaction<'_>,
        window: SearchWindow,
        rows: i64,
    ) -> sqlx::Result<Candidates> {
        let SearchWindow { viewer, before, most, ranks } = window;
        // The rows come in the order of an index, and no more of them than it takes to find enough. With `offset 0` the tag and the pictures
        // are asked of each post, and not first of all posts.
        let mut posts = sqlx::query_as!(
            FoundPost,
            r#"select post_id as "post_id!", published_at as "published_at!", config as "config!",
                case when $9::boolean then ts_rank(document, $1::text::tsquery, 1) else 0::real end as "rank!",
                number > $10::bigint as "is_unread!"
            from (
                select post_id, author, published_at, types, config, document, has_media,
                    row_number() over (order by published_at desc, post_id desc) as number
                from (
                    select post_id, author, published_at, types, config, document, has_media from post_search
                    where ($2::uuid is null or author = $2) and (not $11::boolean or has_media)
                        and ($3::timestamptz is null or published_at >= $3) and ($4::timestamptz is null or published_at < $4)
                        and (published_at, post_id) < ($5, $6)
                    order by published_at desc, post_id desc limit $10::bigint + 1
                ) as newest
            ) as read
            where number > $10::bigint or (
                document @@ $1::text::tsquery and ($12::text is null or types @> array[$12])
                and (not $13::boolean or has_media) and not hidden($7, author)
                and ($14::text is null or exists (
                    select from post_tag where post_tag.post_id = read.post_id and tag collate "C" = $14 offset 0))
                and ($15::boolean is null or exists (
                    select from shown_media where shown_media.post_id = read.post_id offset 0) = $15))
            order by published_at desc, post_id desc limit $8"#,
            self.words.tsquery,
            self.author,
            self.since as Option<Timestamp>,
            self.until as Option<Timestamp>,
            before.at,
            before.id,
            viewer,
            most,
            ranks,
            rows,
            self.reads_media && self.author.is_none(),
            self.category,
            self.reads_media,
            self.tag,
            self.has_media
        )
        .fetch_all(&mut **tx)
        .await?;
        // The place right before the first post that was not read.
        let unread = posts.pop_if(|last| last.is_unread);
        let rest = unread.map(|post| Cursor {
            at: post.published_at,
            id: Uuid::from_u128(post.post_id.as_u128().saturating_add(1)),
        });
        Ok(Candidates { posts, rest })
    }

    /// Whether no more posts have the words than can be read.
    async fn are_few(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<bool> {
        if self.words.lookup.is_empty() {
            return Ok(false);
        }
        sqlx::query_scalar!(
            r#"select count(*) <= $2::bigint as "are_few!" from (
                select from post_search where document @@ $1::text::tsquery limit $2::bigint + 1
            ) as found"#,
            self.words.lookup,
            self.max_read
        )
        .fetch_one(&mut **tx)
        .await
    }

    /// Reads the posts that have the words, which are few.
    async fn read_looked_up(&self, tx: &mut PgTransaction<'_>, window: SearchWindow) -> sqlx::Result<Vec<FoundPost>> {
        let SearchWindow { viewer, before, most, ranks } = window;
        sqlx::query_as!(
            FoundPost,
            r#"select post_id as "post_id!", published_at as "published_at!", config as "config!",
                case when $9::boolean then ts_rank(document, $1::text::tsquery, 1) else 0::real end as "rank!",
                false as "is_unread!"
            from (
                select post_id, published_at, config, document from (
                    select post_id, author, published_at, types, config, document, has_media from post_search
                    where document @@ $10::text::tsquery offset 0
                ) as found
                where document @@ $1::text::tsquery and ($2::uuid is null or author = $2)
                    and ($3::timestamptz is null or published_at >= $3) and ($4::timestamptz is null or published_at < $4)
                    and (published_at, post_id) < ($5, $6)
                    and ($11::text is null or types @> array[$11])
                    and (not $12::boolean or has_media) and not hidden($7, author)
                    and ($13::text is null or exists (
                        select from post_tag where post_tag.post_id = found.post_id and tag collate "C" = $13 offset 0))
                    and ($14::boolean is null or exists (
                        select from shown_media where shown_media.post_id = found.post_id offset 0) = $14)
                order by published_at desc, post_id desc limit $8
            ) as candidate
            order by published_at desc, post_id desc"#,
            self.words.tsquery,
            self.author,
            self.since as Option<Timestamp>,
            self.until as Option<Timestamp>,
            before.at,
            before.id,
            viewer,
            most,
            ranks,
            self.words.lookup,
            self.category,
            self.reads_media,
            self.tag,
            self.has_media
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Texts of words, with `<` and `>` around those that are searched for: each by its configuration.
    pub async fn mark(
        &self,
        tx: &mut PgTransaction<'_>,
        configs: &[String],
        texts: &[String],
    ) -> sqlx::Result<Vec<String>> {
        sqlx::query_scalar!(
            r#"select ts_headline(text.config::regconfig, text.words, $1::text::tsquery,
                'HighlightAll=true, StartSel=<, StopSel=>') as "marked!"
            from unnest($2::text[], $3::text[]) with ordinality as text (config, words, place) order by place"#,
            self.words.tsquery,
            configs,
            texts
        )
        .fetch_all(&mut **tx)
        .await
    }
}
