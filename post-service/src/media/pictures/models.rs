//! The pictures of profiles in the database: all of the SQL of this feature.
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::media::Purpose;

/// Which picture a person has as avatar or as banner.
#[derive(Clone, Debug)]
pub struct ProfilePicture {
    pub user_id: Uuid,
    pub purpose: Purpose,
    pub media_id: Option<Uuid>,
    pub version: i64,
}

/// A change of one: how it is now, and the picture that it was.
pub struct PictureChange {
    pub picture: ProfilePicture,
    pub replaced: Option<Uuid>,
}

impl ProfilePicture {
    /// Lets changes of a person's profile take turns until the transaction ends, and locks the picture that it shows and the one that it
    /// is to show, together: the one by which it is replaced is known from then on, but that it may be deleted or hidden meanwhile.
    pub async fn lock(
        tx: &mut PgTransaction<'_>,
        user: Uuid,
        purpose: Purpose,
        media: Option<Uuid>,
    ) -> sqlx::Result<()> {
        sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", format!("profile of {user}"))
            .execute(&mut **tx)
            .await?;
        sqlx::query!(
            "select id from media
            where id = $3 or id = (select media_id from profile_picture where user_id = $1 and purpose = $2)
            order by id for update",
            user,
            purpose as Purpose,
            media
        )
        .fetch_all(&mut **tx)
        .await?;
        Ok(())
    }

    /// Whether a picture that this transaction has locked is a person's own and can be shown as what it is for.
    pub async fn is_ready(
        tx: &mut PgTransaction<'_>,
        owner: Uuid,
        media: Uuid,
        purpose: Purpose,
    ) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"select exists (select from media
                where id = $1 and created_by = $2 and purpose = $3 and status = 'READY' and hidden_at is null) as "is_ready!""#,
            media,
            owner,
            purpose as Purpose
        )
        .fetch_one(&mut **tx)
        .await
    }

    /// Chooses a picture, or none, on a profile whose pictures this transaction has locked; none is returned when it was that before.
    pub async fn choose(
        tx: &mut PgTransaction<'_>,
        user: Uuid,
        purpose: Purpose,
        media: Option<Uuid>,
    ) -> sqlx::Result<Option<PictureChange>> {
        // The row is there from now on and locked, so that the next statement sees what it was.
        sqlx::query!(
            "insert into profile_picture (user_id, purpose, version) values ($1, $2, 0)
            on conflict (user_id, purpose) do update set version = profile_picture.version",
            user,
            purpose as Purpose
        )
        .execute(&mut **tx)
        .await?;
        let changed = sqlx::query!(
            r#"update profile_picture set media_id = $3, version = profile_picture.version + 1
            from profile_picture as before
            where profile_picture.user_id = $1 and profile_picture.purpose = $2
                and before.user_id = $1 and before.purpose = $2 and before.media_id is distinct from $3
            returning profile_picture.version, before.media_id as replaced"#,
            user,
            purpose as Purpose,
            media
        )
        .fetch_optional(&mut **tx)
        .await?;
        Ok(changed.map(|row| PictureChange {
            picture: Self { user_id: user, purpose, media_id: media, version: row.version },
            replaced: row.replaced,
        }))
    }

    /// Takes pictures off all profiles that show them; those profiles.
    pub async fn take_off(tx: &mut PgTransaction<'_>, media: &[Uuid]) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"update profile_picture set media_id = null, version = version + 1 where media_id = any($1)
            returning user_id, purpose, media_id, version"#,
            media
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Deletes what is known of a person's profile.
    pub async fn delete_of(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from profile_picture where user_id = $1", person).execute(&mut **tx).await?;
        Ok(())
    }
}

/// The avatar and the banner of a person for the export of personal data. They have no time of their own: they are listed as of the
/// beginning of time, by their pictures.
pub async fn list_personal_pictures(
    db: &PgPool,
    user: Uuid,
    before: Cursor,
    rows: i64,
) -> sqlx::Result<Vec<PersonalDataItem>> {
    sqlx::query_as!(
        PersonalDataItem,
        r#"select to_timestamp(0) as "at!", media_id as "id!", json_build_object('purpose', purpose, 'media_id', media_id,
            'file', '/api/v1/media/' || media_id || '/medium') as "thing!"
        from profile_picture where user_id = $1 and media_id is not null and (to_timestamp(0), media_id) < ($2, $3)
        order by media_id desc limit $4"#,
        user,
        before.at,
        before.id,
        rows
    )
    .fetch_all(db)
    .await
}
