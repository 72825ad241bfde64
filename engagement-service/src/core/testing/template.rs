//! The databases of tests: copies of one to which all migrations were applied, since a copy takes a fraction of their time.
use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use crate::core::ground::database;
use crate::core::serve::Service;

/// Replaces the database of a test by one with the tables of the service, when it is empty.
pub async fn fill(service: &Service, test: &PgConnectOptions) {
    let mut own = PgConnection::connect_with(test).await.unwrap();
    let schema = format!("select to_regnamespace('{}') is null", service.schema);
    let is_empty: bool = own.fetch_one(AssertSqlSafe(schema)).await.unwrap().get(0);
    own.close().await.unwrap();
    if !is_empty {
        // The test starts another process with the same stores.
        return;
    }
    #[expect(clippy::disallowed_methods, reason = "`sqlx::test` made it there; it is no setting of the service")]
    let address: PgConnectOptions = env::var("DATABASE_URL").unwrap().parse().unwrap();
    let mut server = PgConnection::connect_with(&address).await.unwrap();
    let (name, template) = (test.get_database().unwrap(), provide(&mut server, service, test).await);
    // Sessions that were in it may not have ended yet.
    run(&mut server, format!(r#"drop database "{name}" with (force)"#)).await;
    run(&mut server, format!(r#"create database "{name}" template "{template}""#)).await;
    server.close().await.unwrap();
}

/// The name of the database that is copied, which the first test makes. Those of other migrations are deleted then.
async fn provide(server: &mut PgConnection, service: &Service, test: &PgConnectOptions) -> String {
    let (mut files, kind) = (DefaultHasher::new(), format!("migrated_{}_", service.schema));
    service.migrations.iter().for_each(|migration| migration.checksum.hash(&mut files));
    let (template, unfinished) = (format!("{kind}{:x}", files.finish()), format!("{kind}unfinished"));
    if list(server, &kind).await.contains(&template) {
        return template;
    }
    // The other tests wait; the lock ends with the session.
    run(server, format!("select pg_advisory_lock(hashtextextended('{kind}', 0))")).await;
    let others = list(server, &kind).await;
    if others.contains(&template) {
        return template;
    }
    for other in others {
        run(server, format!(r#"drop database "{other}""#)).await;
    }
    run(server, format!(r#"create database "{unfinished}""#)).await;
    let options = database::options(test.clone().database(&unfinished), service.schema);
    let pool = database::pool(options.clone(), 1);
    database::prepare(&pool, &options, service.schema, service.migrations).await.unwrap();
    pool.close().await;
    run(server, format!(r#"alter database "{unfinished}" rename to "{template}""#)).await;
    template
}

/// The databases whose names begin so.
async fn list(server: &mut PgConnection, kind: &str) -> Vec<String> {
    let names = format!("select datname::text from pg_database where starts_with(datname::text, '{kind}')");
    let names = server.fetch_all(AssertSqlSafe(names)).await.unwrap();
    names.iter().map(|row| row.get(0)).collect()
}

async fn run(server: &mut PgConnection, statement: String) {
    server.execute(AssertSqlSafe(statement)).await.unwrap();
}
