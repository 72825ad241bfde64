//! Views of a short while ago, in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::ViewWindow;
use crate::core::api::pagination::Cursor;
use crate::core::doors::personal_data::PersonalDataItem;

/// Views deleted in one statement.
const BATCH: i64 = 5_000;

/// A view of a post by a user, by which their next ones are recognised as repeated.
pub struct PostView;

impl PostView {
    /// Saves a view; false when it is a repeated one, since another one was saved within the window. What it was `shown` with is for the
    /// release before, which answers repeated views by it.
    pub async fn save(
        tx: &mut PgTransaction<'_>,
        viewer: Uuid,
        post: Uuid,
        shown: i64,
        window: ViewWindow,
    ) -> sqlx::Result<bool> {
        let saved = sqlx::query!(
            "insert into post_view (id, viewer, post_id, shown) values ($1, $2, $3, $4)
            on conflict on constraint post_view_viewer_post_id_key
            do update set viewed_at = excluded.viewed_at, shown = excluded.shown
            where post_view.viewed_at <= now() - make_interval(secs => $5)",
            Uuid::now_v7(),
            viewer,
            post,
            shown,
            window.seconds()
        )
        .execute(&mut **tx)
        .await?;
        Ok(saved.rows_affected() == 1)
    }

    /// Deletes a batch of the views from before the window; true when there may be more.
    pub async fn delete_expired(db: impl PgExecutor<'_>, window: ViewWindow) -> sqlx::Result<bool> {
        let deleted = sqlx::query!(
            "delete from post_view where id in (
                select id from post_view where viewed_at <= now() - make_interval(secs => $1)
                limit $2 for update skip locked)",
            window.seconds(),
            BATCH
        )
        .execute(db)
        .await?;
        Ok(deleted.rows_affected() > 0)
    }

    /// Deletes up to `rows` views of a user; true when there may be more.
    pub async fn delete_by_viewer(tx: &mut PgTransaction<'_>, viewer: Uuid, rows: i64) -> sqlx::Result<bool> {
        let deleted = sqlx::query!(
            "delete from post_view where id in (select id from post_view where viewer = $1 limit $2)",
            viewer,
            rows
        );
        Ok(deleted.execute(&mut **tx).await?.rows_affected() > 0)
    }

    /// A user's views for the export of personal data, newest first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select viewed_at as at, id, to_json(post_view) as "thing!" from post_view
            where viewer = $1 and (viewed_at, id) < ($2, $3) order by viewed_at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}
