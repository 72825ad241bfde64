//! Sends what is due, one worker per provider, so that one that is silent does not hold up the others; and cleans up.
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use rand::RngExt;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::channels::PushChannels;
use super::models::{Delivery, PushBacklog};
use super::services::PushWords;
use super::{Channel, DeliveryState, Disposition, PushMessage, Receipt, Target};
use crate::core::app::App;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};
use crate::devices;
use crate::notifications::models::Notification;
use crate::preferences::Preferences;

/// How often a worker polls for deliveries of other replicas, and for tries that are due again.
const POLL: Duration = Duration::from_secs(1);
/// How often more is claimed while messages are on their way and none of them ends.
const CLAIM_INTERVAL: Duration = Duration::from_millis(250);
/// Messages on their way at once, per provider and replica. Each waits for a push service most of the time.
const WINDOW: usize = 64;
/// How long a step goes on claiming. What it has claimed last takes at most 30 s: twice the longest time limit, where a token is
/// needed first.
const STEP_BUDGET: Duration = Duration::from_secs(20);
/// How often what waits is counted.
const MEASURED: Duration = Duration::from_secs(5);

/// The wait after the first failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(15);
/// The longest wait, also where a push service asks for a longer one.
const MAX_WAIT: Duration = Duration::from_hours(1);
/// How often a message is tried: over some six hours, when a push service says nothing else.
const MAX_TRIES: i32 = 13;

/// When the table is cleaned up: every hour.
const CLEAN_UP: &str = "0 41 * * * *";

/// What a worker has sent, and what came of it.
type Sent = (Delivery, Receipt);

/// Sends the messages of one provider.
pub struct PushSender {
    app: App,
    channel: Arc<dyn Channel>,
    /// When the backlog was counted last.
    measured: Option<Instant>,
    /// Refusals since the last message that was taken.
    refused: u32,
}

impl PushSender {
    /// A sender that has not polled yet.
    pub fn new(app: &App, channel: Arc<dyn Channel>) -> Self {
        let sender = Self { app: app.clone(), channel, measured: None, refused: 0 };
        for outcome in ["sent", "retried", "failed", "gone", "outdated"] {
            sender.count(outcome, 0);
        }
        sender
    }

    fn count(&self, outcome: &'static str, times: u64) {
        let provider = self.channel.provider().word();
        metrics::counter!("push_deliveries_total", "provider" => provider, "outcome" => outcome).increment(times);
    }

