//! People for people: of connections that are held out, how many are recommended, and what recommendations and tastes cost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::Method;
use sqlx::types::Uuid;

use super::hidden_edges::{HiddenEdges, LIST, Lists, group, ratio, university};
use crate::client::{Person, To};
use crate::host::console;
use crate::host::programs::Program;
use crate::proof::bench::database::{ask, sql};
use crate::proof::bench::feed::graph::Network;
use crate::proof::bench::latency::{LatencyHistogram, milliseconds};
use crate::proof::bench::options::Recommend;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::{Measurement, row};
use crate::proof::poll;
use crate::servers::psql;
use crate::servers::temporary::TemporaryServers;

/// Communities, and people who sign in.
const GROUPS: u32 = 20;
const READERS: u32 = 100;
/// How long a run over everyone, and the search for similar tastes, may take.
const RUN_TIMEOUT: Duration = Duration::from_hours(1);
/// How often each reader reads.
const ROUNDS: usize = 10;
/// Empties what is filled anew, and what the measurement before has left of posts: affinities would be computed from it.
const CLEAR: &str = "truncate engagement.person, engagement.follow, engagement.affinity, engagement.recommended_people,
    engagement.post_card, engagement.post_count, engagement.reaction_card, engagement.comment_card cascade";
/// What affinities are drawn from, the reactions of a person, and the share of them that is to posts of their group.
const SEED: u64 = 5;
const REACTIONS: u32 = 10;
const OWN_GROUP: f64 = 0.6;
const INTERESTS: [&str; 10] =
    ["FOOD", "NEWS", "BOOKS", "HEALTH", "SPORTS", "TRAVEL", "FASHION", "FICTION", "CULTURAL", "POLITICS"];

/// Quality where it can be known, cost where there are many people.
pub async fn measure(options: &Recommend, platform: &MeasuredPlatform<'_>) -> Result<Vec<Measurement>> {
    let hidden = hidden(platform).await?;
    psql::run(&platform.base.database, CLEAR).await?;
    let planted = planted(options, platform).await?;
    let mut servers = TemporaryServers::new(&[Program::Postgres, Program::Redis]).await?;
    let cost = cost(options, &mut servers).await;
    servers.stop().await?;
    Ok(vec![hidden, planted, cost?])
}

/// Computes everyone's list; how long the batches took.
async fn run(platform: &MeasuredPlatform<'_>) -> Result<Duration> {
    let begin =
        "update engagement.recommendation_run set cursor = '00000000-0000-0000-0000-000000000000', worked_ms = 0,
        started_at = now(), finished_at = null";
    psql::run(&platform.base.database, begin).await?;
    let worked = "select coalesce((select worked_ms from engagement.recommendation_run where cursor is null), -1)";
    poll::until("everyone's list is computed", RUN_TIMEOUT, Duration::from_millis(200), async || {
        Ok(ask::<(i64,)>(worked).fetch_one(&platform.tables).await?.0 >= 0)
    })
    .await?;
    Ok(Duration::from_millis(u64::try_from(ask::<(i64,)>(worked).fetch_one(&platform.tables).await?.0)?))
}

/// The first places of the lists that were computed.
async fn computed(platform: &MeasuredPlatform<'_>) -> Result<BTreeMap<Uuid, Vec<Uuid>>> {
    let lists = ask::<(Uuid, Vec<Uuid>)>("select user_id, people[1:10] from engagement.recommended_people");
    Ok(lists.fetch_all(&platform.tables).await?.into_iter().collect())
}

