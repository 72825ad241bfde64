//! Proof that the checks see: what a quiet platform holds is spoilt in every way that they are there for, one at a time
//! and never for good, and each time a check has to name what was spoilt.

use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use anyhow::{Context, Result};
use reqwest::Url;

use crate::proof::chaos::acts::INSULT;
use crate::proof::chaos::checks::{Kind, Violation, all};
use crate::servers::roles;

/// One way to spoil the data, and what has to be found then.
struct Tampering {
    /// What has to be out of the way: a constraint that would not let it happen.
    first: &'static str,
    /// A statement that spoils one thing and returns its id.
    sql: String,
    kind: Kind,
    /// Words of the violation; `{}` is the id.
    words: String,
}

fn tampering(kind: Kind, words: impl Into<String>, sql: impl Into<String>) -> Tampering {
    Tampering { first: "", sql: sql.into(), kind, words: words.into() }
}

/// What came of it.
pub struct Tampered {
    /// How many ways there were, and how many of them a check has named.
    pub tried: u64,
    pub named: u64,
    /// Ways that no check named, and checks that none of them set off.
    pub violations: Vec<Violation>,
}

/// Spoils the data in every way, by the script of all checks: its beginning, up to the first check.
pub async fn tamper(psql: &Path, url: &Url, beginning: &str) -> Result<Tampered> {
    let (ways, checks) = (ways(), all());
    let mut script = format!("{beginning}set local session_replication_role = replica;\n");
    for (way, Tampering { first, sql, .. }) in ways.iter().enumerate() {
        writeln!(
            script,
            "savepoint clean; {first}\nwith spoilt (id) as ({sql}) select 'spoilt {way} ' || id from spoilt;"
        )?;
        for (number, check) in checks.iter().enumerate() {
            writeln!(script, "select 'found {way} {number} ' || what from ({}) as found (what);", check.sql)?;
        }
        writeln!(script, "rollback to savepoint clean;")?;
    }
    let rows = roles::run(psql, url, &script).await.context("the data cannot be spoilt")?;
    let mut set_off = BTreeSet::new();
    let mut tampered = Tampered { tried: ways.len() as u64, named: 0, violations: Vec::new() };
    for (place, way) in ways.iter().enumerate() {
        let of_way = |kind: &str| {
            let head = format!("{kind} {place} ");
            rows.lines().filter_map(|row| row.strip_prefix(&head).map(str::to_owned)).collect::<Vec<_>>()
        };
        let Some(id) = of_way("spoilt").into_iter().next() else {
            let what = format!("there was nothing to spoil for \"{}\"", way.words);
            tampered.violations.push(Violation::new(Kind::Wrong, what));
            continue;
        };
        let words = way.words.replace("{}", &id);
        let found = of_way("found");
        let found = found.iter().filter_map(|row| {
            let (number, what) = row.split_once(' ')?;
            let number: usize = number.parse().ok()?;
            (checks[number].kind == way.kind && what.contains(&words)).then_some(number)
        });
        let numbers: Vec<usize> = found.collect();
        if numbers.is_empty() {
            let what = format!("no check has seen \"{words}\"");
            tampered.violations.push(Violation::new(Kind::Wrong, what));
        } else {
            tampered.named += 1;
            set_off.extend(numbers);
        }
    }
    let silent = (0..checks.len()).filter(|number| !set_off.contains(number));
    let silent = silent.map(|number| format!("nothing has set off the check: {}", checks[number].sql));
    tampered.violations.extend(silent.map(|what| Violation::new(Kind::Wrong, what)));
    Ok(tampered)
}

fn ways() -> Vec<Tampering> {
    [events(), promises(), counters(), effects(), cases()].into_iter().flatten().collect()
}

/// The row of a table that has something of its own: one that is known to be there.
fn one(table: &str, condition: &str) -> String {
    format!("ctid = (select ctid from {table} where {condition} order by ctid limit 1)")
}

/// A copy of a row with a new id, as a statement without its `returning`.
fn copy(table: &str, condition: &str) -> String {
    format!(
        "insert into {table} select (copied).* from (
            select jsonb_populate_record(null::{table}, to_jsonb(original) || jsonb_build_object('id', gen_random_uuid()))
            from {table} as original where {condition} limit 1) as copy (copied)"
    )
}

