//! The actions of a simulated user, and what the platform promises with its answers.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};
use reqwest::Method;
use serde_json::{Value, json};

use crate::proof::chaos::promises::{CountedAction, Expected, INSULT, Outcome, PromisedPost, PromisedReply};
use crate::proof::chaos::relations::Relation;
use crate::proof::chaos::workload::{UserRequest, Workload};
use crate::system::{AUTH, ENGAGEMENT, INTERACTION, MODERATION, POST, Service};

/// What offends no reader, and no model.
pub const FRIENDLY: &str = "Thank you for writing this down. #friendly";
/// One text in this number is an insult.
const INSULTS: u32 = 25;
/// One post in this number has a picture.
const ILLUSTRATED: u32 = 4;
/// The number of latest pictures that users report: so few that some are reported by three, and held.
const LATEST_PICTURES: usize = 4;
/// The number of latest users that users connect to, block or mute: most of them are still here.
const LATEST_USERS: usize = 40;
const CATEGORIES: [&str; 5] = ["BOOKS", "TRAVEL", "FOOD", "HEALTH", "TECHNOLOGY"];
const REACTIONS: [&str; 3] = ["LIKE", "LOVE", "SAD"];
/// Why something is reported, and hidden; `views.sql` has their weights.
pub const REASONS: [&str; 3] = ["SPAM_COMMERCIAL", "HARASSMENT_INSULT", "HATE_SLUR"];

/// A user who has signed in, with everything that is theirs.
pub struct SimulatedUser {
    id: String,
    token: String,
    posts: Vec<String>,
    comments: Vec<String>,
    reactions: Vec<String>,
    relations: Vec<(Relation, String)>,
}

impl SimulatedUser {
    pub fn new(id: String, token: String) -> SimulatedUser {
        let (posts, comments, reactions, relations) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        SimulatedUser { id, token, posts, comments, reactions, relations }
    }
}

/// Everything that an action needs.
struct Actor<'a> {
    workload: &'a Workload,
    dice: &'a mut StdRng,
    me: SimulatedUser,
}

/// Carries out a random action; returns the user, unless they left.
pub async fn perform(workload: &Workload, dice: &mut StdRng, me: SimulatedUser) -> Option<SimulatedUser> {
    let throw = dice.random_range(0..1000);
    let mut actor = Actor { workload, dice, me };
    match throw {
        0..218 => actor.view().await,
        218..223 => actor.relate(Relation::Disinterest).await,
        223..226 => actor.part(Relation::Disinterest).await,
        226..230 => actor.relate(Relation::Dismissal).await,
        // A feed is kept for who has read it: what is published later has to come into it.
        230..270 => actor.read_feed().await,
        270..450 => actor.comment().await,
        450..580 => actor.react().await,
        580..700 => actor.write().await,
        700..755 => actor.change().await,
        755..790 => {
            let post = remove_random(&mut actor.me.posts, actor.dice);
            actor.delete("delete post", "post", (&POST, "/posts"), post).await;
        }
        790..830 => {
            let comment = remove_random(&mut actor.me.comments, actor.dice);
            actor.delete("delete comment", "comment", (&INTERACTION, "/comments"), comment).await;
        }
        830..865 => {
            let reaction = remove_random(&mut actor.me.reactions, actor.dice);
            actor.delete("take back", "reaction", (&INTERACTION, "/post-reactions"), reaction).await;
        }
        865..905 => actor.relate(Relation::Connection).await,
        905..912 => actor.part(Relation::Connection).await,
        912..918 => actor.relate(Relation::Block).await,
        918..921 => actor.part(Relation::Block).await,
        921..929 => actor.relate(Relation::Mute).await,
        929..934 => actor.part(Relation::Mute).await,
        934..942 => actor.relate(Relation::Hide).await,
        942..946 => actor.part(Relation::Hide).await,
        946..953 => actor.edit_comment().await,
        953..958 => actor.read().await,
        958..983 => actor.report().await,
        983..998 => actor.appeal().await,
        _ => return actor.leave().await,
    }
    Some(actor.me)
}

