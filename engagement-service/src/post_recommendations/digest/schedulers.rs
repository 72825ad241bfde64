//! The weekly digest: who has something good to read, or a person they may know, is notified at the hour of their digests.
//!
//! A cron job begins a round over all people, a page at a time with its place in the database, that plans a turn for each: the next
//! hour of their digests, in their time zone, that is late enough after their last one. A turn that is due is worked off, the oldest first.
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::{DigestReader, DigestRound, DigestTurn, RecommendationDigest};
use crate::core::app::App;
use crate::core::contract::timestamp::Timestamp;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};
use crate::notifications::causes::Pair;
use crate::notifications::{Type, signals};
use crate::post_recommendations::recommender::PostRecommender;
use crate::post_recommendations::sources::RecommendationSource;
use crate::preferences::Preferences;
use crate::recommended_people::models::PeopleRecommendationList;

/// People whose turns are planned by one step.
const PLANNED: i64 = 500;
/// People of a step: a list takes some 10 ms.
const STEP: i64 = 20;
/// How long the lists of a step may take: its transaction is idle meanwhile, which Postgres allows for 30 s. The step ends with the person
/// whose list took too long.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a replica looks for a round that another one has begun, and for turns that are due.
const POLL: Duration = Duration::from_secs(30);
/// Hours between two digests of a person: a week less half a day. A turn is at the same hour each week, so that two are a week apart, also
/// when the clock was put forward meanwhile, or the last one came late because many were due with it.
const PAUSE_HOURS: i32 = 7 * 24 - 12;
/// How many posts of a list have to be there because of what others did for a notification of it.
const GOOD_POSTS: usize = 3;

/// The job that lets a round begin.
pub fn job(app: &App, schedule: String) -> Job {
    Job::new("post_digests", schedule, app.clone(), |app| async move {
        let mut tx = app.db.begin().await?;
        DigestRound::begin(&mut tx).await?;
        Ok(app.commit(tx).await?)
    })
}

/// Plans turns, and works off those that are due.
pub struct RecommendationDigester(pub PostRecommender);

/// What the people of a step are notified of.
#[derive(Default)]
struct Worthwhile {
    /// Those who have good posts to read.
    readers: Vec<Uuid>,
    /// Who may know which others.
    acquaintances: Vec<Pair>,
    /// Those who were not looked at, since the lists of the step took too long; the next step does.
    left: Vec<Uuid>,
}

impl Worker for RecommendationDigester {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let begun = Instant::now();
        let app = &self.0.app;
        let mut tx = app.db.begin().await?;
        let Some(round) = DigestRound::lock(&mut tx).await? else { return Ok(Outcome::Idle(POLL)) };
        if round.is_under_way {
            plan(&mut tx, &round).await?;
            app.commit(tx).await?;
            return Ok(Outcome::Idle(begun.elapsed()));
        }
        let people = DigestTurn::take_due(&mut tx, STEP).await?;
        if people.is_empty() {
            return Ok(Outcome::Idle(POLL));
        }
        let found = self.find(&mut tx, &people, begun).await?;
        let notified: BTreeSet<Uuid> =
            found.readers.iter().copied().chain(found.acquaintances.iter().map(|pair| pair.user_id)).collect();
        let notified: Vec<Uuid> = notified.into_iter().collect();
        // The turns, the week and both notifications are one transaction: after a crash all of it is there, or none.
        let now = Utc::now();
        DigestTurn::create(&mut tx, &found.left.iter().map(|person| (*person, now)).collect::<Vec<_>>()).await?;
        RecommendationDigest::save(&mut tx, &notified).await?;
        PeopleRecommendationList::save_notified(&mut tx, &notified).await?;
        signals::recommended(&mut tx, &found.acquaintances, &found.readers, Timestamp(now)).await?;
        app.commit(tx).await?;
        Ok(Outcome::Idle(begun.elapsed()))
    }
}

/// Plans the turns of the next people of a round; without any, it is over.
async fn plan(tx: &mut PgTransaction<'_>, round: &DigestRound) -> sqlx::Result<()> {
    let people = round.list_people(&mut **tx, PLANNED).await?;
    let preferences = Preferences::list(&mut **tx, &people.iter().map(|person| person.id).collect::<Vec<_>>()).await?;
    let (now, pause) = (Utc::now(), TimeDelta::hours(i64::from(PAUSE_HOURS)));
    let turn = |person: &DigestReader| -> Option<(Uuid, DateTime<Utc>)> {
        let earliest = person.notified_at.map_or(now, |last| now.max(last.0 + pause));
        Some((person.id, preferences.get(&person.id)?.next_digest(earliest)))
    };
    DigestTurn::create(tx, &people.iter().filter_map(turn).collect::<Vec<_>>()).await?;
    round.save_progress(tx, people.last().map(|person| person.id)).await
}

impl RecommendationDigester {
    /// What of both kinds is worth a notification of these people, as far as it is their turn and they want it by some channel.
    async fn find(&self, tx: &mut PgTransaction<'_>, people: &[Uuid], begun: Instant) -> sqlx::Result<Worthwhile> {
        let due = RecommendationDigest::list_due(&mut **tx, people, PAUSE_HOURS).await?;
        let preferences = Preferences::list(&mut **tx, &due).await?;
        let is_wanted =
            |person: Uuid, r#type: Type| preferences.get(&person).is_some_and(|chosen| chosen.wants(r#type));
        let mut found = Worthwhile::default();
        let mut seekers = Vec::new();
        let mut due = due.into_iter();
        for person in due.by_ref() {
            if is_wanted(person, Type::ConnectionRecommendation) {
                seekers.push(person);
            }
            if is_wanted(person, Type::PostRecommendation) && self.has_good_posts(person).await? {
                found.readers.push(person);
            }
            if begun.elapsed() > PATIENCE {
                break;
            }
        }
        found.left = due.collect();
        // Behind the lists, which take their time: what was blocked, muted or dismissed meanwhile is seen.
        let heads = PeopleRecommendationList::list_unknown_heads(&mut **tx, &seekers).await?;
        found.acquaintances = heads.into_iter().map(|(user_id, actor_id)| Pair { user_id, actor_id }).collect();
        Ok(found)
    }

    /// Whether enough of what would be recommended to a person is there because of what others did. A list that cannot be made has nothing
    /// good: it would fail again, and the round would end with it.
    async fn has_good_posts(&self, person: Uuid) -> sqlx::Result<bool> {
        let by_others =
            |source| matches!(source, RecommendationSource::SimilarPosts | RecommendationSource::ConnectionsReacted);
        let picks = match self.0.pick(person).await {
            Ok(picks) => picks,
            // What fails without a connection would fail for all people: the step is done again.
            Err(error @ (sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)) => {
                return Err(error);
            }
            Err(error) => {
                tracing::warn!(%person, %error, "a person is notified of no posts, since no list could be made");
                return Ok(false);
            }
        };
        Ok(picks.iter().filter(|pick| by_others(pick.source)).count() >= GOOD_POSTS)
    }
}
