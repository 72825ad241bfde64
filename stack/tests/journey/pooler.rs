//! A transaction pooler between the services and Postgres: each transaction may have another session, and no answer shows it.

use anyhow::Result;
use sqlx::{Connection, PgConnection};

use crate::platform::{Platform, errors, stack};

/// How many sessions the pooler has for a role.
const SESSIONS: i64 = 8;

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the statements are about the server, which no service describes")]
async fn the_demo_is_played_through_a_transaction_pooler() -> Result<()> {
    let mut platform = Platform::up(&["--pooler", "--replicas", "2"]);
    let (base, data) = (platform.url(0, 0), platform.data());
    let demo = stack(&["demo", "--base-url", &base, "--data-dir", &data.to_string_lossy()]);
    assert!(demo.status.success(), "{}\n{}", String::from_utf8_lossy(&demo.stdout), errors(&demo));

    let mut database = PgConnection::connect(&platform.connection("DATABASE_URL")).await?;
    let roles = "select count(*) from pg_db_role_setting where 'statement_timeout=5s' = any (setconfig)";
    let (roles,): (i64,) = sqlx::query_as(roles).fetch_one(&mut database).await?;
    assert_eq!(roles, 5, "each role has what the pooler passes on to no session");
    let sessions = "select count(*) filter (where application_name not like '% leases'),
            count(*) filter (where application_name like '% leases')
        from pg_stat_activity where usename = 'post'";
    let (shared, leases): (i64, i64) = sqlx::query_as(sessions).fetch_one(&mut database).await?;
    assert!((1..=SESSIONS).contains(&shared), "{shared} sessions for the pools of two replicas");
    assert_eq!(leases, 2, "each replica has a session of its own past the pooler");
    platform.stop();
    Ok(())
}
