//! Search in the database: all of the SQL of this feature.
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use super::CANDIDATES;
use super::media_backfill::models::MediaBackfill;
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::posts::models::Post;

/// What is indexed of a post; each text is words with blanks between them.
#[derive(Debug)]
pub struct PostDocument {
    pub post: Uuid,
    /// The configuration of its language.
    pub config: &'static str,
    pub folded_title: String,
    pub folded_content: String,
    pub title: String,
    pub content: String,
    /// Tags and categories.
    pub labels: String,
    /// By what its title is suggested.
    pub keys: Vec<String>,
}

/// Writes documents of posts that this transaction has locked, and what their titles are suggested by, over what is there.
pub async fn save_documents(tx: &mut PgTransaction<'_>, documents: &[PostDocument]) -> sqlx::Result<()> {
    let column = |of: fn(&PostDocument) -> &str| documents.iter().map(|one| of(one).to_owned()).collect::<Vec<_>>();
    let keys = || documents.iter().flat_map(|one| one.keys.iter().map(|key| (one.post, key.clone())));
    sqlx::query!(
        "with document as (
            insert into post_search (post_id, author, published_at, types, config, document)
            select post.id, created_by, coalesce(published_at, created_at), types, config,
                setweight(to_tsvector('simple', folded_title), 'A') || setweight(to_tsvector('simple', text.labels), 'B')
                || setweight(to_tsvector('simple', folded_content), 'C')
                || case when config = 'simple' then '' else
                    setweight(to_tsvector(config::regconfig, text.title), 'A')
                    || setweight(to_tsvector(config::regconfig, text.content), 'C') end
            from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
                as text (id, config, folded_title, labels, folded_content, title, content)
            join post on post.id = text.id
            on conflict (post_id) do update set published_at = excluded.published_at, types = excluded.types,
                config = excluded.config, document = excluded.document, has_media = excluded.has_media
        ), outdated as (
            delete from search_key where post_id = any($1) and not exists (
                select from unnest($8::uuid[], $9::text[]) as kept (post_id, key)
                where kind = 'TITLE' and kept.post_id = search_key.post_id and kept.key = search_key.key)
        )
        insert into search_key (kind, key, post_id)
        select 'TITLE', key, post_id from unnest($8::uuid[], $9::text[]) as wanted (post_id, key)
        on conflict do nothing",
        &documents.iter().map(|one| one.post).collect::<Vec<_>>(),
        &column(|one| one.config),
        &column(|one| &one.folded_title),
        &column(|one| &one.labels),
        &column(|one| &one.folded_content),
        &column(|one| &one.title),
        &column(|one| &one.content),
        &keys().map(|(post, _)| post).collect::<Vec<_>>(),
        &keys().map(|(_, key)| key).collect::<Vec<_>>()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes posts out of the index.
pub async fn delete_documents(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!("delete from post_search where post_id = any($1)", posts).execute(&mut **tx).await?;
    Ok(())
}

/// How far the posts from before search are indexed. Its row is locked until the transaction ends.
pub struct Backfill {
    /// The last post that was looked at.
    pub after: Uuid,
    pub done_at: Option<Timestamp>,
}

impl Backfill {
    /// Locks the row; none when another replica has it.
    pub async fn claim(tx: &mut PgTransaction<'_>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(Self, "select after, done_at from search_backfill for update skip locked")
            .fetch_optional(&mut **tx)
            .await
    }

    /// The next posts in the order of ids.
    pub async fn list_next(&self, tx: &mut PgTransaction<'_>, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        let query = sqlx::query_scalar!("select id from post where id > $1 order by id limit $2", self.after, rows);
        query.fetch_all(&mut **tx).await
    }

    /// Notes the last post that was looked at; none: there are no more.
    pub async fn save(tx: &mut PgTransaction<'_>, last: Option<Uuid>) -> sqlx::Result<()> {
        sqlx::query!(
            "update search_backfill set after = coalesce($1, after), done_at = case when $1::uuid is null then now() end",
            last
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// Deletes up to `rows` keys of tags, which were kept here before they were looked up in `post_tag`; how many they were.
pub async fn delete_tag_keys(tx: &mut PgTransaction<'_>, rows: i64) -> sqlx::Result<u64> {
    let query = sqlx::query!(
        "delete from search_key where ctid = any(array(
            select ctid from search_key where kind = 'TAG' limit $1 for update skip locked))",
        rows
    );
    Ok(query.execute(&mut **tx).await?.rows_affected())
}

/// What a user searches for.
pub struct PostQuery<'a> {
    /// As [`begin_search`] has read it.
    pub tsquery: &'a str,
    pub author: Option<Uuid>,
    pub category: Option<&'a str>,
    pub tag: Option<&'a str>,
    /// All posts with the tag, where they are few, in place of the tag.
    pub tagged: Option<Vec<Uuid>>,
    /// Whether it shows pictures.
    pub has_media: Option<bool>,
    /// Whether only documents of posts with pictures are read, by their own index; what readers see of the pictures is asked besides.
    pub reads_media: bool,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// A post that was found.
pub struct FoundPost {
    pub post_id: Uuid,
    pub published_at: Timestamp,
    pub config: String,
}

/// Begins a transaction all of whose statements see one moment, and reads a query in the syntax of `websearch_to_tsquery`: as it is
/// written by the configuration of its language, and folded word by word. Each statement is planned for the words at hand: a rare
/// word is looked up in the index, and of a common one the newest posts are read until there are enough.
pub async fn begin_search(
    db: &PgPool,
    config: &str,
    written: &str,
    folded: &str,
) -> sqlx::Result<(PgTransaction<'static>, String)> {
    let mut tx = db.begin_with("begin isolation level repeatable read read only").await?;
    // Postgres remarks on a query of stop words only, which is no news here. The name of a configuration is looked up where it is
    // used: in the statements that search, that would be once per row.
    let query = sqlx::query!(
        r#"select set_config('plan_cache_mode', 'force_custom_plan', true) as plans,
            set_config('client_min_messages', 'warning', true) as remarks,
            (websearch_to_tsquery($1::text::regconfig, $2) || websearch_to_tsquery('simple', $3))::text as "tsquery!""#,
        config,
        written,
        folded
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok((tx, query.tsquery))
}

impl PostQuery<'_> {
    /// Looks up the posts with the tag, in the moment of the search. Where they are few, the search begins with them: with a common word,
    /// each of the posts that have it would be asked for the tag, newest first, until there are enough.
    pub async fn begin_with_tag(&mut self, tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
        let Some(tag) = self.tag else { return Ok(()) };
        let posts = sqlx::query_scalar!(
            r#"select post_id from post_tag where tag collate "C" = $1 limit $2"#,
            tag,
            CANDIDATES + 1
        )
        .fetch_all(&mut **tx)
        .await?;
        if i64::try_from(posts.len()).is_ok_and(|posts| posts <= CANDIDATES) {
            (self.tag, self.tagged) = (None, Some(posts));
        }
        Ok(())
    }

    /// Looks whether the search can begin with the posts that have pictures: with a common word, each of the posts that have it would be
    /// asked for pictures, newest first, until there are enough.
    pub async fn begin_with_media(&mut self, tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
        self.reads_media = self.has_media == Some(true) && MediaBackfill::is_done(tx).await?;
        Ok(())
    }

    /// The posts with the words that the viewer may see, newest first.
    pub async fn find_newest(
        &self,
        tx: &mut PgTransaction<'_>,
        viewer: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<FoundPost>> {
        sqlx::query_as!(
            FoundPost,
            r#"select post_id, published_at, config from post_search
            where document @@ $1::text::tsquery
                and ($2::uuid is null or author = $2) and ($3::text is null or types @> array[$3])
                and ($4::text is null or exists (
                    select from post_tag where post_tag.post_id = post_search.post_id and tag collate "C" = $4))
                and ($12::uuid[] is null or post_id = any($12))
                and ($5::timestamptz is null or published_at >= $5) and ($6::timestamptz is null or published_at < $6)
                and (published_at, post_id) < ($7, $8) and not hidden($9, author)
                and ($11::boolean is null
                    or exists (select from shown_media where shown_media.post_id = post_search.post_id) = $11)
                and (not $13::boolean or has_media)
            order by published_at desc, post_id desc limit $10"#,
            self.tsquery,
            self.author,
            self.category,
            self.tag,
            self.since as Option<Timestamp>,
            self.until as Option<Timestamp>,
            before.at,
            before.id,
            viewer,
            rows,
            self.has_media,
            self.tagged.as_deref(),
            self.reads_media
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// The same, published up to a moment, the most relevant first, behind the first `skipped`. A long text is not more relevant
    /// for its length.
    pub async fn find_most_relevant(
        &self,
        tx: &mut PgTransaction<'_>,
        viewer: Uuid,
        as_of: Timestamp,
        skipped: i64,
        rows: i64,
    ) -> sqlx::Result<Vec<FoundPost>> {
        sqlx::query_as!(
            FoundPost,
            r#"with candidate as materialized (
                select post_id, published_at, config, document from post_search
                where document @@ $1::text::tsquery
                    and ($2::uuid is null or author = $2) and ($3::text is null or types @> array[$3])
                    and ($4::text is null or exists (
                        select from post_tag where post_tag.post_id = post_search.post_id and tag collate "C" = $4))
                    and ($13::uuid[] is null or post_id = any($13))
                    and ($5::timestamptz is null or published_at >= $5)
                    and ($6::timestamptz is null or published_at < $6)
                    and published_at <= $7 and not hidden($8, author)
                    and ($12::boolean is null
                        or exists (select from shown_media where shown_media.post_id = post_search.post_id) = $12)
                    and (not $14::boolean or has_media)
                order by published_at desc, post_id desc limit $9
            )
            select post_id, published_at, config from candidate
            order by ts_rank(document, $1::text::tsquery, 1) desc, published_at desc, post_id desc
            offset $10 limit $11"#,
            self.tsquery,
            self.author,
            self.category,
            self.tag,
            self.since as Option<Timestamp>,
            self.until as Option<Timestamp>,
            as_of as Timestamp,
            viewer,
            CANDIDATES,
            skipped,
            rows,
            self.has_media,
            self.tagged.as_deref(),
            self.reads_media
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
            self.tsquery,
            configs,
            texts
        )
        .fetch_all(&mut **tx)
        .await
    }
}

/// The posts of these ids that the viewer may see, in no order.
pub async fn load_posts(tx: &mut PgTransaction<'_>, viewer: Uuid, ids: &[Uuid]) -> sqlx::Result<Vec<Post>> {
    sqlx::query_as!(
        Post,
        r#"select id, created_at, created_by, updated_at,
            edited_at, publish_at, publish_refused,
            updated_by, title, content, types, status, comments, total_views, total_comments,
            total_reactions, score, popularity, published_at, hidden_at, hidden_reason, restored_at, labels,
            false as "truncated!"
        from post where id = any($1) and visible(post, $2)"#,
        ids,
        viewer
    )
    .fetch_all(&mut **tx)
    .await
}
