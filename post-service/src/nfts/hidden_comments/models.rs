//! How far comments were asked about, in the database: all of the SQL of it.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

/// How far it was asked which comments were hidden before.
pub struct HiddenCommentCheck;

/// The NFT of a comment of which no event has said whether it is hidden.
pub struct UncertainNft {
    pub id: Uuid,
    pub comment: Uuid,
}

impl HiddenCommentCheck {
    /// Whether all were asked about.
    pub async fn is_done(db: impl PgExecutor<'_>) -> sqlx::Result<bool> {
        sqlx::query_scalar!(r#"select done_at is not null as "done!" from hidden_comment_check"#).fetch_one(db).await
    }

    /// The next ones that other users are shown, in the order of ids.
    pub async fn list_next(db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<Vec<UncertainNft>> {
        sqlx::query_as!(
            UncertainNft,
            "select id, subject_id as comment from mint
            where kind = 'COMMENT' and content_version is null and token_uri is not null and status <> 'CANCELLED'
                and id > (select done_to from hidden_comment_check)
            order by id limit $1",
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Notes those of them whose comments are hidden, and how far that is; none: there are no more. What an event has said meanwhile holds,
    /// and so does what one will say.
    pub async fn save(tx: &mut PgTransaction<'_>, hidden: &[Uuid], done_to: Option<Uuid>) -> sqlx::Result<()> {
        sqlx::query!(
            "update mint set content_hidden = true
            where id in (select id from mint where kind = 'COMMENT' and id = any($1) order by id for update)
                and kind = 'COMMENT' and content_version is null",
            hidden
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "update hidden_comment_check set done_to = greatest(done_to, $1),
                done_at = case when $1::uuid is null then now() else done_at end",
            done_to
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
