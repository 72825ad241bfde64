//! The database of a platform that is measured, as its superuser sees it: all five schemas, which no service does.

use anyhow::{Context, Result};
use reqwest::Url;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::{FromRow, PgPool, Postgres, SqlSafeStr};

/// Connects as the superuser; what is not qualified is looked for in `schema`.
pub async fn open(url: &Url, schema: &str, connections: u32) -> Result<PgPool> {
    let options: PgConnectOptions = url.as_str().parse().context("the address of Postgres is none")?;
    let options = options.application_name("cargo stack bench").options([("search_path", schema)]);
    let pool = PgPoolOptions::new().max_connections(connections).connect_with(options).await;
    pool.context("Postgres cannot be reached")
}

/// A statement.
#[expect(clippy::disallowed_methods, reason = "no database at compile time has the tables of all five services")]
pub fn sql(text: impl SqlSafeStr) -> Query<'static, Postgres, PgArguments> {
    sqlx::query(text)
}

/// A query that returns rows.
#[expect(clippy::disallowed_methods, reason = "no database at compile time has the tables of all five services")]
pub fn ask<T: for<'r> FromRow<'r, PgRow>>(text: impl SqlSafeStr) -> QueryAs<'static, Postgres, T, PgArguments> {
    sqlx::query_as(text)
}
