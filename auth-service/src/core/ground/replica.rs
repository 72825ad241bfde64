//! Reads from a standby of Postgres, where `DATABASE_REPLICA_URL` names one: lists and searches, which need not be of this moment.
//!
//! A standby replays the primary's log, and is behind by what it has not replayed. Two promises hold all the same:
//!
//! - **People read what they wrote.** A request that commits notes under the person who calls, in Redis and for a minute, how far the log
//!   was then. What that person reads afterwards is read from the standby when it has replayed as much, which is waited for a moment, and
//!   else from the primary.
//! - **Nothing is older than [`MAX_LAG`].** [`ReplicaWatch`] compares how far both are, several times a second: the standby is behind by the
//!   age of the newest look at the primary that it has reached. No clock but this process's is asked.
//!
//! Whenever the standby or Redis does not answer, or a statement fails there, the primary is asked. Who may see what is no matter of age:
//! callers check against the primary what they found on the standby.
use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use redis::Script;
use secrecy::ExposeSecret;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::watch;
use uuid::Uuid;

use crate::core::ground::database;
use crate::core::ground::redis::Redis;
use crate::core::ground::settings::Base;
use crate::core::ground::worker::{Outcome, Worker};

/// How old what a standby answers may be.
pub const MAX_LAG: Duration = Duration::from_secs(10);
/// How often both servers are asked how far they are, and how long their answers are waited for.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const LOOK_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a look is good: a watch that stands still must not keep a standby in use.
const LOOK_LASTS: Duration = Duration::from_secs(2);
/// How long a reader waits for the standby to reach what they wrote, and how often it is asked meanwhile.
const CATCH_UP: Duration = Duration::from_millis(50);
const CATCH_UP_PAUSE: Duration = Duration::from_millis(5);
/// A standby that is further behind does not catch up while a reader waits.
const SHORT_LAG: Duration = Duration::from_secs(1);
/// How long it is remembered what a person wrote last: longer than [`MAX_LAG`], after which the standby has it anyway.
const NOTE_LASTS: Duration = Duration::from_mins(1);
/// How long a note may take to be written or read, and how long Redis is not asked after it did not answer.
const NOTE_TIMEOUT: Duration = Duration::from_millis(250);
const REDIS_COOLDOWN: Duration = Duration::from_secs(1);
/// Connections by which the primary is asked how far it is: of their own, so that a pool that is full sends no lists to the primary.
const LOG_CONNECTIONS: u32 = 2;

/// A place in the log of Postgres, in bytes.
type Lsn = i64;

/// Notes a place unless a later one is there: of two requests of a person the earlier one may be the later to note. KEYS: the person;
/// ARGV: the place, and seconds.
static NOTE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1]) then
            redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
        end
        ",
    )
});

tokio::task_local! {
    /// The request at hand, where there is a standby.
    static REQUEST: RequestNote;
}

/// Who calls by a request, and whether it has committed.
#[derive(Default)]
struct RequestNote {
    person: Cell<Option<Uuid>>,
    has_committed: Cell<bool>,
}

/// Notes who calls by the request at hand.
pub fn record_caller(person: Uuid) {
    REQUEST.try_with(|request| request.person.set(Some(person))).ok();
}

/// Notes that the request at hand, where it is one, has committed.
pub fn record_commit() {
    REQUEST.try_with(|request| request.has_committed.set(true)).ok();
}

/// Carries out a request; when it has committed, it is noted how far the log is, before its answer is sent.
pub async fn follow<F: Future>(replica: Option<&Replica>, request: F) -> F::Output {
    let Some(replica) = replica else { return request.await };
    let (answer, writer) = REQUEST
        .scope(RequestNote::default(), async {
            let answer = request.await;
            (answer, REQUEST.with(|request| request.person.get().filter(|_| request.has_committed.get())))
        })
        .await;
    if let Some(person) = writer {
        replica.note(person).await;
    }
    answer
}

