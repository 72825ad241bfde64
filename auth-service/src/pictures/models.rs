//! Chosen pictures in the database: all of the SQL of this feature.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::PicturePurpose;

/// What a person has chosen, or that they have chosen none.
#[derive(Clone, Debug)]
pub struct ChosenPicture {
    pub user_id: Uuid,
    pub purpose: PicturePurpose,
    pub url: Option<String>,
    pub version: i64,
}

impl ChosenPicture {
    /// Saves the choice, and puts its address into the profile; whether the profile has changed. An older choice changes nothing, and
    /// so does one of a person without an account; one that ends takes its own address out of the profile and no other.
    pub async fn save(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<bool> {
        let account = sqlx::query_scalar!("select id from account where id = $1 for no key update", self.user_id)
            .fetch_optional(&mut **tx)
            .await?;
        if account.is_none() {
            return Ok(false);
        }
        let before = sqlx::query_scalar!(
            "select url from profile_picture where user_id = $1 and purpose = $2",
            self.user_id,
            self.purpose as PicturePurpose
        )
        .fetch_optional(&mut **tx)
        .await?
        .flatten();
        let saved = sqlx::query!(
            "insert into profile_picture (user_id, purpose, url, version) values ($1, $2, $3, $4)
            on conflict (user_id, purpose) do update set url = excluded.url, version = excluded.version
            where profile_picture.version < excluded.version",
            self.user_id,
            self.purpose as PicturePurpose,
            self.url,
            self.version
        )
        .execute(&mut **tx)
        .await?;
        if saved.rows_affected() == 0 {
            return Ok(false);
        }
        let changed = sqlx::query!(
            "update account set
                avatar_url = case when $2 = 'AVATAR' then $3 else avatar_url end,
                banner_url = case when $2 = 'BANNER' then $3 else banner_url end,
                updated_at = greatest(now(), updated_at + interval '1 microsecond')
            where id = $1 and case when $2 = 'AVATAR' then avatar_url else banner_url end is distinct from $3
                and ($3::text is not null or case when $2 = 'AVATAR' then avatar_url else banner_url end = $4)",
            self.user_id,
            self.purpose as PicturePurpose,
            self.url,
            before
        )
        .execute(&mut **tx)
        .await?;
        Ok(changed.rows_affected() == 1)
    }
}
