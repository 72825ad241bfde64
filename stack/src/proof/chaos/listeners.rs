//! The listeners of a run: users whose accounts elsewhere say what they listen to. Most of them share that, or keep it to themselves;
//! some end their link, link again, and want it forgotten.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::client::{Person, To};
use crate::proof::chaos::actions::id;
use crate::proof::chaos::promises::{BEGIN_LINK, Expected, LINK, Outcome};
use crate::proof::chaos::provider_stand_in::PROVIDER;
use crate::proof::chaos::users::{PASSWORD, sign_in};
use crate::proof::chaos::workload::{UserRequest, Workload};
use crate::proof::platform::Platform;
use crate::proof::poll;
use crate::servers::psql;
use crate::system::{AUTH, ENGAGEMENT, Service};

/// Those whose link stays; the first of them also shares from the beginning to the end: so in every run a taste is shared, and
/// people listen to the same (`mutations.sql`).
const SHARERS: u64 = 6;
/// Those who end their links, and link again.
const MOVERS: u64 = 3;
/// They, and one who leaves before the faults, so that in every run a taste was erased.
const LISTENERS: u64 = SHARERS + MOVERS + 1;
/// The pause between two actions, in milliseconds.
const PAUSE: std::ops::Range<u64> = 500..3_000;
/// Of how many actions of one whose link stays one changes whether they share: few, since an unknown outcome is never known again.
const CHANGES: u32 = 10;
/// After how long a listener signs in again: a user who changes a link has signed in less than ten minutes ago.
const SESSION: Duration = Duration::from_mins(5);
/// How long a mail and a taste may take before the faults.
const EFFECT_TIMEOUT: Duration = Duration::from_mins(1);
const EVERY: Duration = Duration::from_millis(250);

/// A user with an account elsewhere.
pub struct Listener {
    person: Person,
    /// Who they are at the provider.
    subject: String,
    link: KnownLink,
}

/// What a listener knows of their link.
enum KnownLink {
    Linked(String),
    Unlinked,
    /// It is asked for next.
    Unknown,
}

/// Signs listeners up, verifies their addresses, links their accounts, and waits until it is known what they listen to; all share that.
pub async fn appoint(platform: &Platform<'_>) -> Result<Vec<Listener>> {
    let mut first = join(platform, 0..1).await?;
    let mut listeners = join(platform, 1..LISTENERS).await?;
    let leaver = listeners.pop().context("there are no listeners")?;
    leaver.person.api.ask::<Value>(Method::DELETE, To::Auth, &format!("/users/{}", leaver.person.id), None).await?;
    first.append(&mut listeners);
    Ok(first)
}

/// Listeners of these numbers, each matched with those who shared before.
async fn join(platform: &Platform<'_>, numbers: std::ops::Range<u64>) -> Result<Vec<Listener>> {
    let api = platform.api()?;
    // Its promises are of no use: there are no faults yet.
    let workload = Workload::new(&platform.replicas, platform.config.port_base, Instant::now())?;
    let mut dice = StdRng::seed_from_u64(numbers.start);
    let mut listeners = Vec::new();
    for number in numbers {
        let email = format!("listener.{number}@example.org");
        let person = api.join(&email, PASSWORD, ("Some", "Listener"), &["BOOKS"]).await?;
        verify(platform, &person).await?;
        let token = person.api.access_token().await?.context("a listener has no session")?;
        let subject = format!("listener-{number}");
        let outcome = link(&workload, &mut dice, (&person.id, &token), &subject).await;
        let linked = id(&outcome).with_context(|| format!("a link was answered with {outcome:?}"))?;
        listeners.push(Listener { person, subject, link: KnownLink::Linked(linked) });
    }
    let people: Vec<&str> = listeners.iter().map(|listener| listener.person.id.as_str()).collect();
    let sql = format!(
        "select count(*) from engagement.taste where items is not null and matched and person_id in ('{}');",
        people.join("', '")
    );
    let known = async || Ok(psql::run(&platform.database, &sql).await?.trim() == people.len().to_string());
    poll::until("what listeners listen to is known", EFFECT_TIMEOUT, EVERY, known).await?;
    for listener in &listeners {
        let shares = json!({ "shared": true });
        listener.person.api.ask::<Value>(Method::PATCH, To::Engagement, "/me/taste", Some(&shares)).await?;
    }
    Ok(listeners)
}

