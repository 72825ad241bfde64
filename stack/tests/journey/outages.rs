//! What happens while a part of the platform is away: everything that can go on does, the rest says when to come again,
//! and all of it heals by itself.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use reqwest::{Client, Method, StatusCode, header};
use serde_json::{Value, json};

use crate::client::{self, Api, Person, To, eventually};
use crate::journey::servers::{Link, Redis};
use crate::platform::{PASSWORD, Platform, home};

/// For how long a service believes what the auth service said of a token.
const BELIEVED: Duration = Duration::from_secs(10);

/// An answer with what it says about coming again.
#[derive(Debug, PartialEq)]
struct Reply {
    status: StatusCode,
    retry_after: Option<u64>,
    body: Value,
}

async fn ask(http: &Client, method: Method, url: String, token: &str, body: Option<Value>) -> Result<Reply> {
    let mut request = http.request(method, url).bearer_auth(token);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await?;
    let retry_after = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Ok(Reply { status: answer.status(), retry_after, body: answer.json().await? })
}

async fn token(api: &Api, person: &Person) -> Result<String> {
    let credentials = json!({ "email": person.email, "password": PASSWORD });
    let (_, answer) = api.send(Method::POST, To::Auth, "/auth/signin", Some(&credentials)).await?;
    Ok(answer["access_token"].as_str().context("no token")?.to_owned())
}

pub async fn two_people(api: &Api) -> Result<(Person, Person)> {
    let ada = api.join("ada@example.org", PASSWORD, ("Ada", "Lovelace"), &["BOOKS"]).await?;
    let bob = api.join("bob@example.org", PASSWORD, ("Bob", "Frankston"), &["TECHNOLOGY"]).await?;
    Ok((ada, bob))
}

#[tokio::test]
async fn writes_go_on_while_redis_is_away_and_everything_drains() -> Result<()> {
    let mut redis = Redis::start();
    let mut platform = Platform::up(&["--redis-url", &redis.url()]);
    let http = client::http(Duration::from_secs(15))?;
    let (ada, bob) = two_people(&platform.api()).await?;
    let post = ada.write_post("Waiting", "Is anybody there?", &["BOOKS"], "POSTED").await?;
    bob.view(&post.id).await?;

    redis.stop();
    let ready = ask(&http, Method::GET, format!("{}/health/ready", platform.url(0, 1)), "", None).await?;
    assert_eq!((ready.status, &ready.body["redis"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(false)));
    let (began, mut slowest) = (Instant::now(), Duration::ZERO);
    // Every call fails the test unless it is answered with success.
    for number in 0..10 {
        let turn = Instant::now();
        bob.comment(&post.id, &format!("Written while Redis is away, number {number}")).await?;
        bob.view(&post.id).await?;
        let draft = ada.write_post("More", "While Redis is away.", &["BOOKS"], "DRAFT").await?;
        ada.change_post(&draft.id, "While Redis is away.", &["BOOKS"], "POSTED").await?;
        slowest = slowest.max(turn.elapsed());
    }
    ada.react(&post.id, "LOVE").await?;
    ada.connect(&bob.id).await?;
    let eve = platform.api().join("eve@example.org", PASSWORD, ("Eve", "New"), &["TRAVEL"]).await?;
    println!(
        "43 writes and a sign-in while Redis was away for {:.1?}; four of them took {slowest:.1?} at most",
        began.elapsed()
    );
    redis.start_again();

    let began = Instant::now();
    let counts = async || {
        let post = ada.post(&post.id).await?;
        let (ada, bob) = (ada.profile().await?, bob.profile().await?);
        Ok((
            (post.total_comments, post.total_views, post.total_reactions),
            ada.map(|ada| (ada.total_owned_posts, ada.total_post_reactions)),
            bob.map(|bob| (bob.total_post_comments, bob.total_post_views)),
            eve.profile().await?.map(|eve| eve.total_owned_posts),
        ))
    };
    let all = ((10, 11, 1), Some((11, 1)), Some((10, 11)), Some(0));
    eventually("what was done meanwhile is counted, once", counts, |found| *found == all).await?;
    println!("after Redis came back, everything was counted within {:.1?}", began.elapsed());
    platform.stop();
    Ok(())
}

/// A failover breaks no connection: the demoted server answers on, and refuses writes. Each service leaves it by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demoted_redis_is_left_and_nothing_is_lost() -> Result<()> {
    let (old, new) = (Redis::start(), Redis::start());
    for server in [&old, &new] {
        eventually("a Redis answers", async || Ok(server.replication().await.is_ok()), |answers| *answers).await?;
    }
    new.follow(Some(&old)).await?;
    let link = Link::to(old.port()).await;
    let mut platform = Platform::up(&["--redis-url", &format!("redis://127.0.0.1:{}/0", link.port)]);
    let (ada, bob) = two_people(&platform.api()).await?;
    let post = ada.write_post("Swapped", "Which one writes?", &["BOOKS"], "POSTED").await?;
    bob.view(&post.id).await?;
    let views = async || Ok(ada.post(&post.id).await?.total_views);
    eventually("the first view is counted", views, |found| *found == 1).await?;
    eventually(
        "the replica is in step",
        async || Ok(new.replication().await?),
        |found| found.contains("link_status:up"),
    )
    .await?;

    new.follow(None).await?;
    link.lead_to(new.port());
    old.follow(Some(&new)).await?;
    let began = Instant::now();
    for _ in 0..20 {
        bob.view(&post.id).await?;
    }
    eventually("the views are counted, once", views, |found| *found == 21).await?;
    println!("after the roles were swapped, views were counted within {:.1?}", began.elapsed());
    platform.stop();
    Ok(())
}

