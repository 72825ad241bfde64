//! The pool of connections to the service's own schema, and its migrations.
//!
//! A service never waits for Postgres to start: the pool connects on first use, and [`prepare`] is tried again by the
//! background until it succeeds. Until then `/health/ready` says so and requests get a 503.
//!
//! Where a pooler stands before Postgres, each transaction of the pool may have another session. Then what a session is given at its
//! start here is given to the role instead, and what must have one session connects past the pooler.
use std::time::Duration;

use anyhow::Context;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
use uuid::Uuid;

use crate::core::ground::settings::Base;

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
    options.application_name(&format!("{schema} {}", Uuid::now_v7())).options(session_settings(schema))
}

/// What every session has.
const fn session_settings(schema: &str) -> [(&str, &str); 4] {
    [
        ("search_path", schema),
        ("statement_timeout", STATEMENT_TIMEOUT),
        ("lock_timeout", LOCK_TIMEOUT),
        ("idle_in_transaction_session_timeout", "30s"),
    ]
}

/// The options of the pool: as they are without a pooler. One refuses settings at the start (the role has them: `prepare`), but
/// passes on the name.
pub fn pooled(settings: &Base, direct: &PgConnectOptions) -> sqlx::Result<PgConnectOptions> {
    if settings.database_direct_url.is_none() {
        return Ok(direct.clone());
    }
    let name = direct.get_application_name().unwrap_or_default();
    Ok(settings.database()?.extra_float_digits(None).application_name(name))
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
pub async fn prepare(db: &PgPool, direct: &PgConnectOptions, schema: &str, files: &Migrator) -> anyhow::Result<()> {
    // A migration may take its time, but not wait for a lock: every later query would queue behind it. It is tried again, as
    // the second of two replicas tries as long as the first one's takes.
    let patient = direct.clone().options([("statement_timeout", "0")]);
    let patient =
        PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE_TIMEOUT).connect_with(patient).await?;
    let is_pooled = db.connect_options().get_options() != direct.get_options();
    let outcome = migrate(&patient, schema, files, is_pooled).await;
    patient.close().await;
    outcome?;
    if is_pooled { check_pooler(db, schema).await } else { Ok(()) }
}

