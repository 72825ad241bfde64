//! Search in the database: all of the SQL of this feature but that of its parts.
use sqlx::PgTransaction;
use uuid::Uuid;

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
