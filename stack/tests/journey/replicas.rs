//! Two processes of every service: they share the work out, and one that is killed, stopped or asked to end leaves it to
//! the other.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use reqwest::{Client, Method, StatusCode};
use serde_json::json;

use crate::client::{self, Api, Person, To, eventually};
use crate::platform::{PASSWORD, Platform, SERVICES};

const INSULT: &str = "You have understood nothing, and I hope you die.";
/// How long the work of a replica may stand still that is killed or stopped: three seconds of silence and two rounds of leases, and as
/// much again on a machine that is busy.
const MOVED_WITHIN: Duration = Duration::from_secs(10);
/// How long a service may take to end after SIGTERM.
const ENDED_WITHIN: Duration = Duration::from_secs(10);

/// What a process says of itself on `/metrics` under a name: label and value.
async fn metrics(http: &Client, url: &str, name: &str) -> Result<BTreeMap<String, f64>> {
    let text = http.get(format!("{url}/metrics")).send().await?.text().await?;
    let labelled = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('{')?.split_once("} "));
    labelled.map(|(label, value)| Ok((label.to_owned(), value.parse()?))).collect()
}

/// For every service, how many leases it has, and how many of them each replica holds; an error when two hold one.
async fn shares(http: &Client, platform: &Platform) -> Result<Vec<(usize, [usize; 2])>> {
    let mut shares = Vec::new();
    for service in 0..5 {
        let first = metrics(http, &platform.url(0, service), "lease_held").await?;
        let second = metrics(http, &platform.url(1, service), "lease_held").await?;
        ensure!(first.keys().eq(second.keys()), "replicas want different leases: {first:?} {second:?}");
        let held = |of: &BTreeMap<String, f64>| of.values().filter(|held| **held > 0.0).count();
        shares.push((first.len(), [held(&first), held(&second)]));
    }
    Ok(shares)
}

/// Each lease is held, and no replica has more than one more than the other.
fn are_fair(shares: &[(usize, [usize; 2])]) -> bool {
    shares.iter().all(|(all, [first, second])| first + second == *all && first.abs_diff(*second) <= 1)
}

/// Two people and what they do to see whether events take effect.
struct Work {
    ada: Person,
    bob: Person,
    post: String,
}

impl Work {
    async fn begin(api: &Api) -> Result<Work> {
        let ada = api.join("ada@example.org", PASSWORD, ("Ada", "Lovelace"), &["BOOKS"]).await?;
        let bob = api.join("bob@example.org", PASSWORD, ("Bob", "Frankston"), &["TECHNOLOGY"]).await?;
        let post = ada.write_post("Shared", "Who does what?", &["BOOKS"], "POSTED").await?.id;
        let work = Work { ada, bob, post };
        work.takes_effect().await?;
        Ok(work)
    }

    /// Something happens on most streams; returns when all of it has had its effect in the other services.
    async fn takes_effect(&self) -> Result<()> {
        let Work { ada, bob, post } = self;
        let before = ada.post(post).await?;
        let written = ada.write_post("Another", "Who does this?", &["BOOKS"], "POSTED").await?;
        let insult = bob.comment(post, INSULT).await?;
        bob.comment(post, "A friendly remark").await?;
        bob.view(post).await?;
        let reaction = bob.react(&written.id, "LIKE").await?;
        let counted = async || {
            let (old, new) = (ada.post(post).await?, ada.post(&written.id).await?);
            Ok((old.total_comments - before.total_comments, old.total_views - before.total_views, new.total_reactions))
        };
        eventually("it is counted, and the insult is not", counted, |found| *found == (1, 1, 1)).await?;
        let path = format!("/comments/{}", insult.id);
        let gone = async || Ok(ada.api.send(Method::GET, To::Interaction, &path, None).await?.0);
        eventually("the insult is gone", gone, |status| *status == StatusCode::NOT_FOUND).await?;
        // A profile does not exist before the engagement service knows the person.
        let reactions = async || Ok(bob.profile().await?.map(|profile| profile.total_post_reactions));
        let (known, _) = eventually("there is a profile", reactions, Option::is_some).await?;
        let path = format!("/post-reactions/{}", reaction.id);
        bob.api.ask::<()>(Method::DELETE, To::Interaction, &path, None).await?;
        ensure!(known.is_some_and(|count| count >= 0), "{known:?}");
        let taken_back = async || Ok(ada.post(&written.id).await?.total_reactions);
        eventually("the reaction is taken back", taken_back, |count| *count == 0).await?;
        Ok(())
    }
}