fn events() -> Vec<Tampering> {
    let last = "stream = 'post_created' and pos = (select max(pos) from post.outbox where stream = 'post_created')";
    let told = "(event_id, stream, pos, prev, message)";
    vec![
        tampering(
            Kind::Lost,
            "post has an event of post_created without a number (seq {})",
            format!("update post.outbox set pos = null, prev = null where {last} returning seq"),
        ),
        tampering(
            Kind::Lost,
            "post applied post_viewed up to {}",
            "update post.inbox set ms = ms - 1 where stream = 'post_viewed' returning ms",
        ),
        tampering(
            Kind::Lost,
            "auth has not written the hash of {}",
            format!(
                "update auth.user_detail set written = version - 1 where {} returning user_id",
                one("auth.user_detail", "true")
            ),
        ),
        tampering(
            Kind::Lost,
            "post has not erased {}",
            "insert into post.erasure (person) values (gen_random_uuid()) returning person",
        ),
        tampering(
            Kind::Lost,
            "interaction: post_viewed has",
            "delete from interaction.outbox where stream = 'post_viewed' and pos = 2 returning seq",
        ),
        tampering(
            Kind::Wrong,
            "post: post_created gave numbers up to {}, the last is",
            format!("delete from post.outbox where {last} returning pos"),
        ),
        tampering(
            Kind::Wrong,
            "post: event {} of post_created is number 2 behind 0-0",
            "update post.outbox set prev = '0-0' where stream = 'post_created' and pos = 2 returning event_id",
        ),
        tampering(
            Kind::Doubled,
            "event {} was told 2 times",
            format!(
                "insert into moderation.outbox {told} select event_id, stream, pos, prev, message from post.outbox
                where stream = 'post_created' and pos = 1 returning event_id"
            ),
        ),
        tampering(
            Kind::Wrong,
            "{} is told by 2 services",
            format!(
                "insert into auth.outbox {told} select gen_random_uuid(), stream, pos, prev, message from post.outbox
                where stream = 'post_created' and pos = 1 returning stream"
            ),
        ),
        tampering(
            Kind::Wrong,
            "post parked {} of post_viewed",
            "insert into post.dead_letter (id, stream, entry_id, occurred_at, version, message, error)
            values (gen_random_uuid(), 'post_viewed', '1-0', now(), 1, '{}', 'spoilt') returning entry_id",
        ),
    ]
}

fn promises() -> Vec<Tampering> {
    let both = "promised_connection.there
        and exists (select from promised_account where id = user_id and there)
        and exists (select from promised_account where id = target_id and there)";
    let mut ways = vec![
        tampering(
            Kind::Lost,
            "account {}",
            "delete from auth.account where id = (select id from promised_account where there limit 1) returning id",
        ),
        tampering(
            Kind::Lost,
            "the connection of {}",
            format!(
                "delete from auth.connection where (user_id, target_id) = (
                    select user_id, target_id from promised_connection where {both} limit 1)
                returning user_id || ' to ' || target_id"
            ),
        ),
        tampering(
            Kind::Wrong,
            "the connection of {} is there again",
            format!(
                "update promised_connection set there = false where (user_id, target_id) = (
                    select user_id, target_id from promised_connection where {both} limit 1)
                returning user_id || ' to ' || target_id"
            ),
        ),
        tampering(
            Kind::Lost,
            "post {}",
            "delete from post.post where id = (select id from promised_post where there and not insult
                and exists (select from post.post where post.id = promised_post.id) limit 1) returning id",
        ),
        tampering(
            Kind::Lost,
            "the status POSTED of post {}, which is DRAFT",
            "update post.post set status = 'DRAFT' where id = (select promised_post.id from promised_post
                join post.post using (id) where promised_post.status = 'POSTED' limit 1) returning id",
        ),
        tampering(
            Kind::Lost,
            "post_viewed of {}:",
            "delete from interaction.outbox where seq = (select told.seq from told join tally on tally.stream = told.stream
                and person = message ->> 'viewed_by' where told.stream = 'post_viewed' and unknown = 0 limit 1)
            returning message ->> 'viewed_by'",
        ),
        tampering(
            Kind::Doubled,
            "post_viewed of {}:",
            "insert into interaction.outbox (event_id, stream, message) select gen_random_uuid(), told.stream, message
            from told join tally on tally.stream = told.stream and person = message ->> 'viewed_by'
            where told.stream = 'post_viewed' and unknown = 0 limit 1 returning message ->> 'viewed_by'",
        ),
    ];
    for (noun, table) in [("post", "post.post"), ("comment", "interaction.comment")] {
        ways.push(tampering(
            Kind::Lost,
            format!("the deletion of {noun} {{}}, an insult"),
            format!(
                "update {table} set content = '{INSULT}' where {} returning id",
                one(table, if noun == "post" { "status = 'POSTED'" } else { "true" })
            ),
        ));
    }
    for noun in ["comment", "reaction"] {
        ways.push(tampering(
            Kind::Lost,
            format!("{noun} {{}} on post"),
            format!(
                "delete from interaction.{noun} where id = (select promised.id from promised_{noun} as promised
                    join interaction.{noun} using (id) join post.post on post.id = {noun}.post_id
                    where there and not insult limit 1) returning id"
            ),
        ));
    }
    let tables = [("account", "auth"), ("post", "post"), ("comment", "interaction"), ("reaction", "interaction")];
    for (noun, schema) in tables {
        ways.push(tampering(
            Kind::Wrong,
            format!("{noun} {{}} is there again"),
            format!(
                "update promised_{noun} set there = false where id = (
                    select id from promised_{noun} join {schema}.{noun} using (id) where there limit 1) returning id"
            ),
        ));
        ways.push(tampering(
            Kind::Wrong,
            format!("{noun} {{}} is there, and somebody was told that it is not"),
            format!("insert into denied select '{noun}', id from {schema}.{noun} limit 1 returning id"),
        ));
    }
    ways
}