/// A tenth of the friendships of networks of the size of a real graph is hidden.
async fn hidden(platform: &MeasuredPlatform<'_>) -> Result<Measurement> {
    let mut rows = vec![row(["network", "way", "recall@10", "÷ resource allocation", "people recommended", "Gini"])];
    for (name, network, has_traits) in [
        ("by numbers of friends alone", Network::facebook(), false),
        ("groups and triangles", university(), false),
        ("groups and triangles, with interests and affinities", university(), true),
    ] {
        console::info(format_args!("Hiding a tenth of a network: {name}"));
        let edges = HiddenEdges::of(&network);
        insert(platform, &edges, has_traits).await?;
        run(platform).await?;
        let number = |id: &Uuid| u32::try_from(id.as_u128() & 0xffff).unwrap_or_default();
        let ours = computed(platform).await?;
        let ours: Lists = ours.iter().map(|(id, list)| (number(id), list.iter().map(number).collect())).collect();
        let [allocation, counting] = [false, true].map(|counting| edges.lists(counting));
        let base = edges.recall(&allocation);
        for (way, lists) in
            [("this platform", &ours), ("resource allocation", &allocation), ("common friends", &counting)]
        {
            let (recall, (coverage, gini)) = (edges.recall(lists), edges.spread(lists));
            rows.push(row([
                name,
                way,
                &format!("{recall:.3}"),
                &format!("{:.2}", recall / base),
                &format!("{:.1} %", coverage * 100.0),
                &format!("{gini:.2}"),
            ]));
        }
    }
    let description = format!(
        "Networks of 962 people and 18,812 friendships, as the graph socfb-Reed98 has, which is not here: on that graph resource allocation \
         finds 0.283 and counting common friends, as Mastodon does, 0.259. One is drawn by numbers of friends alone, and so has hardly \
         anything by which a friendship could be foreseen; the other in groups, with closed triangles, once without anything else and once with \
         interests, of which about one in two is that of the group, and with reactions, of which six in ten are to posts of the group. A tenth of the friendships is hidden in both directions. recall@10 is the share of a person's hidden \
         friends, of at most {LIST}, on a list of {LIST}. How many people are on a list at all, and how unequally often, stands beside it."
    );
    Ok(Measurement { title: "People for people: hidden friendships".to_owned(), description, rows })
}