/// Counts a read that went to the primary although there is a standby.
pub fn count_fallback(reason: &'static str) {
    metrics::counter!("replica_fallbacks_total", "reason" => reason).increment(1);
}

/// How far a standby was when it was last looked at.
#[derive(Clone, Copy)]
struct Replay {
    place: Lsn,
    /// By how much it was behind; [`MAX_LAG`] stands for that and more.
    lag: Duration,
    seen_at: Instant,
}

/// The standby, and what is known of it.
pub struct Replica {
    main: PgPool,
    /// The primary too, past a pooler and past what waits for the pool.
    log: PgPool,
    standby: PgPool,
    redis: Redis,
    schema: &'static str,
    /// None while either server does not answer.
    replay: watch::Sender<Option<Replay>>,
    /// Until when only the primary is read, since Redis may not know what people wrote.
    doubt: Mutex<Option<Instant>>,
}

impl Replica {
    /// The standby that the settings name, if they do. It is connected on first use.
    pub fn open(
        settings: &Base,
        main: &PgPool,
        direct: &PgConnectOptions,
        redis: &Redis,
        schema: &'static str,
    ) -> sqlx::Result<Option<Arc<Self>>> {
        let Some(url) = &settings.database_replica_url else { return Ok(None) };
        let standby = database::options(url.expose_secret().parse()?, schema);
        Ok(Some(Arc::new(Self {
            main: main.clone(),
            log: database::pool(direct.clone(), LOG_CONNECTIONS),
            standby: database::pool(standby, settings.database_pool),
            redis: redis.clone(),
            schema,
            replay: watch::Sender::new(None),
            doubt: Mutex::default(),
        })))
    }

    /// Ends the connections.
    pub async fn close(&self) {
        self.standby.close().await;
        self.log.close().await;
    }

    /// Reads from the standby where that may be, and else from the primary; and whether it was the standby.
    pub async fn read<T, F>(&self, person: Uuid, read: impl Fn(PgPool) -> F) -> sqlx::Result<(T, bool)>
    where
        F: Future<Output = sqlx::Result<T>>,
    {
        let reason = match self.check(person).await {
            Ok(()) => match self.read_standby(&read).await {
                Ok(found) => {
                    metrics::counter!("replica_reads_total").increment(1);
                    return Ok((found, true));
                }
                // What takes too long there would take too long on the primary.
                Err(error) if code(&error).is_some_and(|code| code == "57014") => return Err(error),
                // Replay does not wait for readers for ever: it takes away what they read, or the lock that they wait for.
                Err(error) if code(&error).is_some_and(|code| matches!(code.as_str(), "40001" | "40P01")) => "conflict",
                // It may also have a schema that is older than this release, by its lag.
                Err(error) => {
                    tracing::debug!(error = %error, "the standby failed a read");
                    "failed"
                }
            },
            Err(reason) => reason,
        };
        count_fallback(reason);
        Ok((read(self.main.clone()).await?, false))
    }

    /// Reads from the standby until it answers or is found to be away: a network that swallows packets reports no error.
    async fn read_standby<T, F>(&self, read: impl Fn(PgPool) -> F) -> sqlx::Result<T>
    where
        F: Future<Output = sqlx::Result<T>>,
    {
        let mut replay = self.replay.subscribe();
        let away = async { replay.wait_for(Option::is_none).await.is_ok() };
        tokio::select! {
            found = read(self.standby.clone()) => found,
            _ = away => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        }
    }

