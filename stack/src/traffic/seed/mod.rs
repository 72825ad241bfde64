//! `cargo stack seed`: people and posts as a small network has them, made through the public API.
//!
//! What is made is planned first, at random from `--seed` (`plan`), and then sent by several requests at once:
//! the same number makes the same people and posts, in whatever order the answers come.

mod plan;
mod tastes;
mod words;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use futures::stream::{self, StreamExt, TryStreamExt};
use indicatif::ProgressBar;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::client::{Api, Person, To};
use crate::host::console;
use crate::traffic::local::connections;
use crate::traffic::moderator::moderator;
use crate::traffic::pictures;
use crate::traffic::target::Entrance;
use plan::{Plan, SeedPerson, Thread};

/// How often a report is tried, and how long is waited between.
const TRIES: u32 = 50;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

const PASSWORD: &str = "seeded people share a password";

#[derive(Debug, Args)]
pub struct Seed {
    #[command(flatten)]
    pub entrance: Entrance,
    /// People to sign up
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub users: u32,
    /// Posts to write
    #[arg(long, value_name = "M", default_value_t = 200)]
    pub posts: u32,
    /// The same number makes the same people, posts and reactions
    #[arg(long = "seed", value_name = "N", default_value_t = 1)]
    pub number: u64,
    /// Requests under way at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
}

/// Fills the platform and reports what it made.
pub async fn seed(options: Seed) -> Result<ExitCode> {
    let plan = Plan::new(options.number, options.users, options.posts);
    let (base, step) = options.entrance.place();
    let api = Api::new(base, step)?;
    let began = Instant::now();
    let limit = options.concurrency;

    let bar = console::bar(options.users.into(), "people");
    let people = plan.people.iter().cloned().map(|human| join(api.clone(), human));
    let people: Arc<[Person]> = run(&bar, limit, people).await?.into();

    let bar = console::bar(plan.connections.len() as u64, "connections");
    let links = plan.connections.iter().map(|(from, to)| connect(people.clone(), *from, *to));
    run(&bar, limit, links).await?;

    let bar = console::bar(plan.threads.len() as u64, "posts");
    let threads = plan.threads.iter().cloned().map(|thread| discuss(people.clone(), thread));
    let posts = run(&bar, limit, threads).await?;

    let reports: Vec<_> = plan
        .threads
        .iter()
        .zip(&posts)
        .flat_map(|(thread, subject)| {
            thread.reports.iter().map(move |(reader, reason)| (*reader, subject.clone(), *reason))
        })
        .collect();
    let bar = console::bar(reports.len() as u64, "reports");
    let reports = reports.into_iter().map(|(reader, subject, reason)| report(people.clone(), reader, subject, reason));
    run(&bar, limit, reports).await?;

    let took = console::seconds(began.elapsed());
    console::show(format_args!("{} in {took}; the password of all is \"{PASSWORD}\"", plan.totals()));
    console::show(format_args!("For example: {}", people[0].email));
    let database = connections(&options.entrance.data, base)?.and_then(|mut all| all.remove("ENGAGEMENT_DATABASE_URL"));
    if let Some(database) = database {
        let tastes = tastes::tastes(options.number, people.len());
        if let Some(imported) = tastes::import(&database, &people, &tastes).await? {
            console::show(format_args!("Tastes of {imported} of them: who has most in common is recommended"));
        }
    }
    let email = format!("moderator.{}@example.org", options.number);
    let moderator = moderator(&options.entrance.data, base, &api, (&email, PASSWORD)).await?;
    if let Some(moderator) = moderator {
        console::show(format_args!("A moderator, for whom the reports wait: {}", moderator.email));
    }
    Ok(ExitCode::SUCCESS)
}

/// Signs a person up, or in when an earlier run made the same one: a sign-up does not report that, but the sign-in after it
/// is that of another account. They choose a username, by which others name them.
async fn join(api: Api, human: SeedPerson) -> Result<Person> {
    let SeedPerson { email, username, first, last, interests } = &human;
    let person = match api.join(email, PASSWORD, (first, last), interests).await {
        Ok(person) => person,
        Err(refused) => api.sign_in(email, PASSWORD).await.map_err(|_| refused)?,
    };
    let name = json!({ "username": username });
    let _: Value = person.api.ask(Method::PATCH, To::Auth, "/users/me", Some(&name)).await?;
    Ok(person)
}

