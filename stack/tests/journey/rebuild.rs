//! The read model of the engagement service is filled from its neighbours while people go on writing and the process that fills
//! it is killed twice: afterwards it is the neighbours' tables, row by row.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use reqwest::{Client, Method};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use tokio::time::interval;

use crate::client::{self, Person, To};
use crate::platform::{PASSWORD, Platform};

/// What there is before the rebuild, of which no event says anything: enough people and posts that it takes several seconds. Of the
/// rest there are a few pages of each, which show the same as more of them would.
const ROWS: [&str; 15] = [
    "insert into auth.account (id, created_at, updated_at, email, email_key, password_hash, first_name, last_name, interests,
        status, avatar_url)
    select gen_random_uuid(), at, at, n || '@example.com', n || '@example.com', '!', 'P' || n, 'Q', array['BOOKS', 'NEWS'],
        'ACTIVE', 'https://example.com/' || n || '.png'
    from (select n, now() - n * interval '7 minutes' as at from generate_series(1, 5000) as n) as old",
    "insert into auth.connection (user_id, target_id, connected_at)
    select one.id, other.id, now() - interval '1 day'
    from (select id, row_number() over () as n from auth.account where email like '%@example.com') as one
    join (select id, row_number() over () as n from auth.account where email like '%@example.com') as other
        on other.n <> one.n and (other.n - one.n) % 2500 = 0",
    "insert into auth.block (user_id, target_id, blocked_at)
    select target_id, user_id, now() - interval '1 hour' from auth.connection order by user_id limit 1500",
    // Ids without an order, as the original's, and some that begin with their time, as ours.
    "insert into post.post (id, created_by, created_at, updated_at, title, content, types, status, published_at, hidden_at,
        total_views, repeated_views)
    select gen_random_uuid(), author.id, at, at + interval '1 minute', 'T' || old.n,
        'The text of number ' || old.n || case old.n % 20 when 0 then ' #News and #Autumn for @readerone' else '' end, array['NEWS'],
        case old.n % 10 when 0 then 'DRAFT' when 1 then 'ARCHIVED' else 'POSTED' end,
        case old.n % 10 when 0 then null else at end, case old.n % 97 when 0 then at end, old.n % 1000,
        old.n % 1000 / 3
    from (select n, now() - n * interval '1 minute' as at from generate_series(1, 50000) as n) as old
    join (select id, row_number() over () as n from auth.account where email like '%@example.com') as author
        on author.n = 1 + old.n % 5000",
    "insert into interaction.post (id, created_by, status, updated_at, hidden)
    select id, created_by, status, updated_at, hidden_at is not null from post.post on conflict do nothing",
    "insert into interaction.comment (id, created_at, created_by, updated_at, post_id, content, hidden_at)
    select gen_random_uuid(), post.created_at, post.created_by, post.updated_at, post.id, 'words',
        case when total_views % 50 = 0 then post.created_at end
    from post.post where total_views % 10 = 0",
    "insert into interaction.reaction (id, created_at, created_by, updated_at, post_id, type)
    select gen_random_uuid(), created_at, created_by, updated_at, id, (array['LIKE', 'LOVE', 'JOY'])[1 + total_views % 3]
    from post.post where total_views % 10 = 1",
    "insert into interaction.comment (id, created_at, created_by, updated_at, post_id, content, reply_to)
    select gen_random_uuid(), created_at + interval '1 second', created_by, updated_at + interval '1 second', post_id, 'more words', id
    from interaction.comment where hidden_at is null order by id limit 1000",
    "insert into interaction.comment_reaction (id, created_at, created_by, updated_at, comment_id, post_id, type)
    select gen_random_uuid(), created_at, created_by, updated_at, id, post_id, 'LOVE'
    from interaction.comment order by id desc limit 1000",
    "insert into post.item (id, kind, external_id, url, title, artists)
    select gen_random_uuid(), 'BOOK', 'isbn:' || n, 'https://example.com/' || n, 'Book ' || n, array['Ann', 'Bert']
    from generate_series(1, 100) as n",
    // Some say of it what its row says, and some something else.
    "insert into post.post_item (post_id, item_id, words)
    select post.id, item.id, case when total_views % 2 = 0 then jsonb_build_object('url', url, 'title', 'A book', 'artists', artists,
        'site', 'example.com', 'picture_url', 'https://example.com/a.png') end
    from post.post join post.item on external_id = 'isbn:' || (1 + total_views % 100) where total_views % 45 = 3",
    "insert into post.media (id, created_by, purpose, status, content_type, bytes, sha256, width, height, blurhash, alt, unused_since)
    select gen_random_uuid(), created_by, 'POST', 'READY', 'image/png', 100, sha256(id::text::bytea), 640, 480, 'LEHV6nWB2yk8',
        'Of ' || title, null
    from post.post where total_views % 50 = 7",
    "insert into post.post_media (post_id, place, media_id, key)
    select post.id, 0, media.id, gen_random_uuid() from post.media join post.post on alt = 'Of ' || title",
    // What the read model has and its owners do not.
    "insert into engagement.post_card (id, user_id, created_at, content, types, status, version)
    select gen_random_uuid(), gen_random_uuid(), now() - interval '1 day', 'gone', '{}', 'POSTED', now() - interval '1 day'
    from generate_series(1, 3000)",
    // Without it the new rows would be planned for as none, until Postgres looks at them by itself.
    "analyze",
];