/// Puts what is known of a network into the read model.
async fn insert(platform: &MeasuredPlatform<'_>, edges: &HiddenEdges, has_traits: bool) -> Result<()> {
    psql::run(&platform.base.database, CLEAR).await?;
    let id = |person: u32| Uuid::from_u128(0x4000_8000_0000_0000_0000 + u128::from(person));
    let people: Vec<Uuid> = (0..edges.people).map(id).collect();
    let interests = (0..edges.people).map(|person| {
        let own = if person.is_multiple_of(2) { group(person) } else { person.wrapping_mul(2_654_435_761) >> 16 };
        if has_traits { INTERESTS[own as usize % INTERESTS.len()] } else { "OTHER" }
    });
    sql("insert into engagement.person (id, username, status, version, interests)
        select id, 'p' || place, 'ACTIVE', now(), array[interest]
        from unnest($1::uuid[], $2::text[]) with ordinality as one (id, interest, place)")
    .bind(&people)
    .bind(interests.collect::<Vec<_>>())
    .execute(&platform.tables)
    .await?;
    if has_traits {
        sql("insert into engagement.affinity (person_id, weights)
            select id, weights::jsonb from unnest($1::uuid[], $2::text[]) as one (id, weights)")
        .bind(&people)
        .bind(affinities(edges.people))
        .execute(&platform.tables)
        .await?;
    }
    let known = || edges.known.iter().flat_map(|(one, others)| others.iter().map(move |other| (*one, *other)));
    sql("insert into engagement.follow (user_id, target_id, stands, at)
        select one, other, true, now() from unnest($1::uuid[], $2::uuid[]) as edge (one, other)")
    .bind(known().map(|(one, _)| id(one)).collect::<Vec<_>>())
    .bind(known().map(|(_, other)| id(other)).collect::<Vec<_>>())
    .execute(&platform.tables)
    .await?;
    psql::run(&platform.base.database, "analyze engagement.person; analyze engagement.follow").await?;
    Ok(())
}

/// What each person deals with: ten reactions, six in ten of them to posts of their group, each to a post with one category and one tag.
fn affinities(people: u32) -> Vec<String> {
    let mut dice = StdRng::seed_from_u64(SEED);
    let mut of = |person: u32| {
        let mut weights: BTreeMap<String, f64> = BTreeMap::new();
        for _ in 0..REACTIONS {
            let topic = if dice.random_bool(OWN_GROUP) { group(person) } else { group(dice.random()) };
            for word in [INTERESTS[topic as usize % INTERESTS.len()].to_owned(), format!("#group{topic}")] {
                *weights.entry(word).or_default() += 0.5 / f64::from(REACTIONS);
            }
        }
        serde_json::json!(weights).to_string()
    };
    (0..people).map(&mut of).collect()
}

/// The communities, whose readers have signed in.
async fn plant(platform: &MeasuredPlatform<'_>, people: u32, tastes: bool) -> Result<Vec<Person>> {
    console::info(format_args!("Planting communities of {people} people"));
    let readers = platform.sign_up_as("friend", READERS).await?;
    let rows: Vec<String> = (1..).zip(&readers).map(|(n, reader)| format!("({n}, '{}')", reader.id)).collect();
    let script = format!(
        "\\set people {people}\n\\set groups {GROUPS}\n\\set tastes {tastes}\n\
         drop schema if exists bench cascade; create schema bench;\n\
         create table bench.reader (n integer primary key, id uuid not null);\n\
         insert into bench.reader values {};\n{}",
        rows.join(", "),
        include_str!("people.sql")
    );
    psql::run(&platform.base.database, &script).await.context("communities cannot be planted")?;
    Ok(readers)
}

/// How many of the connections that were held out in planted communities are recommended.
async fn planted(options: &Recommend, platform: &MeasuredPlatform<'_>) -> Result<Measurement> {
    plant(platform, options.people, false).await?;
    run(platform).await?;
    let lists = computed(platform).await?;
    let mut held: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
    for (one, other) in
        ask::<(Uuid, Uuid)>("select one, other from bench.held_edge").fetch_all(&platform.tables).await?
    {
        held.entry(one).or_default().insert(other);
    }
    let teams = ask::<(Uuid, i32)>("select id, team from bench.member").fetch_all(&platform.tables).await?;
    let teams: BTreeMap<Uuid, i32> = teams.into_iter().collect();
    let recall = held.iter().map(|(one, held)| {
        let found = lists.get(one).map_or(0, |list| list.iter().filter(|other| held.contains(other)).count());
        ratio(found, held.len().min(LIST))
    });
    let recall = recall.sum::<f64>() / ratio(held.len(), 1);
    let pairs = || lists.iter().flat_map(|(one, list)| list.iter().map(move |other| (one, other)));
    let within = pairs().filter(|(one, other)| teams.get(one) == teams.get(other)).count();
    let shown: BTreeSet<&Uuid> = pairs().map(|(_, other)| other).collect();
    let rows = vec![
        row(["what", "share"]),
        row(["recall@10 of held-out connections", &format!("{recall:.3}")]),
        row(["places that the own group has", &format!("{:.3}", ratio(within, pairs().count()))]),
        row(["people recommended", &format!("{:.1} %", 100.0 * ratio(shown.len(), teams.len()))]),
    ];
    let description = format!(
        "{} people in {GROUPS} groups. Each is connected to 20 others, 16 of them in the group and 4 anywhere, half of them have the group's \
         interest, and each has reacted to 10 posts, 8 of them the group's. A tenth of the connections is held out; by chance a person of \
         the own group is found on one place in {GROUPS}.",
        options.people
    );
    Ok(Measurement { title: "People for people: planted communities".to_owned(), description, rows })
}

/// What a page, a run and similar tastes cost where there are many people.
async fn cost(options: &Recommend, servers: &mut TemporaryServers) -> Result<Measurement> {
    let platform = MeasuredPlatform::start(&options.run, servers).await?;
    let readers = plant(&platform, options.many, true).await?;
    let begun = Instant::now();
    psql::run(&platform.base.database, "update engagement.taste set matched = false").await?;
    poll::until("similar tastes are found", RUN_TIMEOUT, Duration::from_millis(500), async || {
        let left = "select count(*) from (select from engagement.taste where not matched limit 1) as one";
        Ok(ask::<(i64,)>(left).fetch_one(&platform.tables).await?.0 == 0)
    })
    .await?;
    let matched = begun.elapsed();
    let worked = run(&platform).await?;
    let mut latencies = LatencyHistogram::new()?;
    for _ in 0..ROUNDS {
        for reader in &readers {
            let asked = Instant::now();
            let _: serde_json::Value =
                reader.api.ask(Method::GET, To::Engagement, "/me/recommendations/people", None).await?;
            latencies.record(asked.elapsed())?;
        }
    }
    let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|q| milliseconds(latencies.quantile(q)));
    let million = worked.as_secs_f64() * 1e6 / f64::from(options.many) / 60.0;
    let rows = vec![
        row(["what", "figure", "goal"]),
        row(["a page: p50", &p50, ""]),
        row(["a page: p95", &p95, "30 ms"]),
        row(["a page: p99", &p99, ""]),
        row(["everyone's list", &format!("{:.0} s", worked.as_secs_f64()), ""]),
        row(["the same for a million people", &format!("{million:.1} min"), "20 min"]),
        row(["everyone's similar tastes", &format!("{:.0} s", matched.as_secs_f64()), "600 s"]),
    ];
    let description = format!(
        "{} people as in the planted communities, each of whom also listens to 15 tracks and 10 artists. {READERS} readers, one request after \
         the other, a page of 20. Everyone's list is the time of the batches, rests left out; what the network costs to fetch tastes is \
         not in it.",
        options.many
    );
    Ok(Measurement { title: "The cost of people for people".to_owned(), description, rows })
}