impl Actor<'_> {
    async fn ask(
        &mut self,
        what: &'static str,
        service: &'static Service,
        method: Method,
        path: String,
        body: Option<Value>,
    ) -> Outcome {
        let caller = Some((self.me.id.as_str(), self.me.token.as_str()));
        self.workload.ask(self.dice, UserRequest { what, service, method, path, caller, body }).await
    }

    /// A post that others can see.
    fn some_post(&mut self) -> Option<String> {
        self.workload.promises().latest().choose(self.dice).cloned()
    }

    fn is_insult(&mut self) -> bool {
        self.dice.random_ratio(1, INSULTS)
    }

    async fn view(&mut self) {
        let Some(post) = self.some_post() else { return };
        let outcome = self.ask("view", &INTERACTION, Method::GET, format!("/{post}/view"), None).await;
        let mut promises = self.workload.promises();
        promises.asked("post", &post, &self.me.id, &outcome);
        promises.tally(&self.me.id, CountedAction::View, &outcome);
    }

    async fn comment(&mut self) {
        let Some(post) = self.some_post() else { return };
        let insult = self.is_insult();
        let body = json!({ "content": if insult { INSULT } else { FRIENDLY } });
        let outcome = self.ask("comment", &INTERACTION, Method::POST, format!("/{post}/comments"), Some(body)).await;
        let mut promises = self.workload.promises();
        promises.asked("post", &post, &self.me.id, &outcome);
        promises.tally(&self.me.id, CountedAction::Comment, &outcome);
        if let Some(id) = id(&outcome) {
            promises.comments.insert(id.clone(), PromisedReply { post, expected: Expected::Present, insult });
            self.me.comments.push(id);
        }
    }

    async fn react(&mut self) {
        let Some(post) = self.some_post() else { return };
        let body = json!({ "type": REACTIONS.choose(self.dice) });
        let path = format!("/{post}/post-reactions");
        let outcome = self.ask("react", &INTERACTION, Method::POST, path, Some(body)).await;
        let mut promises = self.workload.promises();
        promises.asked("post", &post, &self.me.id, &outcome);
        promises.tally(&self.me.id, CountedAction::Reaction, &outcome);
        if let Some(id) = id(&outcome) {
            promises.reactions.insert(id.clone(), PromisedReply { post, expected: Expected::Present, insult: false });
            self.me.reactions.push(id);
        }
    }

    async fn write(&mut self) {
        let insult = self.is_insult();
        let status = if self.dice.random_bool(0.3) { "DRAFT" } else { "POSTED" };
        let (mut body, mut picture) = (self.text(insult, status), None);
        if self.dice.random_ratio(1, ILLUSTRATED) {
            picture = id(&self.workload.upload(self.dice, (&self.me.id, &self.me.token)).await);
            body["media"] = picture.clone().into_iter().collect();
        }
        let outcome = self.ask("post", &POST, Method::POST, "/posts".to_owned(), Some(body)).await;
        let mut promises = self.workload.promises();
        // Not before: a picture that was reported and hidden meanwhile is one that the post cannot show.
        promises.pictures.extend(picture);
        promises.tally(&self.me.id, CountedAction::Post, &outcome);
        if let Some(id) = id(&outcome) {
            promises
                .posts
                .insert(id.clone(), PromisedPost { expected: Expected::Present, status: Some("DRAFT"), insult });
            promises.changed(&id, status, &outcome);
            self.me.posts.push(id);
        }
    }

    /// Publishes a draft, or changes what a published post is about.
    async fn change(&mut self) {
        let Some(post) = self.me.posts.choose(self.dice).cloned() else { return };
        let insult = self.workload.promises().posts.get(&post).is_some_and(|post| post.insult);
        let body = self.text(insult, "POSTED");
        let outcome = self.ask("publish", &POST, Method::PUT, format!("/posts/{post}"), Some(body)).await;
        let mut promises = self.workload.promises();
        promises.asked("post", &post, &self.me.id, &outcome);
        promises.changed(&post, "POSTED", &outcome);
    }

    fn text(&mut self, insult: bool, status: &str) -> Value {
        // The same category twice counts twice.
        let types: Vec<_> = (0..self.dice.random_range(1..4)).filter_map(|_| CATEGORIES.choose(self.dice)).collect();
        json!({ "title": "A morning", "content": if insult { INSULT } else { FRIENDLY }, "types": types,
            "status": status })
    }

    /// Deletes something of the user's own: the kind of request and of the thing, where it is, and its id if there is one.
    async fn delete(
        &mut self,
        what: &'static str,
        kind: &'static str,
        (service, folder): (&'static Service, &str),
        id: Option<String>,
    ) {
        let Some(id) = id else { return };
        let outcome = self.ask(what, service, Method::DELETE, format!("{folder}/{id}"), None).await;
        let mut promises = self.workload.promises();
        promises.asked(kind, &id, &self.me.id, &outcome);
        promises.deleted(kind, &id, &outcome);
    }

    async fn edit_comment(&mut self) {
        let Some(comment) = self.me.comments.choose(self.dice).cloned() else { return };
        // A second insult would be as good a reason as the first.
        let insult = self.workload.promises().comments.get(&comment).is_some_and(|comment| comment.insult);
        let body = json!({ "content": if insult { INSULT } else { FRIENDLY } });
        let path = format!("/comments/{comment}");
        let outcome = self.ask("edit comment", &INTERACTION, Method::PUT, path, Some(body)).await;
        self.workload.promises().asked("comment", &comment, &self.me.id, &outcome);
    }

    /// Reports a post of any kind, or a picture. Nothing is promised: moderation may not know it yet, or know that it is the user's
    /// own.
    async fn report(&mut self) {
        let picture = {
            let promises = self.workload.promises();
            let latest = &promises.pictures[promises.pictures.len().saturating_sub(LATEST_PICTURES)..];
            latest.choose(self.dice).filter(|_| self.dice.random_bool(0.5)).cloned()
        };
        let subject = picture.map(|id| ("MEDIA", id)).or_else(|| self.some_post().map(|id| ("POST", id)));
        let Some((kind, id)) = subject else { return };
        let body = json!({ "subject_type": kind, "subject_id": id, "reason": REASONS.choose(self.dice) });
        self.ask("report", &MODERATION, Method::POST, "/reports".to_owned(), Some(body)).await;
    }

    /// Appeals a decision about the user, where there is one. Nothing is promised: it may be over meanwhile.
    async fn appeal(&mut self) {
        let path = "/me/moderation/decisions".to_owned();
        let statements = self.ask("read statements", &MODERATION, Method::GET, path, None).await;
        let Outcome::Ok(Value::Array(statements)) = statements else { return };
        let can_be_appealed =
            |one: &&Value| one["appeal"].is_null() && one["ended_at"].is_null() && one["text"].is_string();
        let decision = statements.iter().filter(can_be_appealed).choose(self.dice);
        let Some(decision) = decision.and_then(|decision| decision["decision_id"].as_str()) else { return };
        let (path, body) = (format!("/me/moderation/decisions/{decision}/appeal"), json!({ "text": FRIENDLY }));
        self.ask("appeal", &MODERATION, Method::POST, path, Some(body)).await;
    }

    /// Connects to another user, blocks, mutes or dismisses one, or hides a post or is not interested in it.
    async fn relate(&mut self, relation: Relation) {
        let target = if relation.is_to_post() { self.some_post() } else { self.some_user(relation) };
        let Some(target) = target else { return };
        self.change_relation(relation, true, &target).await;
        if !self.me.relations.contains(&(relation, target.clone())) {
            self.me.relations.push((relation, target));
        }
    }

    /// Ends a relation of that kind.
    async fn part(&mut self, relation: Relation) {
        let all = self.me.relations.iter().enumerate();
        let of_kind = all.filter(|(_, (kind, _))| *kind == relation).map(|(place, _)| place);
        let Some(place) = of_kind.choose(self.dice) else { return };
        let (_, target) = self.me.relations.swap_remove(place);
        self.change_relation(relation, false, &target).await;
    }

    async fn change_relation(&mut self, relation: Relation, stands: bool, target: &str) {
        let (what, service, method, path) = relation.request(stands, target);
        let outcome = self.ask(what, service, method, path, None).await;
        let mut promises = self.workload.promises();
        // The engagement service may not know the other one yet.
        if matches!(relation, Relation::Connection | Relation::Block) {
            promises.asked("account", target, &self.me.id, &outcome);
        }
        promises.related(relation, (&self.me.id, target), stands, &outcome);
    }

    /// One of the latest users, or, unless it is to connect to, as often one that this user is connected to.
    fn some_user(&mut self, relation: Relation) -> Option<String> {
        if relation != Relation::Connection && self.dice.random_bool(0.5) {
            let connected = self.me.relations.iter().filter(|(kind, _)| *kind == Relation::Connection);
            return connected.choose(self.dice).map(|(_, id)| id.clone());
        }
        let promises = self.workload.promises();
        let present = promises.accounts.iter().rev().filter(|(_, expected)| **expected == Expected::Present);
        let others = present.map(|(id, _)| id).filter(|id| **id != self.me.id).take(LATEST_USERS);
        others.choose(self.dice).cloned()
    }

    /// Reads, which promises nothing.
    async fn read(&mut self) {
        self.ask("list posts", &POST, Method::GET, "/posts".to_owned(), None).await;
        self.ask("read profile", &ENGAGEMENT, Method::GET, "/me/activity-profile".to_owned(), None).await;
    }

    /// Reads the home feed and the notifications, which promises nothing.
    async fn read_feed(&mut self) {
        self.ask("read feed", &ENGAGEMENT, Method::GET, "/me/feed".to_owned(), None).await;
        self.ask("list notifications", &ENGAGEMENT, Method::GET, "/me/notifications".to_owned(), None).await;
    }

    /// Deletes the account, and with it all that is theirs; when that is refused the user stays.
    async fn leave(mut self) -> Option<SimulatedUser> {
        let path = format!("/users/{}", self.me.id);
        let outcome = self.ask("leave", &AUTH, Method::DELETE, path, None).await;
        let mut promises = self.workload.promises();
        promises.deleted("account", &self.me.id, &outcome);
        for (kind, ids) in [("post", &self.me.posts), ("comment", &self.me.comments), ("reaction", &self.me.reactions)]
        {
            for id in ids {
                promises.deleted(kind, id, &outcome);
            }
        }
        drop(promises);
        matches!(outcome, Outcome::Refused(_)).then_some(self.me)
    }
}

/// The id of what was made.
pub fn id(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Ok(made) => made["id"].as_str().map(str::to_owned),
        _ => None,
    }
}

/// Removes a random element of the list.
pub fn remove_random<T>(list: &mut Vec<T>, dice: &mut StdRng) -> Option<T> {
    (!list.is_empty()).then(|| list.swap_remove(dice.random_range(0..list.len())))
}