/// A table of the read model, and what it should be by the tables of its owners.
const EQUALS: [(&str, &str, &str); 15] = [
    (
        "people",
        "select id, username, first_name, last_name, avatar_url, interests, status, updated_at from auth.account",
        "select id, username, first_name, last_name, avatar_url, interests, status, version from engagement.person",
    ),
    (
        "connections",
        "select user_id, target_id, connected_at from auth.connection",
        "select user_id, target_id, at from engagement.follow where stands",
    ),
    (
        "blocks",
        "select user_id, target_id, blocked_at from auth.block",
        "select user_id, target_id, at from engagement.block where stands",
    ),
    (
        "posts",
        "select id, created_by, created_at, case when hidden_at is null then title end,
            case when hidden_at is null then content else '' end, types, status, updated_at, published_at, hidden_at is not null
        from post.post",
        "select id, user_id, created_at, title, content, types, status, version, published_at, hidden
        from engagement.post_card where deleted_at is null",
    ),
    (
        "comments",
        "select id, post_id, created_by, created_at, updated_at, hidden_at is not null, reply_to from interaction.comment",
        "select id, post_id, user_id, created_at, version, hidden, reply_to from engagement.comment_card
        where deleted_at is null",
    ),
    (
        "reactions",
        "select id, post_id, created_by, type, created_at, updated_at from interaction.reaction",
        "select id, post_id, user_id, type, created_at, version from engagement.reaction_card where deleted_at is null",
    ),
    (
        "reactions to comments",
        "select id, comment_id, post_id, created_by, created_at, updated_at from interaction.comment_reaction",
        "select id, comment_id, post_id, user_id, created_at, version from engagement.comment_reaction_card
        where deleted_at is null",
    ),
    // They are stored by no owner: they follow from the words, in which each stands once here.
    (
        "facets",
        "select id, case parts[1] when '#' then 'TAG' else 'MENTION' end, parts[2], strpos(content, parts[1] || parts[2]) - 1
        from post.post cross join lateral regexp_matches(content, '([#@])([A-Za-z]+)', 'g') as found (parts)
        where hidden_at is null",
        "select id, facet ->> 'kind', facet ->> 'value', (facet ->> 'byte_start')::int
        from engagement.post_card cross join lateral jsonb_array_elements(facets) as facet where deleted_at is null",
    ),
    (
        "tags",
        "select id, array(select lower(parts[1]) from regexp_matches(content, '#([A-Za-z]+)', 'g') with ordinality
            as found (parts, place) order by place)
        from post.post where hidden_at is null",
        "select id, tags from engagement.post_card where deleted_at is null and not hidden",
    ),
    // Those that events brought: a name that was copied with its text leads to no one.
    (
        "mentions",
        "select post.id, lower(username), account.id, post.created_by
        from post.post join auth.account on username is not null and strpos(post.content, '@' || username) > 0
        where post.published_at is not null and post.hidden_at is null",
        "select source_id, name, person_id, author_id from engagement.mention where stands",
    ),
    (
        "items",
        "select post_id, coalesce(words, post.item_words(item)) || jsonb_build_object('id', item.id, 'kind', kind,
            'external_id', external_id)
        from post.post_item join post.item on item.id = item_id join post.post on post.id = post_id where post.hidden_at is null",
        "select id, item from engagement.post_card where deleted_at is null and item is not null",
    ),
    (
        "pictures",
        "select post_id, jsonb_agg(jsonb_build_object('id', media.id, 'alt', alt, 'width', width, 'height', height,
            'blurhash', blurhash, 'key', key) order by place)
        from post.post_media join post.media on media.id = media_id join post.post on post.id = post_id
        where media.status = 'READY' and media.hidden_at is null and post.hidden_at is null group by post_id",
        "select post_id, pictures from engagement.post_picture where pictures <> '[]'",
    ),
    (
        "views",
        "select id, total_views, repeated_views from post.post",
        "select post_card.id, coalesce(views, 0), coalesce(repeated_views, 0) from engagement.post_card
        left join engagement.post_count on post_id = post_card.id where deleted_at is null",
    ),
    (
        "counts of comments",
        "select post_id, count(*) from interaction.comment where hidden_at is null group by 1",
        "select post_id, comments from engagement.post_count where comments <> 0",
    ),
    (
        "counts of reactions",
        "select post_id, count(*) from interaction.reaction group by 1",
        "select post_id, reactions from engagement.post_count where reactions <> 0",
    ),
];