    /// Gives deliveries the words of now, which name no person that does not stand behind the notification any more, and ends those
    /// that are no news or not wanted by now. What is about no notification of this service stays as it is.
    async fn renew(&self, claimed: Vec<Delivery>) -> anyhow::Result<Vec<Delivery>> {
        if claimed.is_empty() {
            return Ok(claimed);
        }
        let ids: Vec<Uuid> = claimed.iter().map(|delivery| delivery.notification_id).collect();
        let notifications = Notification::find_all(&self.app.db, &ids).await?;
        let readers: Vec<Uuid> = notifications.iter().map(|notification| notification.user_id).collect();
        let preferences = Preferences::list(&self.app.db, &readers).await?;
        let notifications: HashMap<Uuid, Notification> =
            notifications.into_iter().map(|notification| (notification.id, notification)).collect();
        let (mut wanted, mut outdated) = (Vec::new(), Vec::new());
        for mut delivery in claimed {
            let Some(now) = notifications.get(&delivery.notification_id) else {
                wanted.push(delivery);
                continue;
            };
            let is_pushed = preferences.get(&now.user_id).is_some_and(|chosen| chosen.channels(now.r#type).push);
            if !is_pushed || !now.shown || now.viewed_at.is_some() {
                outdated.push(delivery);
                continue;
            }
            let words = PushWords::of(now);
            (delivery.title, delivery.body, delivery.url) = (words.title, words.body, words.url);
            wanted.push(delivery);
        }
        if !outdated.is_empty() {
            let mut tx = self.app.db.begin().await?;
            for delivery in &outdated {
                delivery.end(&mut tx, DeliveryState::Failed, None, "outdated").await?;
            }
            self.app.commit(tx).await?;
            self.count("outdated", u64::try_from(outdated.len())?);
        }
        Ok(wanted)
    }

    /// Sends a delivery, if there still is a device for it and it is still news.
    fn send(&self, delivery: Delivery) -> BoxFuture<'static, Sent> {
        let channel = self.channel.clone();
        Box::pin(async move {
            let Some(target) = target(&delivery) else {
                return (delivery, Receipt::unsent(Disposition::Gone, "the device was removed"));
            };
            let Ok(ttl) = (delivery.expires_at.0 - chrono::Utc::now()).to_std() else {
                return (delivery, Receipt::unsent(Disposition::Refused, "expired"));
            };
            let receipt = channel.send(&target, &message(&delivery, ttl)).await;
            (delivery, receipt)
        })
    }

    /// Writes down what came of a delivery.
    async fn record(&mut self, (delivery, receipt): Sent) -> anyhow::Result<()> {
        let status = receipt.status.and_then(|status| i16::try_from(status.as_u16()).ok());
        let mut tx = self.app.db.begin().await?;
        let outcome = match receipt.disposition {
            Disposition::Accepted => {
                self.refused = 0;
                delivery.end(&mut tx, DeliveryState::Sent, status, "").await?;
                "sent"
            }
            Disposition::Gone => {
                self.lose(&mut tx, &delivery, status, &receipt.reason).await?;
                "gone"
            }
            Disposition::TooLarge if !delivery.shrunk => {
                delivery.shrink(&mut tx).await?;
                "retried"
            }
            Disposition::Later(wait) if delivery.tries < MAX_TRIES => {
                delivery.put_off(&mut tx, pause(delivery.tries, wait), status, &receipt.reason).await?;
                "retried"
            }
            Disposition::Later(_) | Disposition::TooLarge | Disposition::Refused => {
                delivery.end(&mut tx, DeliveryState::Failed, status, &receipt.reason).await?;
                self.log(&receipt);
                "failed"
            }
        };
        // Whatever waits for the end of a notification's deliveries wakes up.
        self.app.commit(tx).await?;
        self.count(outcome, 1);
        Ok(())
    }

    /// Removes the device of a delivery, with all that waits for it.
    async fn lose(
        &self,
        tx: &mut PgTransaction<'_>,
        delivery: &Delivery,
        status: Option<i16>,
        reason: &str,
    ) -> sqlx::Result<()> {
        let Some(registered_at) = delivery.registered_at else {
            return delivery.end(tx, DeliveryState::Gone, status, reason).await;
        };
        if !devices::signals::gone(tx, delivery.device_id, registered_at, status, reason).await? {
            // It was registered again while the message was on its way.
            delivery.put_off(tx, Duration::ZERO, status, reason).await?;
        }
        Ok(())
    }

    /// One line when messages begin to fail and then at every power of two, not one per message.
    fn log(&mut self, receipt: &Receipt) {
        self.refused = self.refused.saturating_add(1);
        if self.refused.is_power_of_two() {
            let (provider, reason) = (self.channel.provider().word(), &receipt.reason);
            tracing::warn!(provider, reason, failures = self.refused, "a push notification failed for good");
        }
    }

    async fn measure(&mut self) -> anyhow::Result<()> {
        if self.measured.is_some_and(|last| last.elapsed() < MEASURED) {
            return Ok(());
        }
        let provider = self.channel.provider();
        let PushBacklog { waiting, age } = Delivery::backlog(&self.app.db, provider).await?;
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts stay far below 2^52")]
        metrics::gauge!("push_waiting", "provider" => provider.word()).set(waiting as f64);
        metrics::gauge!("push_age_seconds", "provider" => provider.word()).set(age);
        self.measured = Some(Instant::now());
        Ok(())
    }
}

impl Worker for PushSender {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let begun = Instant::now();
        let mut under_way = FuturesUnordered::new();
        let mut outcome = Outcome::Idle(POLL);
        loop {
            // Half a window at a time, so that claiming costs little; and nothing new once the service is to stop.
            let goes_on = begun.elapsed() < STEP_BUDGET && !self.app.stop.is_cancelled();
            if goes_on && under_way.len() <= WINDOW / 2 {
                let room = i64::try_from(WINDOW - under_way.len())?;
                self.count("outdated", Delivery::end_outdated(&self.app.db, self.channel.provider()).await?);
                let claimed = Delivery::claim(&self.app.db, self.channel.provider(), room).await?;
                under_way.extend(self.renew(claimed).await?.into_iter().map(|delivery| self.send(delivery)));
            }
            // One that is silent must not keep the others from being claimed.
            match tokio::time::timeout(CLAIM_INTERVAL, under_way.next()).await {
                Ok(Some(sent)) => {
                    outcome = Outcome::Busy;
                    self.record(sent).await?;
                }
                Ok(None) => break,
                Err(_) => {}
            }
        }
        self.measure().await?;
        Ok(outcome)
    }
}

/// Where a delivery goes; none when its device was removed.
fn target(delivery: &Delivery) -> Option<Target> {
    Some(Target {
        address: delivery.address.clone()?,
        p256dh: delivery.p256dh.clone().unwrap_or_default(),
        auth: delivery.auth.clone().unwrap_or_default(),
        topic: delivery.topic.clone(),
        environment: delivery.environment.unwrap_or_default(),
    })
}

fn message(delivery: &Delivery, ttl: Duration) -> PushMessage {
    PushMessage {
        id: delivery.id,
        notification_id: delivery.notification_id,
        title: delivery.title.clone(),
        body: if delivery.shrunk { String::new() } else { delivery.body.clone() },
        url: delivery.url.clone(),
        collapse_key: delivery.collapse_key.clone(),
        ttl,
    }
}

/// How long to wait after that many tries: exponential with jitter, and not less than the push service asks for; capped.
fn pause(tries: i32, asked: Option<Duration>) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << (tries - 1).clamp(0, 10)).min(MAX_WAIT);
    let own = doubled.mul_f64(rand::rng().random_range(0.5..=1.0));
    asked.map_or(own, |asked| asked.max(own)).min(MAX_WAIT)
}

/// Starts a sender for each channel that is configured.
pub fn start(app: &App, channels: &PushChannels) {
    for channel in &channels.all {
        let name = format!("push by {}", channel.provider().word());
        app.start_after_commits(name, PushSender::new(app, channel.clone()));
    }
}

/// The job that ends what is no news any more, and removes what has ended long ago.
pub fn job(app: &App) -> Job {
    Job::new("push deliveries", CLEAN_UP, app.db.clone(), |db| async move { Ok(Delivery::clean_up(&db).await?) })
}
