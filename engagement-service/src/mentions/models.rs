//! Mentions in the database: all of the SQL of this feature.
use sqlx::PgTransaction;
use uuid::Uuid;

/// The mentions of people in texts.
pub struct Mention;

impl Mention {
    /// Brings the mentions of posts in line with their stored versions.
    /// A draft has none yet.
    pub async fn refresh_posts(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "with named as materialized (
                select distinct post_card.id, lower(facet ->> 'value') as name, user_id, version
                from post_card cross join lateral jsonb_array_elements(facets) as facet
                where post_card.id = any($1) and deleted_at is null and published_at is not null
                    and facet ->> 'kind' = 'MENTION'
            ), ended as (
                update mention set stands = false
                where source_id = any($1) and stands
                    and not exists (select from named where named.id = source_id and named.name = mention.name)
            )
            insert into mention (source_id, name, post_id, author_id, person_id, at)
            select distinct on (named.id, named.name) named.id, named.name, named.id, named.user_id, person.id, named.version
            from named join person on lower(person.username) = named.name
            where not exists (select from erasure where person = named.user_id)
            order by named.id, named.name, person.version desc
            on conflict (source_id, name) do update set stands = true where not mention.stands",
            posts
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The same for comments. One that moderation hides has none until it is restored.
    pub async fn refresh_comments(tx: &mut PgTransaction<'_>, comments: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "with named as materialized (
                select distinct comment_card.id, name, post_id, user_id, version
                from comment_card cross join lateral unnest(mentions) as name
                where comment_card.id = any($1) and deleted_at is null and not hidden
            ), ended as (
                update mention set stands = false
                where source_id = any($1) and stands
                    and not exists (select from named where named.id = source_id and named.name = mention.name)
            )
            insert into mention (source_id, name, post_id, author_id, person_id, at)
            select distinct on (named.id, named.name)
                named.id, named.name, named.post_id, named.user_id, person.id, named.version
            from named join person on lower(person.username) = named.name
            where not exists (select from erasure where person = named.user_id)
            order by named.id, named.name, person.version desc
            on conflict (source_id, name) do update set stands = true where not mention.stands",
            comments
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Ends mentions by these authors on these posts that the stored versions of their texts do not have: of texts that were changed or
    /// deleted by other ways than an event. Those in a comment whose words are not known stay. What another transaction has locked is
    /// being brought in line there.
    pub async fn end_vanished(tx: &mut PgTransaction<'_>, posts: &[Uuid], authors: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "update mention set stands = false where (source_id, name) in (
                select mention.source_id, mention.name
                from unnest($1::uuid[], $2::uuid[]) as touched (post_id, author_id)
                join mention on mention.post_id = touched.post_id and mention.author_id = touched.author_id and mention.stands
                where not exists (
                    select from post_card cross join lateral jsonb_array_elements(facets) as facet
                    where post_card.id = mention.source_id and deleted_at is null and published_at is not null
                        and facet ->> 'kind' = 'MENTION' and lower(facet ->> 'value') = mention.name
                ) and not exists (
                    select from comment_card
                    where comment_card.id = mention.source_id and deleted_at is null and not hidden
                        and (comment_card.mentions is null or mention.name = any(comment_card.mentions))
                )
                for update of mention skip locked
            )",
            posts,
            authors
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Deletes up to `rows` mentions by a person and of a person; true when there may be more.
    pub async fn delete_by_user(tx: &mut PgTransaction<'_>, user: Uuid, rows: i64) -> sqlx::Result<bool> {
        let query = sqlx::query!(
            "delete from mention where (source_id, name) in (
                select source_id, name from mention where author_id = $1 or person_id = $1 limit $2)",
            user,
            rows
        );
        Ok(query.execute(&mut **tx).await?.rows_affected() > 0)
    }
}