    /// Whether a person may be answered by the standby; if not, why.
    async fn check(&self, person: Uuid) -> Result<(), &'static str> {
        let replay = *self.replay.borrow();
        let replay = replay.filter(|replay| replay.seen_at.elapsed() < LOOK_LASTS).ok_or("unreachable")?;
        if replay.lag + replay.seen_at.elapsed() >= MAX_LAG {
            return Err("lag");
        }
        let wrote = self.last_write(person).await.ok_or("redis")?;
        let has_it = wrote <= replay.place || (replay.lag < SHORT_LAG && self.catches_up(wrote).await);
        if has_it { Ok(()) } else { Err("own_write") }
    }

    /// Whether the standby reaches a place within a moment.
    async fn catches_up(&self, wrote: Lsn) -> bool {
        let reached = async {
            loop {
                match self.replayed().await {
                    Ok(Some(place)) if place >= wrote => return true,
                    Ok(Some(_)) => tokio::time::sleep(CATCH_UP_PAUSE).await,
                    _ => return false,
                }
            }
        };
        tokio::time::timeout(CATCH_UP, reached).await.unwrap_or(false)
    }

    /// How far the log was after what a person wrote last; 0 when that is long ago, none when Redis does not say.
    async fn last_write(&self, person: Uuid) -> Option<Lsn> {
        let doubt = *self.doubt.lock().unwrap_or_else(PoisonError::into_inner);
        if doubt.is_some_and(|end| Instant::now() < end) {
            return None;
        }
        let mut redis = self.redis.clone();
        let mut command = redis::cmd("GET");
        let answer = command.arg(self.key(person)).query_async::<Option<Lsn>>(&mut redis);
        if let Ok(Ok(wrote)) = tokio::time::timeout(NOTE_TIMEOUT, answer).await {
            return Some(wrote.unwrap_or_default());
        }
        self.distrust(REDIS_COOLDOWN);
        None
    }

    /// Notes that all that a person wrote is in the log by now.
    async fn note(&self, person: Uuid) {
        let noted = tokio::time::timeout(NOTE_TIMEOUT, async {
            // Not how far it is written: with `synchronous_commit = off` the commit may not be.
            let query = sqlx::query_scalar!(
                r#"select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint as "place!""#
            );
            let place = query.fetch_one(&self.log).await?;
            let mut redis = self.redis.clone();
            let mut script = NOTE.key(self.key(person));
            script.arg(place).arg(NOTE_LASTS.as_secs()).invoke_async::<()>(&mut redis).await?;
            anyhow::Ok(())
        });
        let fault = match noted.await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => format!("{error:#}"),
            Err(late) => late.to_string(),
        };
        tracing::warn!(fault, "a write could not be noted; lists come from the primary for a minute");
        self.distrust(NOTE_LASTS);
    }

    fn key(&self, person: Uuid) -> String {
        format!("{}:wrote:{person}", self.schema)
    }

    /// Lets only the primary be read for a time.
    fn distrust(&self, time: Duration) {
        let mut doubt = self.doubt.lock().unwrap_or_else(PoisonError::into_inner);
        *doubt = (*doubt).max(Some(Instant::now() + time));
    }

    /// How far the primary's log is on its disk.
    async fn flushed(&self) -> sqlx::Result<Lsn> {
        let query =
            sqlx::query_scalar!(r#"select pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint as "place!""#);
        query.fetch_one(&self.log).await
    }

    /// How far the standby has replayed it; none when the server is no standby.
    async fn replayed(&self) -> sqlx::Result<Option<Lsn>> {
        let query = sqlx::query_scalar!(
            r#"select case when pg_is_in_recovery() then pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint end as "place?""#
        );
        query.fetch_one(&self.standby).await
    }

    /// Takes down how far the standby is, and by how much it is behind.
    pub fn observe(&self, place: Lsn, lag: Duration) {
        metrics::gauge!("replica_lag_seconds").set(lag.as_secs_f64());
        self.replay.send_replace(Some(Replay { place, lag, seen_at: Instant::now() }));
    }
}

/// The code of an error of Postgres.
fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// The worker that looks how far the standby is.
pub struct ReplicaWatch {
    replica: Arc<Replica>,
    /// When the primary was how far, oldest first, as far back as a standby may be behind.
    history: VecDeque<(Instant, Lsn)>,
}

impl ReplicaWatch {
    /// A watch that has seen nothing yet.
    pub fn new(replica: &Arc<Replica>) -> Self {
        Self { replica: replica.clone(), history: VecDeque::new() }
    }