#[tokio::test]
async fn callers_who_are_known_go_on_while_auth_is_away_and_others_are_told_to_come_again() -> Result<()> {
    let mut platform = Platform::up(&[]);
    let api = platform.api();
    let http = client::http(Duration::from_secs(15))?;
    let (ada, bob) = two_people(&api).await?;
    let (ada, bob) = (token(&api, &ada).await?, token(&api, &bob).await?);
    let posts =
        async |token: &str| ask(&http, Method::GET, format!("{}/api/v1/posts", platform.url(0, 1)), token, None).await;
    let known_since = Instant::now();
    assert_eq!(posts(&ada).await?.status, StatusCode::OK);

    // It neither answers nor refuses: the worst way to be away.
    platform.signal_to("auth-service", Signal::SIGSTOP);
    let refused = posts(&bob).await?;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:?}");
    assert_eq!(refused.body["detail"], "Authetication service unavailable");
    assert!(refused.retry_after.is_some_and(|seconds| seconds > 0), "{refused:?}");
    let mut answers = 0;
    let last = loop {
        let answer = posts(&ada).await?;
        if answer.status != StatusCode::OK {
            break answer;
        }
        answers += 1;
    };
    let known_for = known_since.elapsed();
    println!("somebody known was answered {answers} times, for {known_for:.1?}");
    assert_eq!((last.status, &last.body), (refused.status, &refused.body));
    assert!(known_for >= BELIEVED && known_for < 2 * BELIEVED, "{known_for:?}");
    let ready = ask(&http, Method::GET, format!("{}/health/ready", platform.url(0, 1)), "", None).await?;
    assert_eq!(ready.status, StatusCode::OK, "the post service is well");

    platform.signal_to("auth-service", Signal::SIGCONT);
    for who in [&ada, &bob] {
        eventually("it heals", async || Ok(posts(who).await?.status), |status| *status == StatusCode::OK).await?;
    }
    platform.stop();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_postgres_is_away_says_so_alone_and_heals() -> Result<()> {
    // The first run makes the passwords, with one of which the second one goes another way to Postgres.
    let mut first = Platform::up(&[]);
    let mut url: reqwest::Url = first.connection("POST_DATABASE_URL").parse()?;
    first.stop();
    let mut link = Link::to(url.port().context("no port")?).await;
    url.set_port(Some(link.port)).ok().context("no port")?;
    let home = std::mem::replace(&mut first.home, home());
    let mut platform = Platform::up_in(home, &["--set", &format!("post-service.DATABASE_URL={url}")]);
    let (api, http) = (platform.api(), client::http(Duration::from_secs(15))?);
    let (ada, bob) = two_people(&api).await?;
    let token = token(&api, &ada).await?;
    let post = ada.write_post("Away", "Where is it?", &["BOOKS"], "POSTED").await?;
    bob.comment(&post.id, "Here.").await?;
    let comments = async || Ok(ada.post(&post.id).await?.total_comments);
    eventually("it is counted", comments, |count| *count == 1).await?;

    link.close().await;
    let base = platform.url(0, 1);
    let new = json!({ "title": "More", "content": "of it", "types": ["BOOKS"], "status": "POSTED" });
    let (list, one, write, ready) = tokio::try_join!(
        ask(&http, Method::GET, format!("{base}/api/v1/posts"), &token, None),
        ask(&http, Method::GET, format!("{base}/api/v1/posts/{}", post.id), &token, None),
        ask(&http, Method::POST, format!("{base}/api/v1/posts"), &token, Some(new)),
        ask(&http, Method::GET, format!("{base}/health/ready"), "", None),
    )?;
    for refused in [list, one, write] {
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:?}");
        assert!(refused.retry_after.is_some_and(|seconds| seconds > 0), "{refused:?}");
    }
    assert_eq!((ready.status, &ready.body["postgres"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(false)));
    // All other services answer as ever, except for a view, which shows a post as it is now.
    for number in 0..5 {
        bob.comment(&post.id, &format!("Nobody counts me yet, {number}")).await?;
    }
    bob.react(&post.id, "LIKE").await?;
    let profile = async || bob.profile().await;
    let heard =
        |profile: &Option<client::Profile>| profile.as_ref().is_some_and(|known| known.total_post_comments == 6);
    eventually("engagement hears of it", profile, heard).await?;
    for service in [0, 2, 3, 4] {
        let ready = ask(&http, Method::GET, format!("{}/health/ready", platform.url(0, service)), "", None).await?;
        assert_eq!(ready.status, StatusCode::OK, "{service}: {ready:?}");
    }

    let began = Instant::now();
    link.open().await;
    let status = async || Ok(ask(&http, Method::GET, format!("{base}/api/v1/posts"), &token, None).await?.status);
    eventually("it answers again", status, |status| *status == StatusCode::OK).await?;
    let counts = async || ada.post(&post.id).await.map(|post| (post.total_comments, post.total_reactions));
    eventually("and counts what it missed", counts, |counts| *counts == (6, 1)).await?;
    println!("after its Postgres came back, the post service was up to date within {:.1?}", began.elapsed());
    platform.stop();
    Ok(())
}
