//! Erasures that are not confirmed yet, in the database: all of the SQL of this feature.
use sqlx::PgTransaction;
use uuid::Uuid;

/// An erasure whose rows are deleted here, and that is confirmed when the files are, too.
pub struct UnconfirmedErasure;

impl UnconfirmedErasure {
    /// Notes that a person's erasure is to be confirmed; once it is, its second pass changes nothing.
    pub async fn save(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into unconfirmed_erasure (person)
            select person from erasure where person = $1 and confirmed_at is null
            on conflict (person) do nothing",
            person
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Takes up to `rows` of those that are finished: the worker of erasures has ended its first pass, and no file and no address to which a
    /// file could be written waits to be deleted. Returns the people.
    pub async fn take_finished(tx: &mut PgTransaction<'_>, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!(
            "delete from unconfirmed_erasure where person in (
                select waiting.person from unconfirmed_erasure as waiting join erasure on erasure.person = waiting.person
                where erasure.confirmed_at is not null
                    and not exists (select from media_blob where doomed_at is not null and owner = waiting.person)
                    and not exists (select from media_upload where created_by = waiting.person)
                order by waiting.person limit $1 for update of waiting skip locked)
            returning person",
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }
}
