//! People in the database: all of the SQL of this feature.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// One version of a person.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: Uuid,
    pub username: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub avatar_url: Option<String>,
    pub interests: Vec<String>,
    pub status: String,
    pub version: Timestamp,
}

impl Person {
    /// Saves versions of people. One that is older than the stored one changes nothing, and so does one of a person whose data
    /// are erased: their sign-up may be consumed behind their deletion.
    pub async fn save(tx: &mut PgTransaction<'_>, people: &[Self]) -> sqlx::Result<()> {
        let lists: Vec<_> = people.iter().map(|person| serde_json::json!(person.interests)).collect();
        // One statement writes a row once: of several versions of one person the newest is saved.
        sqlx::query!(
            "insert into person (id, username, first_name, last_name, avatar_url, interests, status, version)
            select distinct on (id) id, username, first_name, last_name, avatar_url,
                array(select jsonb_array_elements_text(interests)), status, version
            from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::text[],
                $8::timestamptz[])
                as seen (id, username, first_name, last_name, avatar_url, interests, status, version)
            where not exists (select from erasure where erasure.person = seen.id)
            order by id, version desc
            on conflict (id) do update set username = excluded.username, first_name = excluded.first_name,
                last_name = excluded.last_name, avatar_url = excluded.avatar_url, interests = excluded.interests,
                status = excluded.status, version = excluded.version
            where person.version <= excluded.version",
            &people.iter().map(|person| person.id).collect::<Vec<_>>(),
            &people.iter().map(|person| person.username.clone()).collect::<Vec<_>>() as &[Option<String>],
            &people.iter().map(|person| person.first_name.clone()).collect::<Vec<_>>() as &[Option<String>],
            &people.iter().map(|person| person.last_name.clone()).collect::<Vec<_>>() as &[Option<String>],
            &people.iter().map(|person| person.avatar_url.clone()).collect::<Vec<_>>() as &[Option<String>],
            &lists,
            &people.iter().map(|person| person.status.clone()).collect::<Vec<_>>(),
            &people.iter().map(|person| person.version).collect::<Vec<_>>() as &[Timestamp]
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Deletes a person.
    pub async fn delete(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from person where id = $1", id).execute(&mut **tx).await?;
        Ok(())
    }
}
