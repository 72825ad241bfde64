//! The people of a measured platform: those that sign in and read, and the network that they are part of (`fill.sql`).

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::types::Uuid;

use crate::client::Person;
use crate::host::console;
use crate::proof::bench::database::ask;
use crate::proof::bench::feed::graph::{FACEBOOK_PEOPLE, Network};
use crate::proof::bench::load::LoadGenerator;
use crate::proof::bench::load::connection::PreparedRequest;
use crate::proof::bench::options::{Feed, Graph};
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::poll;
use crate::servers::psql;
use crate::system::ENGAGEMENT;

/// The path of a home feed, with a page of 50 items.
pub const HOME: &str = "/api/v1/me/feed";
/// How many people sign in, where no group asks for a number of connections.
const USUAL: usize = 20;
/// Readers of each group with a given number of connections, and these numbers.
const GROUP: usize = 4;
pub const FEW: u32 = 10;
pub const SOME: u32 = 1_000;
pub const MANY: u32 = 5_000;

/// A person that has signed in.
pub struct Reader {
    pub person: Person,
    pub id: Uuid,
    /// How many people they read.
    pub connections: usize,
    /// The number that was asked for; none for most.
    group: Option<u32>,
}

/// A platform with a network in its read model.
pub struct Audience<'p> {
    pub platform: &'p MeasuredPlatform<'p>,
    pub readers: Vec<Reader>,
    /// The ids of all people by their number.
    pub ids: Vec<Uuid>,
    pub edges: usize,
    pub posts: i64,
    pub connections: u32,
}

impl<'p> Audience<'p> {
    /// Signs up the readers, and makes the network and its posts around them.
    pub async fn make(options: &Feed, platform: &'p MeasuredPlatform<'p>, posts: i64) -> Result<Audience<'p>> {
        console::info(format_args!("Making a network and {posts} posts"));
        let (crowd, groups) = match options.graph {
            Graph::PowerLaw => (options.people, [FEW, SOME, MANY].as_slice()),
            Graph::Facebook => (FACEBOOK_PEOPLE, [].as_slice()),
        };
        let groups = groups.iter().flat_map(|degree| [Some(*degree); GROUP]).chain([None; USUAL]).collect::<Vec<_>>();
        // Evenly over all numbers, from those that are known to most to those that are not.
        let numbered = (0..crowd).step_by(crowd as usize / groups.len()).zip(groups);
        let network = match options.graph {
            Graph::PowerLaw => {
                let given = numbered.clone().filter_map(|(number, group)| Some((number, group?)));
                Network::power_law(crowd, &given.collect())
            }
            Graph::Facebook => Network::facebook(),
        };
        let author = (options.graph == Graph::PowerLaw).then_some((crowd, None));
        let numbered: Vec<(u32, Option<u32>)> = numbered.chain(author).collect();
        wait_for_backfill(platform).await?;
        let people = platform.sign_up(u32::try_from(numbered.len())?).await?;
        let mut ids: Vec<Uuid> = (0..network.people).map(|number| id(number.into())).collect();
        let mut readers = Vec::new();
        for ((number, group), person) in numbered.into_iter().zip(people) {
            let reader = Reader { group, ..Reader::new(person, network.degree(number))? };
            ids[number as usize] = reader.id;
            readers.push(reader);
        }
        let script = script(&network, &ids, &readers.iter().map(|reader| reader.id).collect(), posts)?;
        psql::run(&platform.base.database, &script).await.context("a network cannot be made")?;
        let (edges, connections) = (network.edges.len(), options.turns.connections);
        Ok(Audience { platform, readers, ids, edges, posts, connections })
    }

    /// The author that all others read.
    pub fn author(&self) -> Result<&Reader> {
        self.readers.last().context("no one has signed in")
    }

    /// The readers with as many connections as were asked for.
    pub fn group(&self, connections: u32) -> Vec<&Reader> {
        self.readers.iter().filter(|reader| reader.group == Some(connections)).collect()
    }

    /// The readers with as many connections as they happen to have.
    pub fn usual(&self) -> Vec<&Reader> {
        self.readers.iter().filter(|reader| reader.group.is_none()).take(USUAL).collect()
    }

    /// Reads of the home feed by some readers in turn.
    pub async fn home_feeds(&self, readers: &[&Reader]) -> Result<LoadGenerator> {
        let (address, mut requests) = (self.platform.address(&ENGAGEMENT)?, Vec::new());
        for reader in readers {
            requests.push(PreparedRequest::get(address, HOME, &reader.token().await?)?);
        }
        Ok(LoadGenerator { requests: requests.into(), connections: self.connections })
    }

    /// Has the feeds of all readers built.
    pub async fn warm(&self) -> Result<()> {
        for reader in &self.readers {
            reader.warm().await?;
        }
        Ok(())
    }

    /// Returns when all posts have reached all feeds.
    pub async fn settle(&self) -> Result<()> {
        self.platform.settle().await?;
        poll::until("all posts are in feeds", Duration::from_mins(2), Duration::from_millis(100), async || {
            let (jobs,): (i64,) =
                ask("select count(*) from engagement.fan_out").fetch_one(&self.platform.tables).await?;
            Ok(jobs == 0)
        })
        .await
    }

    /// The network in words.
    pub fn described(&self) -> String {
        format!("{} people with {} connections and {} posts", self.ids.len(), self.edges, self.posts)
    }
}

