//! Servers that exist: whether they can be reached, are new enough, and let us do what we need.

use anyhow::{Context, Result};
use reqwest::Url;

use crate::host::programs;
use crate::launcher::doctor::finding::Finding;
use crate::launcher::doctor::programs::{POSTGRES, REDIS, Version, version, written};
use crate::proof::redis::Redis;
use crate::servers::roles;

/// Version, and whether our user may make roles and a database; `t` is Postgres's word for true.
const ASK: &str = "select current_setting('server_version'), rolsuper or (rolcreaterole and rolcreatedb)
                   from pg_roles where rolname = current_user;";

/// What is wrong with a Postgres that the platform is to use.
pub async fn postgres(url: &Url) -> Finding {
    judge_postgres(ask_postgres(url).await)
}

async fn ask_postgres(url: &Url) -> Result<(String, bool)> {
    let answer = roles::run(&programs::psql()?, url, ASK).await?;
    let (version, may) = answer.trim().rsplit_once('|').context("it answers something else")?;
    Ok((version.to_owned(), may == "t"))
}

fn judge_postgres(answer: Result<(String, bool)>) -> Finding {
    const WHAT: &str = "--postgres-url";
    match answer {
        Err(error) => {
            Finding::problem(WHAT, format!("{error:#}"), "start it, or leave --postgres-url out for a private one")
        }
        Ok((says, may)) => old(WHAT, &says, POSTGRES).unwrap_or_else(|| {
            if may {
                return Finding::ok(WHAT, format!("PostgreSQL {says}, in which roles and a database can be made"));
            }
            let mend = "alter role … createrole createdb, or use the superuser's address";
            Finding::problem(WHAT, "its user may not make roles and a database", mend)
        }),
    }
}

/// What is wrong with a Redis that the platform is to use.
pub async fn redis(url: &Url) -> Finding {
    let version = async { Redis::open(url).await?.version().await };
    judge_redis(version.await)
}

fn judge_redis(answer: Result<String>) -> Finding {
    const WHAT: &str = "--redis-url";
    match answer {
        Err(error) => {
            Finding::problem(WHAT, format!("{error:#}"), "start it, or leave --redis-url out for a private one")
        }
        Ok(says) => old(WHAT, &says, REDIS).unwrap_or_else(|| Finding::ok(WHAT, format!("Redis {says}"))),
    }
}

fn old(what: &str, says: &str, least: Version) -> Option<Finding> {
    let found = version(says).filter(|found| *found < least)?;
    let mend = format!("use version {} or newer", written(least));
    Some(Finding::problem(what, format!("{} is too old", written(found)), mend))
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::launcher::doctor::finding::Verdict;

    #[test]
    fn servers_that_are_away_too_old_or_closed_are_problems() {
        let judged = [
            judge_postgres(Ok(("15.18 (Debian 15.18-1)".to_owned(), true))),
            judge_postgres(Ok(("13.2".to_owned(), true))),
            judge_postgres(Ok(("16.1".to_owned(), false))),
            judge_postgres(Err(anyhow!("psql failed"))),
            judge_redis(Ok("7.0.15".to_owned())),
            judge_redis(Ok("6.0.16".to_owned())),
            judge_redis(Err(anyhow!("Redis cannot be reached"))),
        ];
        let verdicts = judged.each_ref().map(|finding| finding.verdict == Verdict::Ok);
        assert_eq!(verdicts, [true, false, false, false, true, false, false], "{judged:?}");
        assert_eq!(judged[1].says, "13.2 is too old");
    }
}