/// How long the read model may take to be filled and to have consumed all events, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// A process of the engagement service, as the launcher started it.
struct Program {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Program {
    /// What a running process was started with.
    fn of(pid: nix::unistd::Pid) -> Result<Program> {
        let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}"));
        let parts = |text: String| text.split_terminator('\0').map(str::to_owned).collect::<Vec<_>>();
        let environment = parts(read("environ")?);
        let pair = |text: &String| text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(Program { arguments: parts(read("cmdline")?), environment: environment.iter().filter_map(pair).collect() })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.arguments[0]);
        command.args(&self.arguments[1..]).env_clear().envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// A process that ends with its test.
struct Running(Child);

impl Running {
    fn kill(&mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill().ok();
    }
}

/// Rows that were copied of all sources, and whether that is all; none while the service does not answer.
async fn progress(http: &Client, url: &str, token: &str) -> Option<(i64, bool)> {
    let answer = http.get(format!("{url}/internal/rebuild")).bearer_auth(token).send().await.ok()?;
    let sources: Vec<Value> = answer.error_for_status().ok()?.json().await.ok()?;
    let rows = sources.iter().filter_map(|source| source["rows"].as_i64()).sum();
    Some((rows, sources.iter().all(|source| source["finished_at"].is_string())))
}

/// Waits until that number of rows is copied, or all.
async fn copied(http: &Client, url: &str, token: &str, wanted: i64) -> Result<(i64, bool)> {
    let (began, mut tick) = (Instant::now(), interval(Duration::from_millis(20)));
    loop {
        tick.tick().await;
        let found = progress(http, url, token).await;
        if let Some(found) = found.filter(|(rows, whole)| *rows >= wanted || *whole) {
            return Ok(found);
        }
        ensure!(began.elapsed() < PATIENCE, "the read model is not being filled: {found:?}");
    }
}

/// How many rows differ, by what they are; nothing when none does.
async fn differences(db: &mut PgConnection) -> Result<Vec<(&'static str, i64)>> {
    let mut found = Vec::new();
    for (what, owners, ours) in EQUALS {
        let query =
            format!("select count(*) from (({owners} except {ours}) union all ({ours} except {owners})) as differing");
        let rows: i64 = db.fetch_one(AssertSqlSafe(query)).await.with_context(|| what)?.get(0);
        if rows > 0 {
            found.push((what, rows));
        }
    }
    Ok(found)
}

/// Does what people do, to posts that there are and to new ones, until `stop` is set; how often.
async fn live(ada: &Person, bob: &Person, old: &[String], stop: &AtomicBool) -> Result<usize> {
    let mut turns = 0;
    while !stop.load(Ordering::SeqCst) {
        let (seen, gone) = (&old[turns * 2 % old.len()], &old[(turns * 2 + 1) % old.len()]);
        bob.view(seen).await?;
        let comment = bob.comment(seen, "still here").await?;
        let reaction = bob.react(gone, "SAD").await?;
        let change = serde_json::json!({ "type": "LOVE" });
        bob.api
            .ask::<Value>(Method::PUT, To::Interaction, &format!("/post-reactions/{}", reaction.id), Some(&change))
            .await?;
        let written = ada.write_post("New", "written meanwhile", &["NEWS"], "DRAFT").await?;
        let content = "published #Meanwhile for @bobfrankston";
        ada.change_post(&written.id, content, &["NEWS"], "POSTED").await?;
        bob.view(&written.id).await?;
        bob.view(&written.id).await?;
        if turns % 2 == 0 {
            bob.api.ask::<()>(Method::DELETE, To::Interaction, &format!("/comments/{}", comment.id), None).await?;
            bob.api
                .ask::<()>(Method::DELETE, To::Interaction, &format!("/post-reactions/{}", reaction.id), None)
                .await?;
            ada.api.ask::<()>(Method::DELETE, To::Post, &format!("/posts/{}", written.id), None).await?;
            ada.connect(&bob.id).await?;
        } else {
            let path = format!("/users/{}/disconnect", bob.id);
            ada.api.ask::<Value>(Method::DELETE, To::Auth, &path, None).await?;
        }
        turns += 1;
    }
    Ok(turns)
}

/// Gives Bob a username, and waits until the read model knows it: a name leads to who has it when a text is consumed.
async fn name_bob(bob: &Person, db: &mut PgConnection) -> Result<()> {
    let change = serde_json::json!({ "username": "bobfrankston" });
    bob.api.ask::<Value>(Method::PATCH, To::Auth, "/users/me", Some(&change)).await?;
    let (began, mut tick) = (Instant::now(), interval(Duration::from_millis(20)));
    while db.fetch_optional("select from engagement.person where username = 'bobfrankston'").await?.is_none() {
        ensure!(began.elapsed() < PATIENCE, "the read model does not know Bob by his username");
        tick.tick().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_rebuild_that_is_killed_twice_ends_with_the_tables_of_its_owners() -> Result<()> {
    let mut platform = Platform::up(&["--replicas", "2"]);
    let http = client::http(Duration::from_secs(5))?;
    let ada = platform.api().join("ada@example.org", PASSWORD, ("Ada", "Lovelace"), &["BOOKS"]).await?;
    let bob = platform.api().join("bob@example.org", PASSWORD, ("Bob", "Frankston"), &["TECHNOLOGY"]).await?;
    let kept: Value = serde_json::from_str(&fs::read_to_string(platform.data().join("kept.json"))?)?;
    let secret = |name: &str| kept["secrets"][name].as_str().unwrap_or_default().to_owned();
    let postgres = format!("postgres://postgres:{}@127.0.0.1:{}/social", secret("postgres"), kept["postgres_port"]);
    let (mut db, url, token) = (PgConnection::connect(&postgres).await?, platform.url(0, 4), secret("service_token"));
    copied(&http, &url, &token, i64::MAX).await.context("the first start fills it by itself")?;
    name_bob(&bob, &mut db).await?;

    let program = Program::of(platform.pid_of("engagement-service"))?;
    // The launcher stops a platform that has no replica of a service left. One that stands still does no work.
    platform.signal_to("engagement-service-2", Signal::SIGSTOP);
    platform.signal_to("engagement-service", Signal::SIGKILL);
    for rows in ROWS {
        db.execute(rows).await?;
    }
    let ordered = program.command().arg("rebuild").status()?;
    ensure!(ordered.success(), "the command ended with {ordered}");
    let old =
        "select id::text from post.post where status = 'POSTED' and hidden_at is null and total_views > 0 limit 4000";
    let old: Vec<String> = db.fetch_all(old).await?.iter().map(|row| row.get(0)).collect();
    let (began, stop) = (Instant::now(), AtomicBool::new(false));
    let fill = async {
        let mut process = Running(program.command().spawn()?);
        // Among the connections, and among the posts.
        for killed_at in [8_000, 30_000] {
            let found = copied(&http, &url, &token, killed_at).await?;
            ensure!(!found.1, "it was filled before it could be killed: {found:?}");
            process.kill()?;
            println!("killed after {} rows, {:.1?}", found.0, began.elapsed());
            process = Running(program.command().spawn()?);
        }
        let (rows, _) = copied(&http, &url, &token, i64::MAX).await?;
        println!("filled with {rows} rows after {:.1?}", began.elapsed());
        stop.store(true, Ordering::SeqCst);
        Ok(process)
    };
    let (turns, process) = tokio::try_join!(live(&ada, &bob, &old, &stop), fill)?;
    ensure!(turns >= 5, "people did next to nothing meanwhile: {turns} turns");

    let (written, mut tick) = (Instant::now(), interval(Duration::from_millis(500)));
    loop {
        tick.tick().await;
        let found = differences(&mut db).await?;
        if found.is_empty() {
            break;
        }
        ensure!(written.elapsed() < PATIENCE, "rows that differ: {found:?}");
    }
    println!("{turns} turns of people meanwhile; equal {:.1?} after the last", written.elapsed());
    drop(process);
    platform.signal_to("engagement-service-2", Signal::SIGCONT);
    platform.stop();
    Ok(())
}