/// Verifies the address of a person by the mail that they were sent.
async fn verify(platform: &Platform<'_>, person: &Person) -> Result<()> {
    let mut token = None;
    let arrived = async || {
        token = mailed_token(&platform.config.mail, &person.email)?;
        Ok(token.is_some())
    };
    poll::until("a mail to verify an address arrives", EFFECT_TIMEOUT, EVERY, arrived).await?;
    let path = format!("/users/activate?activation_token={}", token.context("a mail has no token")?);
    person.api.ask::<Value>(Method::POST, To::Auth, &path, None).await?;
    Ok(())
}

/// The token in a mail to an address, among those of a folder.
fn mailed_token(folder: &Path, email: &str) -> Result<Option<String>> {
    for entry in fs::read_dir(folder).context("the mails cannot be listed")? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "eml") {
            continue;
        }
        let letter = fs::read_to_string(path).context("a mail cannot be read")?;
        let token = letter.contains(email).then(|| token_in(&letter)).flatten();
        if token.is_some() {
            return Ok(token);
        }
    }
    Ok(None)
}

/// The token of the link in a letter, its line breaks and `=` decoded.
fn token_in(letter: &str) -> Option<String> {
    let letter = letter.replace("=\r\n", "").replace("=3D", "=");
    let after = letter.split("activation_token=").nth(1)?;
    let token = after.split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)).next()?;
    Some(token.to_owned()).filter(|token| !token.is_empty())
}

/// Links an account elsewhere to that of a caller, from the beginning to the end: the provider has nothing to ask.
async fn link(workload: &Workload, dice: &mut StdRng, caller: (&str, &str), subject: &str) -> Outcome {
    let request = |what, path: &str, body| UserRequest {
        what,
        service: &AUTH,
        method: Method::POST,
        path: path.to_owned(),
        caller: Some(caller),
        body,
    };
    let path = format!("/auth/providers/{PROVIDER}/link");
    let (outcome, cookie) = workload.browse(None, dice, request(BEGIN_LINK, &path, None)).await;
    let Outcome::Ok(begun) = outcome else { return outcome };
    let body = json!({ "state": state(&begun), "code": subject });
    let finish = request(LINK, "/auth/providers/callback", Some(body));
    workload.browse(cookie.as_deref(), dice, finish).await.0
}

/// The state that an attempt has to bring back.
fn state(begun: &Value) -> Option<String> {
    let url: Url = begun["authorization_url"].as_str()?.parse().ok()?;
    url.query_pairs().find_map(|(name, value)| (name == "state").then(|| value.into_owned()))
}

/// Lets them act beside the users until the workload's time is over; what they have done before is promised.
pub fn start(actors: &mut JoinSet<()>, workload: &Arc<Workload>, listeners: Vec<Listener>, seed: u64) {
    let people: Vec<String> = listeners.iter().map(|listener| listener.person.id.clone()).collect();
    for (number, listener) in (0..).zip(listeners) {
        let moves = number >= SHARERS;
        {
            let mut promises = workload.promises();
            if let KnownLink::Linked(id) = &listener.link {
                promises.links.insert(id.clone(), Expected::Present);
            }
            if !moves {
                promises.sharing.insert(listener.person.id.clone(), Some(true));
            }
        }
        if number == 0 {
            continue;
        }
        // Apart from the numbers of the users and of the moderators, which are close to the seed and to its complement.
        let dice = StdRng::seed_from_u64(seed.wrapping_mul(LISTENERS).wrapping_add(number).reverse_bits());
        let (workload, people, token) = (workload.clone(), people.clone(), String::new());
        actors.spawn(ListeningUser { workload, dice, listener, people, moves, token }.act());
    }
}

/// A listener who acts.
struct ListeningUser {
    workload: Arc<Workload>,
    dice: StdRng,
    listener: Listener,
    /// All listeners.
    people: Vec<String>,
    /// Whether they end their link, and link again.
    moves: bool,
    token: String,
}

impl ListeningUser {
    async fn act(mut self) {
        let mut session_ends = Instant::now();
        while Instant::now() < self.workload.until {
            sleep(Duration::from_millis(self.dice.random_range(PAUSE))).await;
            if Instant::now() >= session_ends {
                let token = sign_in(&self.workload, &mut self.dice, &self.listener.person.email).await;
                let Some(token) = token else { continue };
                (self.token, session_ends) = (token, Instant::now() + SESSION);
            }
            if !self.moves {
                if self.dice.random_ratio(1, CHANGES) {
                    self.share().await;
                } else {
                    self.read().await;
                }
                continue;
            }
            match self.dice.random_range(0..10) {
                0..5 => self.change_link().await,
                5..7 => self.share().await,
                7 => self.forget().await,
                _ => self.read().await,
            }
        }
    }

