//! The people and connections that are measured: made by the database, the same ones for the same seed.
//!
//! Most connections of a person are near (their number differs by at most 249), so that people have many connections in
//! common, as circles of friends have. The others go to anybody, to the first people much more often than to the last, as
//! fame is distributed. Everybody is connected to the first person, and the second one is connected to 10,000.

use anyhow::{Context, Result};
use sqlx::PgPool;

use crate::proof::bench::database::sql;
use crate::proof::bench::options::Graph;

/// Whom everybody is connected to.
pub const FAMOUS: i64 = 1;
/// Who is connected to as many as one may be.
pub const SOCIABLE: i64 = 2;

/// People: $1 of them, with names and interests by seed $2, who sign in with the password behind $3.
const PEOPLE: &str = "
    insert into auth.account (id, created_at, updated_at, date_joined, email, first_name, last_name, username,
        username_skeleton, password_hash, is_verified, status, interests)
    select bench.person(n), joined, joined, joined, n || '@bench.example', initcap(first), initcap(last),
        first || '.' || last || n, first || last || n, $3, true, 'ACTIVE',
        array[(array['SPORTS', 'NEWS', 'HEALTH', 'TRAVEL', 'FOOD', 'FICTION', 'BOOKS'])[1 + dice % 7],
            (array['SPORTS', 'NEWS', 'HEALTH', 'TRAVEL', 'FOOD', 'FICTION', 'BOOKS'])[1 + dice / 7 % 7]]
    from generate_series(1, $1) as n
    cross join lateral (select timestamptz '2026-01-01' + n * interval '1 minute' as joined,
        abs(hashint8extended(n, $2) % 1000000007)::int as dice) as thrown
    cross join lateral (select
        (array['an', 'ben', 'car', 'dor', 'em', 'fri', 'gus', 'han', 'ing', 'jo', 'kar', 'lin', 'mar', 'nor', 'ol', 'per',
            'ros', 'sig', 'tor', 'ul'])[1 + dice / 100 % 20]
        || (array['a', 'e', 'na', 'la', 'ta', 'ra', 'mund', 'rik', 'lena', 'bert', 'dis', 'gar', 'hild', 'vin',
            'sa'])[1 + dice / 2000 % 15] as first,
        (array['berg', 'dahl', 'lund', 'strand', 'hol', 'hag', 'lie', 'mo', 'ness', 'rud', 'sand', 'ska', 'vik', 'aas',
            'moen', 'torp'])[1 + dice / 30000 % 16]
        || (array['en', 'er', 'man', 'sen', 'stad', 'heim', 'by', 'gard', 'ås', 'vold'])[1 + dice / 480000 % 10] as last
    ) as names";

/// Connections: $2 of each of $1 people by seed $3, four of five of them near. 37 has no divisor in common with 498, so
/// that no two of the near ones are the same.
const CONNECTIONS: &str = "
    insert into auth.connection (user_id, target_id, connected_at)
    select bench.person(n), bench.person(target),
        timestamptz '2026-06-01' + abs(hashint8extended(n * 1024 + k, $3 + 1) % 10000000) * interval '1 second'
    from generate_series(1, $1) as n cross join generate_series(1, $2) as k
    cross join lateral (select (abs(hashint8extended(n, $3) % 498) + 37 * k) % 498 - 249 as step) as near
    cross join lateral (select case
        when k = $2 then 1
        when k * 5 > $2 * 4 then 1 + floor($1 * power((hashint8extended(n * 1024 + k, $3) & 1048575) / 1048576.0, 3))::bigint
        else 1 + (n - 1 + step + case when step >= 0 then 1 else 0 end + $1) % $1 end as target) as aim
    where target <> n
    on conflict do nothing";

/// The many connections of one person, spread evenly over $1 people.
const MANY: &str = "
    insert into auth.connection (user_id, target_id, connected_at)
    select bench.person(2), bench.person(n), timestamptz '2026-06-01' + n * interval '1 second'
    from generate_series(3, $1, greatest($1 / 10000, 1)) as n on conflict do nothing";

const COUNTS: &str = "
    update auth.account set total_connections = coalesce(own.count, 0), total_followers = coalesce(others.count, 0)
    from (select user_id, count(*) from auth.connection group by user_id) as own
    full join (select target_id, count(*) from auth.connection group by target_id) as others on target_id = user_id
    where account.id = coalesce(own.user_id, others.target_id)";

/// Makes all of it, with the password behind this hash.
pub async fn make(tables: &PgPool, options: &Graph, hash: &str) -> Result<()> {
    let (people, connections, seed) = (options.people, options.connections, i64::from(options.seed));
    sql("create schema if not exists bench").execute(tables).await?;
    sql("create function bench.person(n bigint) returns uuid immutable parallel safe
        language sql as $$ select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$")
    .execute(tables)
    .await?;
    let mut tx = tables.begin().await?;
    // What is made here refers to people who are there: nobody has to look them up once for every connection.
    sql("set local session_replication_role = replica").execute(&mut *tx).await?;
    sql(PEOPLE).bind(people).bind(seed).bind(hash).execute(&mut *tx).await.context("people cannot be made")?;
    let made = sql(CONNECTIONS).bind(people).bind(connections).bind(seed).execute(&mut *tx).await;
    made.context("connections cannot be made")?;
    sql(MANY).bind(people).execute(&mut *tx).await?;
    sql(COUNTS).execute(&mut *tx).await?;
    tx.commit().await?;
    sql("vacuum analyze auth.account, auth.connection").execute(tables).await?;
    Ok(())
}