impl Reader {
    /// A person who has this number of connections, by no request for it.
    pub fn new(person: Person, connections: usize) -> Result<Reader> {
        let id = person.id.parse().context("the id of a person is none")?;
        Ok(Reader { person, id, connections, group: None })
    }

    /// Has their feed built.
    pub async fn warm(&self) -> Result<()> {
        self.person.home_feed().await.map(drop)
    }

    pub async fn token(&self) -> Result<String> {
        Ok(self.person.api.access_token().await?.unwrap_or_default())
    }

    /// The key of their feed in Redis.
    pub fn key(&self) -> String {
        key(self.id)
    }
}

/// The key of a person's feed in Redis.
pub fn key(id: Uuid) -> String {
    format!("feed:{}", id.simple())
}

/// The id of a person who does not sign in.
fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_9000_0000_0000_0000 + number)
}

/// Returns when the engagement service has copied from the others what there is. The network is in its own tables only: a copy
/// that is under way would take it out again.
async fn wait_for_backfill(platform: &MeasuredPlatform<'_>) -> Result<()> {
    poll::until("the read model is filled", Duration::from_mins(2), Duration::from_millis(100), async || {
        let unfinished = "select count(*) from engagement.backfill where finished_at is null";
        let (sources,): (i64,) = ask(unfinished).fetch_one(&platform.tables).await?;
        Ok(sources == 0)
    })
    .await
}

/// The network as rows, and what is made of them.
fn script(network: &Network, ids: &[Uuid], readers: &BTreeSet<Uuid>, posts: i64) -> Result<String> {
    let mut script = format!("\\set people {}\n\\set posts {posts}\n", network.people);
    script.push_str("create schema bench;\n");
    script.push_str("create table bench.person (n integer primary key, id uuid not null, reads boolean not null);\n");
    script.push_str("create table bench.edge (reader integer not null, target integer not null);\n");
    script.push_str("copy bench.person from stdin;\n");
    for (number, id) in ids.iter().enumerate() {
        writeln!(script, "{number}\t{id}\t{}", readers.contains(id))?;
    }
    script.push_str("\\.\ncopy bench.edge from stdin;\n");
    for (reader, target) in &network.edges {
        writeln!(script, "{reader}\t{target}")?;
    }
    Ok(script + "\\.\n" + include_str!("fill.sql"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_has_all_people_and_connections_and_marks_who_reads() {
        let network = Network { people: 2, edges: vec![(0, 1), (1, 0)] };
        let ids = [id(0), id(1)];
        let script = script(&network, &ids, &BTreeSet::from([ids[1]]), 7).unwrap();
        assert!(script.starts_with("\\set people 2\n\\set posts 7\n"), "{script}");
        let people = "copy bench.person from stdin;\n0\t01900000-0000-7000-9000-000000000000\tfalse\n\
            1\t01900000-0000-7000-9000-000000000001\ttrue\n\\.\n";
        assert!(script.contains(people), "{script}");
        assert!(script.contains("copy bench.edge from stdin;\n0\t1\n1\t0\n\\.\n"), "{script}");
        assert_eq!(key(ids[1]), "feed:01900000000070009000000000000001");
    }
}
