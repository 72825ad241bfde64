//! The connections of authors in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

/// Saves how many connections authors have; `None` when the number is unknown.
pub async fn save_connections(db: impl PgExecutor<'_>, authors: &[(Uuid, Option<i64>)]) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = authors.iter().map(|author| author.0).collect();
    let connections: Vec<i64> = authors.iter().map(|author| author.1.unwrap_or(0)).collect();
    sqlx::query!(
        "insert into author (id, total_connections) select * from unnest($1::uuid[], $2::bigint[])
        on conflict (id) do update set total_connections = excluded.total_connections
        where author.total_connections <> excluded.total_connections",
        &ids,
        &connections
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes the row of an author.
pub async fn delete_author(tx: &mut PgTransaction<'_>, author: Uuid) -> sqlx::Result<()> {
    sqlx::query!("delete from author where id = $1", author).execute(&mut **tx).await?;
    Ok(())
}