    async fn ask(
        &mut self,
        what: &'static str,
        service: &'static Service,
        method: Method,
        path: String,
        body: Option<Value>,
    ) -> Outcome {
        let caller = Some((self.listener.person.id.as_str(), self.token.as_str()));
        let request = UserRequest { what, service, method, path, caller, body };
        self.workload.ask(&mut self.dice, request).await
    }

    /// Shares what they listen to, or keeps it to themselves. Of one who moves nothing is promised: the end of a link, which ends that,
    /// may be on the way.
    async fn share(&mut self) {
        let shared = self.dice.random_bool(0.5);
        let body = Some(json!({ "shared": shared }));
        let outcome = self.ask("share", &ENGAGEMENT, Method::PATCH, "/me/taste".to_owned(), body).await;
        if !self.moves {
            let (mut promises, id) = (self.workload.promises(), &self.listener.person.id);
            promises.asked("taste", id, id, &outcome);
            promises.shared(id, shared, &outcome);
        }
    }

    /// Wants it forgotten, which lasts until the next link.
    async fn forget(&mut self) {
        self.ask("forget", &ENGAGEMENT, Method::DELETE, "/me/taste".to_owned(), None).await;
    }

    /// Reads what a listener listens to, who may keep it to themselves.
    async fn read(&mut self) {
        let person = &self.people[self.dice.random_range(0..self.people.len())];
        let path = format!("/users/{person}/top-items");
        self.ask("read top items", &ENGAGEMENT, Method::GET, path, None).await;
    }

    /// Ends the link where there is one, and links where there is none. Each link has an id of its own: so a request to end one, whose
    /// outcome is unknown, ends none that is made later.
    async fn change_link(&mut self) {
        let known = std::mem::replace(&mut self.listener.link, KnownLink::Unknown);
        self.listener.link = match known {
            KnownLink::Linked(id) => {
                let path = format!("/auth/linked-accounts/{id}");
                let outcome = self.ask("unlink", &AUTH, Method::DELETE, path, None).await;
                self.workload.promises().deleted("link", &id, &outcome);
                if matches!(outcome, Outcome::Ok(_)) { KnownLink::Unlinked } else { KnownLink::Unknown }
            }
            KnownLink::Unlinked => {
                let caller = (self.listener.person.id.as_str(), self.token.as_str());
                let outcome = link(&self.workload, &mut self.dice, caller, &self.listener.subject).await;
                self.linked(id(&outcome))
            }
            KnownLink::Unknown => {
                let path = "/auth/linked-accounts".to_owned();
                match self.ask("list links", &AUTH, Method::GET, path, None).await {
                    Outcome::Ok(Value::Array(links)) if links.is_empty() => KnownLink::Unlinked,
                    Outcome::Ok(links) => self.linked(links[0]["id"].as_str().map(str::to_owned)),
                    _ => KnownLink::Unknown,
                }
            }
        };
    }

    /// A link that the platform has shown to be there. One that was to be ended may end still.
    fn linked(&self, id: Option<String>) -> KnownLink {
        let Some(id) = id else { return KnownLink::Unknown };
        self.workload.promises().links.entry(id.clone()).or_insert(Expected::Present);
        KnownLink::Linked(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_a_mail_is_found_by_its_address() {
        let folder = tempfile::tempdir().unwrap();
        let letter = |name: &str, to: &str, text: &str| {
            fs::write(folder.path().join(name), format!("To: {to}\r\n\r\n{text}")).unwrap();
        };
        letter("1.eml", "a@example.org", "Look: http://x/activate?activation_token=3Dab=\r\nc-1_d. Bye");
        letter("2.eml", "b@example.org", "Welcome");
        letter("3.tmp", "b@example.org", "?activation_token=half");
        let token = |email: &str| mailed_token(folder.path(), email).unwrap();
        assert_eq!(token("a@example.org").as_deref(), Some("abc-1_d"));
        assert_eq!(token("b@example.org"), None);
    }

    #[test]
    fn the_state_is_taken_from_the_address_of_the_provider() {
        let begun = json!({ "authorization_url": "http://127.0.0.1:1/authorize?client_id=a&state=b-c&scope=d" });
        assert_eq!(state(&begun).as_deref(), Some("b-c"));
        assert_eq!(state(&Value::Null), None);
    }
}
