//! The pool of connections to the service's own schema, and its migrations.
//!
//! A service never waits for Postgres to start: the pool connects on first use, and [`prepare`] is tried again by the
//! background until it succeeds. Until then `/health/ready` says so and requests get a 503.
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, PgPool};

/// How long a request waits for a connection, before it is answered with 503.
const ACQUIRE: Duration = Duration::from_secs(3);
/// The longest statement; what takes longer is a bug or an outage.
const STATEMENT_TIMEOUT: &str = "5s";
/// The longest wait for a row that another transaction holds.
const LOCK_TIMEOUT: &str = "2s";

/// A connection's options: the schema as search path, and the limits above.
pub fn options(options: PgConnectOptions, schema: &str) -> PgConnectOptions {
    options.application_name(schema).options([
        ("search_path", schema),
        ("statement_timeout", STATEMENT_TIMEOUT),
        ("lock_timeout", LOCK_TIMEOUT),
        ("idle_in_transaction_session_timeout", "30s"),
    ])
}

/// A pool that connects when it is first used.
pub fn pool(options: PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE).connect_lazy_with(options)
}

/// Makes the schema when it is missing, and brings its tables up to date.
pub async fn prepare(db: &PgPool, schema: &str, migrations: &Migrator) -> anyhow::Result<()> {
    // A role without CREATE on the database may not even say "create schema if not exists", so it looks first.
    let there =
        sqlx::query_scalar!(r#"select to_regnamespace($1) is not null as "there!""#, schema).fetch_one(db).await?;
    if !there {
        db.execute(AssertSqlSafe(format!(r#"create schema if not exists "{schema}""#))).await?;
    }
    // A migration may take its time, and the second of two replicas waits for as long as the first one's takes.
    let patient =
        PgConnectOptions::clone(&db.connect_options()).options([("lock_timeout", "0"), ("statement_timeout", "0")]);
    let patient = PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE).connect_with(patient).await?;
    let outcome = migrations.run(&patient).await;
    patient.close().await;
    Ok(outcome?)
}
