//! Random histories of the queue against an oracle: whatever moderators claim, renew, release and decide, alone or all at once, and however
//! time passes, no item is with two, and each is with the one that the answers said.
use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};
use uuid::Uuid;

use super::waiting_post;
use crate::SERVICE;
use crate::core::testing::{Platform, new_user};
use crate::ledger::NewEntry;
use crate::ledger::signals::record;
use crate::reports::tests::new_moderator;
use crate::subjects::changes::{Actor, Change};
use crate::subjects::reasons::Reason;
use crate::subjects::{SubjectKey, SubjectType};

const STEPS: usize = 160;
const ITEMS: usize = 10;
const MODERATORS: usize = 4;
/// How long a claim lasts, in minutes.
const LEASE: i64 = 15;
/// The minutes in which time passes. The test itself takes less than that, so it makes no claim end that has not ended.
const TICK: i64 = 5;

/// What is known without the database of who has which item.
struct LeaseHistory {
    platform: Platform,
    author: Uuid,
    /// Their tokens and ids.
    moderators: Vec<(String, Uuid)>,
    items: Vec<Uuid>,
    /// The items that wait for a decision.
    waiting: BTreeSet<Uuid>,
    minute: i64,
    /// The last claim on each item, over or not: whose it is, and from which minute on it is over.
    claims: BTreeMap<Uuid, (Uuid, i64)>,
    context: String,
}

impl LeaseHistory {
    async fn begin(database: PgConnectOptions) -> Self {
        let platform = Platform::start(&SERVICE, database, &[]).await;
        let (_, author) = new_user();
        let mut items = Vec::new();
        for _ in 0..ITEMS {
            items.push(waiting_post(&platform, author).await);
        }
        let moderators = (0..MODERATORS).map(|_| new_moderator()).collect();
        let (waiting, claims) = (items.iter().copied().collect(), BTreeMap::new());
        Self { platform, author, moderators, items, waiting, minute: 0, claims, context: String::new() }
    }

    /// Who has an item now.
    fn holder(&self, item: Uuid) -> Option<Uuid> {
        self.claims.get(&item).filter(|(_, end)| *end > self.minute).map(|(moderator, _)| *moderator)
    }

    fn is_kept_from(&self, item: Uuid, moderator: Uuid) -> bool {
        self.holder(item).is_some_and(|holder| holder != moderator)
    }

    fn hold(&mut self, item: Uuid, moderator: Uuid) {
        let end = self.minute + LEASE;
        self.claims.insert(item, (moderator, end));
    }

    /// An item is decided about: it waits no more, and is with none.
    fn close(&mut self, item: Uuid) {
        self.claims.remove(&item);
        self.waiting.remove(&item);
    }

    /// One moderator, or all at once, ask for the next items. Each gets what is free; one alone gets as much of it as they ask for.
    async fn claim_next(&mut self, numbers: &[usize], limit: usize) {
        let free = self.waiting.iter().filter(|item| self.holder(**item).is_none()).count();
        let ask = |number: &usize| {
            let (token, body) = (&self.moderators[*number].0, json!({ "limit": limit }));
            self.platform.call("POST", "/moderation/queue/claim", Some(token), Some(body))
        };
        let replies = join_all(numbers.iter().map(ask)).await;
        let mut taken = 0;
        for (number, reply) in numbers.iter().zip(replies) {
            assert_eq!(reply.status, 200, "{}: {reply:?}", self.context);
            let moderator = self.moderators[*number].1;
            for item in reply.body.as_array().unwrap() {
                let id: Uuid = serde_json::from_value(item["id"].clone()).unwrap();
                assert!(self.waiting.contains(&id), "{}: {id} does not wait", self.context);
                assert_eq!(self.holder(id), None, "{}: {id} is with another", self.context);
                assert_eq!(item["claimed_by"], json!(moderator), "{}", self.context);
                self.hold(id, moderator);
                taken += 1;
            }
        }
        if numbers.len() == 1 {
            assert_eq!(taken, free.min(limit), "{}: what is free is given", self.context);
        }
    }

    /// One moderator, or all at once, claim an item or extend their claim on it: the one who has it gets it, and else exactly one.
    async fn claim(&mut self, numbers: &[usize], item: Uuid) {
        let path = format!("/moderation/subjects/POST/{item}/claim");
        let ask = |number: &usize| self.platform.call("POST", &path, Some(self.moderators[*number].0.as_str()), None);
        let replies = join_all(numbers.iter().map(ask)).await;
        let asked = numbers.iter().map(|number| self.moderators[*number].1);
        let (mut given, mut expected) = (Vec::new(), 0);
        for (moderator, reply) in asked.zip(&replies) {
            assert!([200, 409].contains(&reply.status.as_u16()), "{}: {reply:?}", self.context);
            expected += usize::from(!self.is_kept_from(item, moderator));
            if reply.status == 200 {
                assert!(!self.is_kept_from(item, moderator), "{}: {item} is with another", self.context);
                given.push(moderator);
            }
        }
        assert_eq!(given.len(), expected.min(1), "{}: {given:?} have {item}", self.context);
        for moderator in given {
            self.hold(item, moderator);
        }
    }

