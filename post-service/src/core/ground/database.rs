//! The pool of connections to the service's own schema, and its migrations.
//!
//! A service never waits for Postgres to start: the pool connects on first use, and [`prepare`] is tried again by the
//! background until it succeeds. Until then `/health/ready` says so and requests get a 503.
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
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
        .after_release(|connection, _| Box::pin(is_reusable(connection)))
        .connect_lazy_with(options)
}

/// Whether a connection that comes back answers, and is in no transaction. It is when a request was dropped while its `begin` was under
/// way, since sqlx rolls back only what it knows to have begun: whatever the next user wrote would be lost. A statement that begins
/// nothing shows it, for the price of a ping.
async fn is_reusable(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let begun = tokio::time::timeout(RELEASE_TIMEOUT, connection.begin_with("")).await;
    Ok(matches!(begun, Ok(Err(sqlx::Error::BeginFailed))))
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
    let outcome = migrate(&patient, schema, migrations).await;
    patient.close().await;
    outcome
}

/// Runs the migrations in the one session of a pool, unless another replica does. Its lock is tried, and not waited for as sqlx would:
/// an index that is built concurrently waits for every older statement, and one that waits for the builder would be one.
async fn migrate(session: &PgPool, schema: &str, migrations: &Migrator) -> anyhow::Result<()> {
    let lock = sqlx::query_scalar!(r#"select pg_try_advisory_lock(hashtextextended($1, 0)) as "ours!""#, schema);
    anyhow::ensure!(lock.fetch_one(session).await?, "another replica makes the tables");
    // An index whose building broke off counts as there, for `if not exists` too, and is of no use to a query: it is built anew.
    let mends = sqlx::query_scalar!(
        r#"select format(case when relname ~ '_cc(new|old)[0-9]*$' then 'drop index %s' else 'reindex index concurrently %s' end,
            indexrelid::regclass) as "statement!"
        from pg_index join pg_class on oid = indexrelid where not indisvalid and relnamespace = to_regnamespace($1)"#,
        schema
    );
    for statement in mends.fetch_all(session).await? {
        session.execute(AssertSqlSafe(statement)).await?;
    }
    Ok(migrations.run(session).await?)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
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
        migrations.set_ignore_missing(true).set_locking(false);
        let error = prepare(db, schema, &migrations).await.unwrap_err();
        assert!(error.to_string().contains("lock timeout"), "{error:#}");
        reader.rollback().await.unwrap();
        prepare(db, schema, &migrations).await.unwrap();
        db.execute("select remark from audit").await.unwrap();
    }

    /// An index whose building broke off is built anew, by one replica at a time, and none waits for another.
    #[sqlx::test(migrations = false)]
    async fn an_index_that_broke_off_is_built_anew(_: PgPoolOptions, database: PgConnectOptions) {
        let platform = Platform::start(&SERVICE, database, &[]).await;
        let (db, schema) = (&platform.app.db, SERVICE.schema);
        db.execute("create table note (words text); insert into note values ('twice'), ('twice')").await.unwrap();
        let build = "create unique index concurrently if not exists note_words on note (words)";
        assert!(db.execute(build).await.is_err(), "two notes have the same words");
        db.execute("truncate note").await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("9999_words.sql"), format!("-- no-transaction\n{build}")).unwrap();
        let mut migrations = Migrator::new(folder.path()).await.unwrap();
        migrations.set_ignore_missing(true).set_locking(false);
        let mut other = db.acquire().await.unwrap();
        sqlx::query_scalar!(r#"select pg_try_advisory_lock(hashtextextended($1, 0)) as "ours!""#, schema)
            .fetch_one(&mut *other)
            .await
            .unwrap();
        let error = prepare(db, schema, &migrations).await.unwrap_err();
        assert_eq!(error.to_string(), "another replica makes the tables");
        other.close().await.unwrap();
        prepare(db, schema, &migrations).await.unwrap();
        let valid = "select indisvalid from pg_index where indexrelid = 'note_words'::regclass";
        assert!(db.fetch_one(valid).await.unwrap().get::<bool, _>(0));
    }

    /// A request that is dropped while it begins a transaction leaves none to the next one, whose writes would be in it.
    #[sqlx::test(migrations = false)]
    async fn a_begin_that_is_dropped_leaves_no_transaction(_: PgPoolOptions, database: PgConnectOptions) {
        let platform = Platform::start(&SERVICE, database, &[]).await;
        let app = platform.beside(&["--database-pool", "2"]).app;
        app.db.execute("create table note (words text)").await.unwrap();
        let mut dropped = 0;
        for _ in 0..8 {
            dropped += u32::from(app.db.begin().now_or_never().is_none());
            app.db.execute("insert into note values ('kept')").await.unwrap();
        }
        assert!(dropped > 0, "the answer of the server takes its time");
        let kept = platform.app.db.fetch_one("select count(*) from note").await.unwrap();
        assert_eq!(kept.get::<i64, _>(0), 8);
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