    async fn look(&mut self) -> anyhow::Result<()> {
        // All that was committed before this moment is within the place that the primary then names.
        let begun = Instant::now();
        let flushed = self.replica.flushed().await.context("the primary")?;
        self.history.push_back((begun, flushed));
        while self.history.front().is_some_and(|(at, _)| at.elapsed() > MAX_LAG) {
            self.history.pop_front();
        }
        let replayed = self.replica.replayed().await.context("the standby")?.context("the server is no standby")?;
        let reached = self.history.iter().rev().find(|(_, place)| *place <= replayed);
        self.replica.observe(replayed, reached.map_or(MAX_LAG, |(at, _)| at.elapsed().min(MAX_LAG)));
        Ok(())
    }
}

impl Worker for ReplicaWatch {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let looked = tokio::time::timeout(LOOK_TIMEOUT, self.look()).await;
        if let Err(error) = looked.unwrap_or_else(|late| Err(late.into())) {
            self.replica.replay.send_replace(None);
            return Err(error);
        }
        Ok(Outcome::Idle(LOOK_EVERY))
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use sqlx::postgres::PgPoolOptions;
    use sqlx::{AssertSqlSafe, Executor};

    use super::*;
    use crate::SERVICE;
    use crate::core::testing::Platform;
    use crate::core::testing::counted::Counted;

    /// A place that no log reaches.
    const FAR: Lsn = Lsn::MAX;

    /// A service whose standby is its primary, so that it finds everything, and never says how far it is.
    async fn start(database: PgConnectOptions, settings: &[&str]) -> (Platform, Arc<Replica>) {
        let platform = Platform::start(&SERVICE, database, &[]).await;
        let url = platform.app.settings.database_url.expose_secret();
        let platform = platform.beside(&[&["--database-replica-url", url][..], settings].concat());
        let replica = platform.app.replica.clone().unwrap();
        (platform, replica)
    }

    /// Whether what a person reads comes from the standby.
    async fn reads_standby(platform: &Platform, person: Uuid) -> bool {
        platform.app.read(person, |_| ready(Ok(()))).await.unwrap().1
    }

    /// A request of a person, which commits or does not.
    async fn request(platform: &Platform, person: Uuid, commits: bool) {
        follow(platform.app.replica.as_deref(), async {
            record_caller(person);
            let tx = platform.app.db.begin().await.unwrap();
            if commits {
                platform.app.commit(tx).await.unwrap();
            }
        })
        .await;
    }