async fn connect(people: Arc<[Person]>, from: usize, to: usize) -> Result<()> {
    people[from].connect(&people[to].id).await.map(drop)
}

/// What is reported: its kind and its id.
type Reported = (&'static str, String);

/// A post and all that others do with it; what of it is reported: its picture, where it has one.
async fn discuss(people: Arc<[Person]>, thread: Thread) -> Result<Reported> {
    let Thread { author, title, content, types, status, picture, .. } = &thread;
    let author = &people[*author];
    let post = author.write_post(title, content, types, status).await?.id;
    let media = match picture {
        Some(number) => {
            let alt = format!("A gradient, number {number}");
            Some(author.api.upload("POST", &alt, &pictures::picture(*number)).await?)
        }
        None => None,
    };
    if let Err(error) = answer(&people, &thread, &post, media.as_slice()).await {
        // The model takes a text for spam now and then, and hides it before the last answer: what is gone is discussed no further.
        let (status, _) = author.api.send(Method::GET, To::Post, &format!("/posts/{post}"), None).await?;
        if status != StatusCode::NOT_FOUND {
            return Err(error);
        }
    }
    Ok(media.map_or(("POST", post), |media| ("MEDIA", media)))
}

/// All that follows on a post: its picture, and what others do with it.
async fn answer(people: &[Person], thread: &Thread, post: &str, media: &[String]) -> Result<()> {
    if !media.is_empty() {
        people[thread.author].illustrate(post, &thread.content, &thread.types, media).await?;
    }
    for reader in &thread.views {
        people[*reader].view(post).await?;
    }
    let mut comments = Vec::new();
    for (writer, text) in &thread.comments {
        comments.push(people[*writer].comment(post, text).await?.id);
    }
    let to = To::Interaction;
    for (writer, place, text) in &thread.replies {
        let reply = json!({ "content": text, "reply_to": comments[*place] });
        let path = format!("/{post}/comments");
        let _: Value = people[*writer].api.ask(Method::POST, to, &path, Some(&reply)).await?;
    }
    for (reader, place, kind) in &thread.comment_reactions {
        let path = format!("/comments/{}/reactions", comments[*place]);
        let _: Value = people[*reader].api.ask(Method::PUT, to, &path, Some(&json!({ "type": kind }))).await?;
    }
    for reader in &thread.bookmarks {
        let path = format!("/{post}/bookmark");
        let _: Value = people[*reader].api.ask(Method::PUT, to, &path, Some(&json!({}))).await?;
    }
    for (reader, kind) in &thread.reactions {
        people[*reader].react(post, kind).await?;
    }
    Ok(())
}

/// A report of a post or a picture. Moderation knows it a moment after it was published; one that was hidden meanwhile, or reported by
/// an earlier run, is left alone.
async fn report(people: Arc<[Person]>, reader: usize, (kind, id): Reported, reason: &'static str) -> Result<()> {
    let body = json!({ "subject_type": kind, "subject_id": id, "reason": reason });
    for _ in 0..TRIES {
        let (status, _) = people[reader].api.send(Method::POST, To::Moderation, "/reports", Some(&body)).await?;
        if status != StatusCode::NOT_FOUND {
            break;
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    Ok(())
}

/// Carries out jobs, a limited number of them at once; the results in the order of the jobs. The first error ends the rest.
async fn run<T>(
    bar: &ProgressBar,
    limit: u16,
    jobs: impl Iterator<Item = impl Future<Output = Result<T>>>,
) -> Result<Vec<T>> {
    let results = stream::iter(jobs).buffered(limit.into()).inspect_ok(|_| bar.inc(1)).try_collect().await;
    bar.finish_and_clear();
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn results_come_in_the_order_of_the_jobs() {
        let jobs = (0..20_u32).map(|number| async move {
            for _ in number..20 {
                tokio::task::yield_now().await;
            }
            Ok(number)
        });
        let results = run(&ProgressBar::hidden(), 3, jobs).await.unwrap();
        assert_eq!(results, (0..20).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn the_first_error_is_returned() {
        let jobs = (0..3).map(|number| async move {
            anyhow::ensure!(number != 1, "no");
            Ok(())
        });
        assert_eq!(run(&ProgressBar::hidden(), 1, jobs).await.unwrap_err().to_string(), "no");
    }
}
