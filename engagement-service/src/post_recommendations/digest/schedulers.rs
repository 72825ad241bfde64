//! The round over all people, in which those with something good to read are notified.
use std::time::{Duration, Instant};

use chrono::Utc;
use uuid::Uuid;

use super::models::{PostDigest, PostDigestRound};
use crate::core::app::App;
use crate::core::contract::timestamp::Timestamp;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};
use crate::notifications::models::Announcement;
use crate::notifications::{Type, signals};
use crate::post_recommendations::recommender::PostRecommender;
use crate::post_recommendations::sources::RecommendationSource;

/// People of a step: a list takes some 10 ms.
const STEP: i64 = 20;
/// How long the lists of a step may take: its transaction is idle meanwhile, which Postgres allows for 30 s. The step ends with the person
/// whose list took too long.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a replica looks for a round that another one has begun.
const POLL: Duration = Duration::from_secs(30);
/// Hours between two notifications of a person: a week less an hour, so that a round that is a little earlier than that of the week before
/// is not too early for them.
const PAUSE_HOURS: i32 = 7 * 24 - 1;
/// How many posts of a list have to be there because of what others did for a notification of it.
const GOOD_POSTS: usize = 3;

/// The job that lets a round begin.
pub fn job(app: &App, schedule: String) -> Job {
    Job::new("post_digests", schedule, app.clone(), |app| async move {
        let mut tx = app.db.begin().await?;
        PostDigestRound::begin(&mut tx).await?;
        Ok(app.commit(tx).await?)
    })
}

/// Works the round off.
pub struct PostDigester(pub PostRecommender);

impl Worker for PostDigester {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let begun = Instant::now();
        let app = &self.0.app;
        let mut tx = app.db.begin().await?;
        let Some(round) = PostDigestRound::lock(&mut tx).await? else { return Ok(Outcome::Idle(POLL)) };
        let people = round.list_people(&mut *tx, STEP).await?;
        let mut last = people.last().copied();
        let mut notified = Vec::new();
        for person in PostDigest::list_due(&mut *tx, &people, PAUSE_HOURS).await? {
            if self.has_good_posts(person).await? {
                notified.push(person);
            }
            if begun.elapsed() > PATIENCE {
                last = Some(person);
                break;
            }
        }
        PostDigest::save(&mut tx, &notified).await?;
        // Each is a notification of its own: what the last one was about has been read or is old.
        let at = Timestamp(Utc::now());
        let announcement = |user_id| Announcement { user_id, subject_id: Uuid::now_v7(), at, levels: None };
        let all: Vec<_> = notified.iter().copied().map(announcement).collect();
        signals::announced(&mut tx, Type::PostRecommendation, &all).await?;
        round.save_progress(&mut tx, last).await?;
        app.commit(tx).await?;
        Ok(if people.is_empty() { Outcome::Idle(POLL) } else { Outcome::Idle(begun.elapsed()) })
    }
}

impl PostDigester {
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
                tracing::warn!(%person, %error, "a person was left out of a round of digests, since no list could be made");
                return Ok(false);
            }
        };
        Ok(picks.iter().filter(|pick| by_others(pick.source)).count() >= GOOD_POSTS)
    }
}
