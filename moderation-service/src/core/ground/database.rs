//! The pool of connections to the service's own schema, and its migrations.
//!
//! A service never waits for Postgres to start: the pool connects on first use, and [`prepare`] is tried again by the
//! background until it succeeds. Until then `/health/ready` says so and requests get a 503.
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, PgPool};
use uuid::Uuid;

/// How long a request waits for a connection, before it is answered with 503.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// The longest statement; what takes longer is a bug or an outage.
const STATEMENT_TIMEOUT: &str = "5s";
/// The longest wait for a row that another transaction holds.
const LOCK_TIMEOUT: &str = "2s";
/// A connection that was used within this time is assumed to work; one that was idle for longer is pinged first.
const TRUSTED_IDLE_TIME: Duration = Duration::from_secs(1);
/// How long a connection may take to be ready for the next user, before it is closed. A network that swallows packets
/// lets it seem open for a quarter of an hour, and it would be one of the pool's for as long.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection's options: the schema as search path, the limits above, and a name by which all connections of this
/// process are known (`lease`).
pub fn options(options: PgConnectOptions, schema: &str) -> PgConnectOptions {
    options.application_name(&format!("{schema} {}", Uuid::now_v7())).options([
        ("search_path", schema),
        ("statement_timeout", STATEMENT_TIMEOUT),
        ("lock_timeout", LOCK_TIMEOUT),
        ("idle_in_transaction_session_timeout", "30s"),
    ])
}

/// A pool that connects when it is first used.
pub fn pool(options: PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, used| {
            Box::pin(async move { Ok(used.idle_for < TRUSTED_IDLE_TIME || connection.ping().await.is_ok()) })
        })
        .after_release(|connection, _| {
            Box::pin(async { Ok(matches!(tokio::time::timeout(RELEASE_TIMEOUT, connection.ping()).await, Ok(Ok(())))) })
        })
        .connect_lazy_with(options)
}

/// Makes the schema when it is missing, and brings its tables up to date.
pub async fn prepare(db: &PgPool, schema: &str, migrations: &Migrator) -> anyhow::Result<()> {
    // A role without CREATE on the database may not even run "create schema if not exists", so the catalogue is queried first.
    let there =
        sqlx::query_scalar!(r#"select to_regnamespace($1) is not null as "there!""#, schema).fetch_one(db).await?;
    if !there {
        db.execute(AssertSqlSafe(format!(r#"create schema if not exists "{schema}""#))).await?;
    }
    // A migration may take its time, but not wait for a lock: every later query would queue behind it. It is tried again, as
    // the second of two replicas tries as long as the first one's takes.
    let patient = PgConnectOptions::clone(&db.connect_options()).options([("statement_timeout", "0")]);
    let patient =
        PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE_TIMEOUT).connect_with(patient).await?;
    let outcome = migrations.run(&patient).await;
    patient.close().await;
    Ok(outcome?)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use sqlx::Row;

    use super::*;
    use crate::SERVICE;
    use crate::core::testing::Platform;
    use crate::core::testing::link::{Link, State};

    /// A migration that waited for a lock would hold up every later query of the table.
    #[sqlx::test(migrations = false)]
    async fn a_migration_does_not_queue_for_a_lock(_: PgPoolOptions, database: PgConnectOptions) {
        let platform = Platform::start(&SERVICE, database, &[]).await;
        let (db, schema) = (&platform.app.db, SERVICE.schema);
        let mut reader = db.begin().await.unwrap();
        reader.execute("select from audit limit 1").await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("9999_notes.sql"), "alter table audit add column remark text").unwrap();
        let mut migrations = Migrator::new(folder.path()).await.unwrap();
        migrations.set_ignore_missing(true);
        let error = prepare(db, schema, &migrations).await.unwrap_err();
        assert!(error.to_string().contains("lock timeout"), "{error:#}");
        reader.rollback().await.unwrap();
        prepare(db, schema, &migrations).await.unwrap();
        db.execute("select remark from audit").await.unwrap();
    }

    /// Each request that was given up on a network that swallowed packets once took a connection out of the pool.
    #[sqlx::test(migrations = false)]
    async fn a_connection_that_is_half_open_leaves_the_pool(_: PgPoolOptions, database: PgConnectOptions) {
        let direct = Platform::start(&SERVICE, database, &[]).await;
        let (link, url) = Link::before(&direct.app.settings.database_url).await;
        let app = direct.beside(&["--database-url", url.expose_secret(), "--database-pool", "2"]).app;
        let mut busy = (app.db.begin().await.unwrap(), app.db.begin().await.unwrap());
        busy.0.execute("select 1").await.unwrap();
        busy.1.execute("select 1").await.unwrap();
        link.set(State::Mute);
        for transaction in [&mut busy.0, &mut busy.1] {
            let answer = tokio::time::timeout(Duration::from_millis(20), transaction.execute("select 2")).await;
            assert!(answer.is_err(), "the link is mute");
        }
        drop(busy);
        // The network is back; what was lost on it stays lost.
        link.set(State::Open);
        let answer = app.db.fetch_one("select 3").await.unwrap();
        assert_eq!(answer.get::<i32, _>(0), 3);
    }
}