/// Runs the migrations in the one session of a pool, unless another replica does. Its lock is tried, and not waited for as sqlx would:
/// an index that is built concurrently waits for every older statement, and one that waits for the builder would be one.
async fn migrate(session: &PgPool, schema: &str, migrations: &Migrator, is_pooled: bool) -> anyhow::Result<()> {
    // A role without CREATE on the database may not even run "create schema if not exists", so the catalogue is queried first.
    let there = sqlx::query_scalar!(r#"select to_regnamespace($1) is not null as "there!""#, schema);
    if !there.fetch_one(session).await? {
        session.execute(AssertSqlSafe(format!(r#"create schema if not exists "{schema}""#))).await?;
    }
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
    if is_pooled {
        configure_role(session, schema).await?;
    }
    Ok(migrations.run(session).await?)
}

/// Gives the role what every session has, in this database. Sessions of a pooler that began before and rest are ended: they would
/// go on without it.
async fn configure_role(session: &PgPool, schema: &str) -> sqlx::Result<()> {
    let missing = sqlx::query_scalar!(
        r#"select format('alter role current_user in database %I set %I = %L', current_database(),
            split_part(wanted, '=', 1), split_part(wanted, '=', 2)) as "statement!"
        from unnest($1::text[]) as wanted where not exists (
            select from pg_db_role_setting join pg_roles on pg_roles.oid = setrole join pg_database on pg_database.oid = setdatabase
            where rolname = current_user and datname = current_database() and wanted = any (setconfig)
        )"#,
        &written(schema)
    );
    let missing = missing.fetch_all(session).await?;
    let idle = sqlx::query!(
        "select pg_terminate_backend(pid) from pg_stat_activity where $1 and usename = current_user and state = 'idle'
            and datname = current_database() and application_name not like '% leases' and pid <> pg_backend_pid()",
        !missing.is_empty()
    );
    for statement in missing {
        session.execute(AssertSqlSafe(statement)).await?;
    }
    idle.fetch_all(session).await.map(drop)
}

/// Fails when a session of the pooler lacks what every session has, or when what one connection has prepared is not there for
/// another session, or is there for another connection.
async fn check_pooler(db: &PgPool, schema: &str) -> anyhow::Result<()> {
    let mut connections = [db.acquire().await?, db.acquire().await?];
    for turn in [0, 1, 0, 1] {
        let others = sqlx::query_scalar!(
            r#"select split_part(wanted, '=', 1) as "name!" from unnest($1::text[]) as wanted
            where current_setting(split_part(wanted, '=', 1)) <> split_part(wanted, '=', 2)"#,
            &written(schema)
        );
        let others = others.fetch_all(&mut *connections[turn]).await;
        let others = others.context("no query through the pooler; prepared statements need PgBouncer from 1.21")?;
        anyhow::ensure!(others.is_empty(), "sessions of the pooler have another {}: reconnect it", others.join(", "));
    }
    Ok(())
}

/// What every session has, as the catalogue writes it.
fn written(schema: &str) -> Vec<String> {
    session_settings(schema).map(|(name, value)| format!("{name}={value}")).into()
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
        let error = prepare(db, &platform.app.direct, schema, &migrations).await.unwrap_err();
        assert!(error.to_string().contains("lock timeout"), "{error:#}");
        reader.rollback().await.unwrap();
        prepare(db, &platform.app.direct, schema, &migrations).await.unwrap();
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
        let error = prepare(db, &platform.app.direct, schema, &migrations).await.unwrap_err();
        assert_eq!(error.to_string(), "another replica makes the tables");
        other.close().await.unwrap();
        prepare(db, &platform.app.direct, schema, &migrations).await.unwrap();
        let valid = "select indisvalid from pg_index where indexrelid = 'note_words'::regclass";
        assert!(db.fetch_one(valid).await.unwrap().get::<bool, _>(0));
    }

    /// Through a pooler the settings of a session are those of the role, and sessions from before it had them end.
    #[sqlx::test(migrations = false)]
    async fn a_role_behind_a_pooler_has_the_settings_of_a_session(_: PgPoolOptions, database: PgConnectOptions) {
        let platform = Platform::start(&SERVICE, database, &[]).await;
        let url = platform.app.settings.database_url.expose_secret();
        let app = platform.beside(&["--database-direct-url", url]).app;
        let shown = |name: &str| AssertSqlSafe(format!("select current_setting('{name}')"));
        // A session that a pooler keeps is one that began before the role had anything.
        let old = app.db.fetch_one(shown("statement_timeout")).await.unwrap();
        assert_eq!(old.get::<String, _>(0), "0", "nothing is given to a session at its start");
        tokio::time::timeout(Duration::from_secs(5), async {
            // The first time finds the old session in the pool, where it ends.
            while prepare(&app.db, &app.direct, SERVICE.schema, SERVICE.migrations).await.is_err() {}
        })
        .await
        .unwrap();
        for (name, value) in session_settings(SERVICE.schema) {
            assert_eq!(app.db.fetch_one(shown(name)).await.unwrap().get::<String, _>(0), value, "{name}");
        }
        let pooled = app.db.connect_options();
        assert_eq!(pooled.get_application_name(), app.direct.get_application_name(), "a silent replica is ended whole");
        assert_eq!(pooled.get_options(), None);
    }

    /// A pooler whose sessions have other settings than the role serves no request.
    #[sqlx::test(migrations = false)]
    async fn sessions_of_a_pooler_that_are_not_as_the_role_says_are_noticed(
        _: PgPoolOptions,
        database: PgConnectOptions,
    ) {
        let platform = Platform::start(&SERVICE, database, &[]).await;
        let error = check_pooler(&platform.app.db, "elsewhere").await.unwrap_err();
        assert_eq!(error.to_string(), "sessions of the pooler have another search_path: reconnect it");
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