#[tokio::test]
async fn two_replicas_share_the_work_and_one_takes_over_from_the_other() -> Result<()> {
    let every_second = "engagement-service.ENGAGEMENT_CRON=* * * * * *";
    let mut platform = Platform::up(&["--replicas", "2", "--set", every_second]);
    let http = client::http(Duration::from_secs(5))?;
    let work = Work::begin(&platform.api()).await?;
    let fair = async || shares(&http, &platform).await;
    let (shared, took) = eventually("leases are shared out", fair, |shares| are_fair(shares)).await?;
    println!("leases by service and replica after {took:.1?}: {shared:?}");
    a_stroke_is_taken_by_one(&http, &platform).await?;

    platform.signal_to("post-service-2", Signal::SIGSTOP);
    moves_soon("a stopped post-service", &work, &platform.url(0, 1)).await?;
    platform.signal_to("post-service-2", Signal::SIGCONT);
    eventually("who wakes up gets a share", fair, |shares| are_fair(shares)).await?;

    for (place, service) in SERVICES.iter().enumerate() {
        platform.signal_to(&format!("{service}-2"), Signal::SIGKILL);
        moves_soon(&format!("a killed {service}"), &work, &platform.url(0, u16::try_from(place)?)).await?;
    }
    platform.stop();
    Ok(())
}

/// Two clocks strike every second; every stroke is one run. Each replica has other jobs as well, which strike when they do.
async fn a_stroke_is_taken_by_one(http: &Client, platform: &Platform) -> Result<()> {
    let runs = async || {
        let mut runs = 0.0;
        for replica in 0..2 {
            let jobs = metrics(http, &platform.url(replica, 4), "jobs_run_total").await?;
            runs += jobs.get(r#"job="engagement""#).copied().unwrap_or_default();
        }
        Ok(runs)
    };
    let before = runs().await?;
    let began = Instant::now();
    let (after, _) = eventually("the clock strikes", runs, |now| *now >= before + 5.0).await?;
    let (strokes, seconds) = (after - before, began.elapsed().as_secs_f64());
    println!("{strokes} runs in {seconds:.1} s");
    // The scheduler looks at its clock every half second: the first may have come so late, and the last in time.
    assert!(strokes <= seconds + 1.5, "more than one run for a stroke: {strokes} in {seconds} s");
    Ok(())
}

/// What happens from now on takes effect, and the process that is left at an address does all of its service's work.
async fn moves_soon(what: &str, work: &Work, left: &str) -> Result<()> {
    let began = Instant::now();
    work.takes_effect().await?;
    let effects = began.elapsed();
    let http = client::http(Duration::from_secs(5))?;
    let held = async || metrics(&http, left, "lease_held").await;
    eventually("all leases have moved", held, |leases| leases.values().all(|held| *held > 0.0)).await?;
    let leases = began.elapsed();
    println!("the work of {what}: effects after {effects:.2?}, all leases after {leases:.2?}");
    assert!(leases <= MOVED_WITHIN, "{what}: {effects:?}, {leases:?}");
    Ok(())
}

#[tokio::test]
async fn sigterm_under_load_ends_within_10_s_and_loses_nothing() -> Result<()> {
    let mut platform = Platform::up(&["--replicas", "2"]);
    let work = Work::begin(&platform.api()).await?;
    let before = work.ada.post(&work.post).await?.total_comments;
    // All of them speak to the replica that will end.
    let writer = platform.api_of(1).sign_in(&work.bob.email, PASSWORD).await?;
    let (answered, unknown) = (AtomicU32::new(0), AtomicU32::new(0));
    let load = async {
        let write = async || {
            let body = json!({ "content": "A friendly remark" });
            let path = format!("/{}/comments", work.post);
            while let Ok((status, answer)) = writer.api.send(Method::POST, To::Interaction, &path, Some(&body)).await {
                ensure!(status.is_success(), "{status} {answer}");
                answered.fetch_add(1, Ordering::Relaxed);
            }
            unknown.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        tokio::try_join!(write(), write(), write(), write())
    };
    let terminate = async {
        let some = async || Ok(answered.load(Ordering::Relaxed));
        eventually("there is load", some, |count| *count >= 50).await?;
        platform.signal_to("interaction-service-2", Signal::SIGTERM);
        let began = Instant::now();
        let ended = async || Ok(platform.stderr().contains("interaction-service-2 ended (exit status: 0)"));
        eventually("it ends in order", ended, |ended| *ended).await?;
        Ok(began.elapsed())
    };
    let (_, took) = tokio::try_join!(load, terminate)?;
    let (answered, unknown) = (i64::from(answered.into_inner()), i64::from(unknown.into_inner()));
    println!("ended {took:.2?} after SIGTERM; {answered} comments were answered, {unknown} broke off");
    assert!(took < ENDED_WITHIN, "{took:?}");

    let counted = async || Ok(work.ada.post(&work.post).await?.total_comments - before);
    let all = |count: &i64| (answered..=answered + unknown).contains(count);
    eventually("what was answered is counted, once", counted, all).await?;
    work.takes_effect().await?;
    platform.stop();
    Ok(())
}
