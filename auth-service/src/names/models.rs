//! Folded names in the database: all of the SQL of this room.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::folding::{VERSION, fold, keys};

/// Writes what those of these people are found by whose names have changed, from the names that they have now.
pub async fn refold(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
    let people = sqlx::query!(
        "select id, username, first_name, last_name from account join search_name on user_id = id
        where id = any($1) and folding < $2 order by id",
        ids,
        VERSION
    )
    .fetch_all(&mut **tx)
    .await?;
    if people.is_empty() {
        return Ok(());
    }
    let (mut found, mut texts, mut owners, mut beginnings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for person in people {
        let [username, first, last] =
            [person.username, person.first_name, person.last_name].map(Option::unwrap_or_default);
        for key in keys(&first, &last) {
            owners.push(person.id);
            beginnings.push(key);
        }
        found.push(person.id);
        texts.push(fold(&format!("{username} {first} {last}")));
    }
    sqlx::query!(
        "update search_name set folding = $3, text = folded.text
        from unnest($1::uuid[], $2::text[]) as folded (id, text) where user_id = folded.id",
        &found,
        &texts,
        VERSION
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("delete from search_key where user_id = any($1)", &found).execute(&mut **tx).await?;
    sqlx::query!(
        "insert into search_key (user_id, key) select * from unnest($1::uuid[], $2::text[])",
        &owners,
        &beginnings
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Some people whose names are not folded as they are now, locked until the transaction ends; those that another one writes
/// at this moment are left to it.
pub async fn lock_stale(db: impl PgExecutor<'_>, limit: i64) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select user_id from search_name where folding < $1 order by folding limit $2 for update skip locked",
        VERSION,
        limit
    )
    .fetch_all(db)
    .await
}