/// Every counter one too high, and one too low.
fn counters() -> Vec<Tampering> {
    let counters = [
        ("post.post", "id", "total_comments", "comments of post"),
        ("post.post", "id", "total_reactions", "reactions to post"),
        ("post.post", "id", "total_views", "views of post"),
        ("auth.account", "id", "total_connections", "connections of account"),
        ("engagement.profile", "user_id", "total_owned_posts", "posts of profile"),
        ("engagement.profile", "user_id", "total_post_comments", "comments of profile"),
        ("engagement.profile", "user_id", "total_post_reactions", "reactions of profile"),
        ("engagement.profile", "user_id", "total_post_views", "views of profile"),
        ("engagement.summary", "category || ' of profile ' || user_id", "total", "posts in category"),
        ("engagement.activity", "user_id", "total", "actions by day of profile"),
    ];
    let mut ways = Vec::new();
    for (table, id, counter, what) in counters {
        for (kind, change) in [(Kind::Doubled, "+ 1"), (Kind::Lost, "- 1")] {
            let row = one(table, &format!("{counter} > 0"));
            let sql = format!("update {table} set {counter} = {counter} {change} where {row} returning {id}");
            ways.push(tampering(kind, format!("{what} {{}}: counted"), sql));
        }
    }
    let row = one("post.post", "true");
    ways.push(tampering(
        Kind::Wrong,
        "post {} scores",
        format!("update post.post set score = score + 1 where {row} returning id"),
    ));
    ways
}

fn effects() -> Vec<Tampering> {
    let mut ways = Vec::new();
    let unique = [
        ("post.post_nft", "post_id", "alter table post.post_nft drop constraint post_nft_post_id_key;"),
        (
            "interaction.comment_nft",
            "comment_id",
            "alter table interaction.comment_nft drop constraint comment_nft_comment_id_key;",
        ),
    ];
    for (table, id, first) in unique {
        let noun = id.trim_end_matches("_id");
        let sql = format!("delete from {table} where {} returning {id}", one(table, "true"));
        ways.push(tampering(Kind::Lost, format!("the NFT record of {noun} {{}}"), sql));
        let sql = format!("{} returning {id}", copy(table, "true"));
        ways.push(Tampering { first, ..tampering(Kind::Doubled, "2 NFT records of {}", sql) });
    }
    let heard = "exists (select from told where stream = 'user_registered' and message ->> 'id' = user_id::text)";
    ways.push(tampering(
        Kind::Lost,
        "the profile of {}",
        format!("delete from engagement.profile where {} returning user_id", one("engagement.profile", heard)),
    ));
    ways.push(Tampering {
        first: "alter table engagement.profile drop constraint profile_user_id_key;",
        ..tampering(
            Kind::Doubled,
            "2 profiles of {}",
            format!("{} returning user_id", copy("engagement.profile", "true")),
        )
    });
    let there = "exists (select from post.post as there where there.id = post.id)";
    let content = "gone_at is null and exists (select from post.post where post.id = content.id)";
    ways.extend([
        tampering(
            Kind::Wrong,
            "the interaction service takes post {} for deleted",
            format!(
                "update interaction.post set deleted_at = now() where {} returning id",
                one("interaction.post", there)
            ),
        ),
        tampering(
            Kind::Wrong,
            "the engagement service takes post {} for deleted",
            format!("update engagement.post set types = null where {} returning id", one("engagement.post", there)),
        ),
        tampering(
            Kind::Wrong,
            "the moderation service takes {} for gone",
            format!(
                "update moderation.content set gone_at = now() where {} returning id",
                one("moderation.content", content)
            ),
        ),
    ]);
    for noun in ["comment", "reaction"] {
        let table = format!("interaction.{noun}");
        let sql = format!("update {table} set post_id = gen_random_uuid() where {} returning id", one(&table, "true"));
        ways.push(tampering(Kind::Wrong, format!("{noun} {{}} is about post"), sql));
    }
    ways
}

fn cases() -> Vec<Tampering> {
    let row = one("moderation.moderation", "true");
    vec![
        tampering(
            Kind::Doubled,
            "2 cases about {}",
            format!("{} returning content_id", copy("moderation.moderation", "true")),
        ),
        tampering(
            Kind::Doubled,
            "2 requests to delete {}",
            "insert into moderation.outbox (event_id, stream, message) select gen_random_uuid(), stream, message
            from moderation.outbox where message ->> 'content_id' is not null limit 1 returning message ->> 'content_id'",
        ),
        tampering(
            Kind::Lost,
            "the end of case {} about",
            format!("update moderation.moderation set status = 'DELETE_REQUESTED' where {row} returning id"),
        ),
        tampering(
            Kind::Lost,
            "the deletion of {}, which case",
            format!(
                "update moderation.moderation set content_id = (select id from post.post limit 1) where {row}
                returning content_id"
            ),
        ),
    ]
}
