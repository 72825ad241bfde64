//! Moderated posts in the database: all of the SQL of this feature.
use sqlx::PgTransaction;
use uuid::Uuid;

/// What a decision says about a post in feeds.
#[derive(Clone, Debug)]
pub struct PostLimit {
    pub post_id: Uuid,
    pub author: Uuid,
    pub version: i64,
    /// Whether only its author has it in feeds.
    pub limited: bool,
}

impl PostLimit {
    /// Saves decisions; one that is older than the stored one changes nothing, and so does one about a post of an author whose data
    /// are erased. Returns the posts that are limited no more.
    pub async fn save(tx: &mut PgTransaction<'_>, limits: &[Self]) -> sqlx::Result<Vec<Uuid>> {
        let ids: Vec<Uuid> = limits.iter().map(|limit| limit.post_id).collect();
        let limited = sqlx::query_scalar!(
            "select post_id from moderated_post where post_id = any($1) and limited order by post_id for update",
            &ids
        )
        .fetch_all(&mut **tx)
        .await?;
        // One statement writes a row once: of several decisions about one post the newest is saved.
        let open = sqlx::query_scalar!(
            r#"with saved as (
                insert into moderated_post (post_id, author, version, limited)
                select distinct on (post_id) post_id, author, version, limited
                from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::boolean[]) as seen (post_id, author, version, limited)
                where not exists (select from erasure where person = author)
                order by post_id, version desc
                on conflict (post_id) do update set version = excluded.version, limited = excluded.limited
                where moderated_post.version < excluded.version
                returning post_id, limited
            )
            select post_id from saved where not limited"#,
            &ids,
            &limits.iter().map(|limit| limit.author).collect::<Vec<_>>(),
            &limits.iter().map(|limit| limit.version).collect::<Vec<_>>(),
            &limits.iter().map(|limit| limit.limited).collect::<Vec<_>>()
        )
        .fetch_all(&mut **tx)
        .await?;
        Ok(open.into_iter().filter(|post| limited.contains(post)).collect())
    }

    /// Deletes up to `rows` of what is stored about an author's posts; true when there may be more.
    pub async fn delete_by_author(tx: &mut PgTransaction<'_>, author: Uuid, rows: i64) -> sqlx::Result<bool> {
        let deleted = sqlx::query!(
            "delete from moderated_post
            where post_id in (select post_id from moderated_post where author = $1 order by post_id limit $2 for update)",
            author,
            rows
        )
        .execute(&mut **tx)
        .await?;
        Ok(deleted.rows_affected() > 0)
    }
}

/// All labels of a post.
#[derive(Clone, Debug)]
pub struct PostLabels {
    pub post_id: Uuid,
    pub author: Uuid,
    pub version: i64,
    pub labels: Vec<String>,
}

impl PostLabels {
    /// Saves labels by the same rules as decisions.
    pub async fn save(tx: &mut PgTransaction<'_>, posts: &[Self]) -> sqlx::Result<()> {
        let lists: Vec<_> = posts.iter().map(|post| serde_json::json!(post.labels)).collect();
        sqlx::query!(
            "insert into moderated_post (post_id, author, labels_version, labels)
            select distinct on (post_id) post_id, author, version, array(select jsonb_array_elements_text(labels))
            from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::jsonb[]) as seen (post_id, author, version, labels)
            where not exists (select from erasure where person = author)
            order by post_id, version desc
            on conflict (post_id) do update set labels_version = excluded.labels_version, labels = excluded.labels
            where moderated_post.labels_version < excluded.labels_version",
            &posts.iter().map(|post| post.post_id).collect::<Vec<_>>(),
            &posts.iter().map(|post| post.author).collect::<Vec<_>>(),
            &posts.iter().map(|post| post.version).collect::<Vec<_>>(),
            &lists
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