    async fn release(&mut self, (token, moderator): (&str, Uuid), item: Uuid) {
        let has_claimed = self.claims.get(&item).is_some_and(|(holder, _)| *holder == moderator);
        let path = format!("/moderation/subjects/POST/{item}/claim");
        let reply = self.platform.call("DELETE", &path, Some(token), None).await;
        assert_eq!(reply.status.as_u16(), if has_claimed { 204 } else { 404 }, "{}: {reply:?}", self.context);
        if has_claimed {
            self.claims.remove(&item);
        }
    }

    /// Decides about an item; it is kept from some of the moderators.
    async fn decide(&mut self, token: &str, is_kept: bool, item: Uuid) {
        let body = json!({ "actions": [{ "action": "ALLOW" }], "reason": "OTHER_RULES" });
        let path = format!("/moderation/subjects/POST/{item}/decisions");
        let reply = self.platform.call("POST", &path, Some(token), Some(body)).await;
        assert_eq!(reply.status.as_u16(), if is_kept { 409 } else { 201 }, "{}: {reply:?}", self.context);
        if !is_kept {
            self.close(item);
        }
    }

    async fn decide_many(&mut self, (token, moderator): (&str, Uuid), items: &BTreeSet<Uuid>) {
        let subjects: Vec<Value> = items.iter().map(|id| json!({ "type": "POST", "id": id })).collect();
        let body = json!({ "subjects": subjects, "actions": [{ "action": "ALLOW" }], "reason": "OTHER_RULES" });
        let reply = self.platform.call("POST", "/moderation/decisions/bulk", Some(token), Some(body)).await;
        assert_eq!(reply.status, 200, "{}: {reply:?}", self.context);
        for (item, result) in items.iter().zip(reply.body.as_array().unwrap()) {
            let expected = match (self.is_kept_from(*item, moderator), self.waiting.contains(item)) {
                (true, _) => "CLAIMED",
                (false, true) => "DECIDED",
                (false, false) => "NOT_OPEN",
            };
            assert_eq!(result["outcome"], expected, "{}: {item}", self.context);
            if expected == "DECIDED" {
                self.close(*item);
            }
        }
    }

    /// Lets an item wait again, as what a machine has found in it does.
    async fn flag(&mut self, item: Uuid) {
        let key = SubjectKey { r#type: SubjectType::Post, id: item };
        let found = Change::Flagged { analysis: Uuid::now_v7(), severity: 0.5, reason: Reason::HateSlur };
        let mut tx = self.platform.app.db.begin().await.unwrap();
        record(&mut tx, key, self.author, vec![NewEntry::new(Actor::Machine, found)]).await.unwrap();
        self.platform.app.commit(tx).await.unwrap();
        self.waiting.insert(item);
    }

    /// Lets time pass: the ends of all claims come nearer.
    async fn pass(&mut self, minutes: i64) {
        let nearer = format!("update claim set until = until - interval '{minutes} minutes'");
        self.platform.app.db.execute(AssertSqlSafe(nearer)).await.unwrap();
        self.minute += minutes;
    }

    async fn go_on(&mut self, dice: &mut StdRng) {
        let item = *self.items.choose(dice).unwrap();
        let number = dice.random_range(0..MODERATORS);
        let (token, moderator) = self.moderators[number].clone();
        let all: Vec<usize> = (0..MODERATORS).collect();
        match dice.random_range(0..32) {
            0..=3 => self.claim_next(&[number], dice.random_range(1..4)).await,
            4..=6 => self.claim_next(&all, dice.random_range(1..4)).await,
            7..=12 => self.claim(&[number], item).await,
            13..=15 => self.claim(&all, item).await,
            16..=18 => self.release((token.as_str(), moderator), item).await,
            19..=21 => self.decide(&token, self.is_kept_from(item, moderator), item).await,
            22 => {
                let items: BTreeSet<Uuid> = (0..3).map(|_| *self.items.choose(dice).unwrap()).collect();
                self.decide_many((token.as_str(), moderator), &items).await;
            }
            // Nothing is kept from an administrator.
            23 => self.decide(&format!("{}:ACTIVE:ADMIN", Uuid::now_v7()), false, item).await,
            24..=27 => self.pass(TICK * dice.random_range(1..4)).await,
            _ => self.flag(item).await,
        }
    }

    /// The claims that are in force are those that the answers said.
    async fn check(&self) {
        let rows = "select subject_id, moderator from claim where until > now()";
        let rows = self.platform.app.db.fetch_all(rows).await.unwrap();
        let held: BTreeMap<Uuid, Uuid> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let known = self.items.iter().filter_map(|item| Some((*item, self.holder(*item)?)));
        assert_eq!(held, known.collect::<BTreeMap<Uuid, Uuid>>(), "{}", self.context);
    }
}

#[sqlx::test(migrations = false)]
async fn no_item_is_with_two_whatever_moderators_do_and_however_time_passes(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    // `HISTORIES_SEED=1 cargo test histories` plays the history of a seed again, but for which of several is the first.
    let seed: u64 = option_env!("HISTORIES_SEED").map_or_else(rand::random, |seed| seed.parse().unwrap());
    let mut dice = StdRng::seed_from_u64(seed);
    let mut history = LeaseHistory::begin(database).await;
    for step in 0..STEPS {
        history.context = format!("seed {seed}, step {step}");
        history.go_on(&mut dice).await;
        history.check().await;
    }
    assert!(history.minute > LEASE, "claims have ended by themselves");
}