    #[sqlx::test(migrations = false)]
    async fn people_read_what_they_wrote_and_others_from_the_standby(_: PgPoolOptions, database: PgConnectOptions) {
        let (platform, replica) = start(database, &[]).await;
        let (anna, bert) = (Uuid::now_v7(), Uuid::now_v7());
        let counted = Counted::begin();
        assert!(!reads_standby(&platform, bert).await, "nothing is known of it yet");
        request(&platform, anna, true).await;
        request(&platform, bert, false).await;
        replica.observe(0, Duration::ZERO);
        assert!(
            !reads_standby(&platform, anna).await,
            "it has not replayed what she wrote, and does not within a moment"
        );
        assert!(reads_standby(&platform, bert).await, "he wrote nothing");
        replica.observe(0, MAX_LAG / 2);
        assert!(!reads_standby(&platform, anna).await);
        replica.observe(FAR, Duration::ZERO);
        assert!(reads_standby(&platform, anna).await);
        replica.observe(FAR, MAX_LAG);
        assert!(!reads_standby(&platform, bert).await, "nothing is that old");
        counted.assert("replica_reads_total 2");
        for (reason, times) in [("unreachable", 1), ("own_write", 2), ("lag", 1)] {
            counted.assert(&format!(r#"replica_fallbacks_total{{reason="{reason}"}} {times}"#));
        }
    }

    /// Of two requests of a person the earlier one may be the later to note how far the log was.
    #[sqlx::test(migrations = false)]
    async fn a_note_is_not_taken_back(_: PgPoolOptions, database: PgConnectOptions) {
        let (platform, replica) = start(database, &[]).await;
        let anna = Uuid::now_v7();
        let mut redis = platform.app.redis.clone();
        let mut set = redis::cmd("SET");
        set.arg(replica.key(anna)).arg(FAR / 4096).query_async::<()>(&mut redis).await.unwrap();
        request(&platform, anna, true).await;
        assert_eq!(replica.last_write(anna).await, Some(FAR / 4096));
        let bert = Uuid::now_v7();
        request(&platform, bert, true).await;
        let first = replica.last_write(bert).await.unwrap();
        assert!(first > 0);
        platform.app.db.execute("create table note (words text); insert into note values ('more')").await.unwrap();
        request(&platform, bert, true).await;
        assert!(replica.last_write(bert).await.unwrap() > first);
    }

    #[sqlx::test(migrations = false)]
    async fn without_redis_the_primary_is_read(_: PgPoolOptions, database: PgConnectOptions) {
        let (platform, replica) = start(database, &["--redis-url", "redis://127.0.0.1:1"]).await;
        let person = Uuid::now_v7();
        replica.observe(FAR, Duration::ZERO);
        assert!(!reads_standby(&platform, person).await);
        request(&platform, person, true).await;
        let doubt = replica.doubt.lock().unwrap().unwrap();
        assert!(
            doubt > Instant::now() + NOTE_LASTS / 2,
            "a note that is lost is missed as long as it would have lasted"
        );
    }

    /// Replay ends a statement that is in its way, and a standby may lack what this release has just made.
    #[sqlx::test(migrations = false)]
    async fn what_fails_on_the_standby_is_read_from_the_primary(_: PgPoolOptions, database: PgConnectOptions) {
        let (platform, replica) = start(database, &[]).await;
        let counted = Counted::begin();
        let options = platform.app.db.connect_options();
        let main = options.get_application_name();
        let fails = async |code: &str| {
            let raise = &format!("do $$ begin raise exception using errcode = '{code}'; end $$");
            replica.observe(FAR, Duration::ZERO);
            let read = |db: PgPool| async move {
                if db.connect_options().get_application_name() != main {
                    db.execute(AssertSqlSafe(raise.clone())).await?;
                }
                Ok::<_, sqlx::Error>(())
            };
            platform.app.read(Uuid::now_v7(), read).await.map(|((), of_standby)| of_standby)
        };
        assert!(!fails("40001").await.unwrap());
        assert!(!fails("42P01").await.unwrap());
        assert!(fails("57014").await.is_err(), "what is too slow there is not begun anew");
        counted.assert(r#"replica_fallbacks_total{reason="conflict"} 1"#);
        counted.assert(r#"replica_fallbacks_total{reason="failed"} 1"#);
    }

    /// A network that swallows packets reports no error.
    #[sqlx::test(migrations = false)]
    async fn a_read_that_hangs_ends_when_the_standby_is_away(_: PgPoolOptions, database: PgConnectOptions) {
        let (platform, replica) = start(database, &[]).await;
        replica.observe(FAR, Duration::ZERO);
        let options = platform.app.db.connect_options();
        let main = options.get_application_name();
        let begun = watch::Sender::new(false);
        let (begin, mut has_begun) = (&begun, begun.subscribe());
        let read = |db: PgPool| async move {
            if db.connect_options().get_application_name() != main {
                begin.send_replace(true);
                std::future::pending::<()>().await;
            }
            Ok::<_, sqlx::Error>(())
        };
        let look = async {
            has_begun.wait_for(|begun| *begun).await.unwrap();
            // The server is no standby, which is as good as none.
            ReplicaWatch::new(&replica).step().await.unwrap_err()
        };
        let both = async { tokio::join!(platform.app.read(Uuid::now_v7(), read), look) };
        let (found, fault) = tokio::time::timeout(Duration::from_secs(5), both).await.unwrap();
        assert_eq!((found.unwrap(), fault.to_string()), (((), false), "the server is no standby".to_owned()));
    }
}
