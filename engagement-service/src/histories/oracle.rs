//! A history, and the oracle: what happened, the events that report it, and what each person must find in the end.
mod threads;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};
use serde_json::{Value, json};
use uuid::Uuid;

use self::threads::{some_people, username};
use crate::core::contract::timestamp::Timestamp;

/// People of a history. With four, a group of a notification has at most three, which are all shown.
const PEOPLE: usize = 4;

/// The notifications of a person: type and subject, and who is in the group.
pub type Groups = BTreeMap<(&'static str, Option<Uuid>), BTreeSet<Uuid>>;

/// A call of the service's API, in the order in which its person makes it.
#[derive(Clone, Debug)]
pub struct Call {
    pub by: Uuid,
    pub method: &'static str,
    pub path: String,
}

/// A post, as it is.
struct Post {
    id: Uuid,
    by: usize,
    created: i64,
    version: i64,
    status: &'static str,
    published: Option<i64>,
    hidden: bool,
    deleted: bool,
    /// The people that its words name.
    mentions: BTreeSet<usize>,
    /// What moderation has decided last, as the how manieth decision.
    visibility: &'static str,
    labels: Vec<&'static str>,
    decisions: i64,
}

/// A comment or a reaction.
struct Reply {
    id: Uuid,
    post: usize,
    by: usize,
    at: i64,
    version: i64,
    is_comment: bool,
    /// Of a reply the comment that begins its thread.
    first: Option<usize>,
    /// The people that its words name.
    mentions: BTreeSet<usize>,
    gone: bool,
}

/// A reaction to a comment.
struct CommentReaction {
    id: Uuid,
    comment: usize,
    by: usize,
    at: i64,
    gone: bool,
}

/// Some people, and all that happened between them.
pub struct History {
    pub people: [Uuid; PEOPLE],
    /// The people with their names, which are known before all else: who is named in a text is who has the name when it is consumed.
    pub named: Vec<Value>,
    /// Streams and messages, in the order in which they happened.
    pub events: Vec<(&'static str, Value)>,
    pub calls: Vec<Call>,
    /// Whether posts say when they were published, as ours do and the original's do not.
    states_publication: bool,
    /// Seconds.
    now: i64,
    posts: Vec<Post>,
    replies: Vec<Reply>,
    comment_reactions: Vec<CommentReaction>,
    follows: BTreeSet<(usize, usize)>,
    blocks: BTreeSet<(usize, usize)>,
    mutes: BTreeSet<(usize, usize)>,
    hides: BTreeSet<(usize, usize)>,
    /// Who has deleted their account.
    left: BTreeSet<usize>,
}

fn at(second: i64) -> Value {
    let begin: DateTime<Utc> = DateTime::from_timestamp(1_795_176_000, 0).unwrap_or_default();
    json!(Timestamp(begin + TimeDelta::seconds(second)))
}

impl History {
    /// A history of this number of steps. Its ids are of the dice, too: a seed that is played again has the same order of ids.
    pub fn play(dice: &mut StdRng, steps: usize) -> Self {
        let mut history = Self {
            people: [(); PEOPLE].map(|()| Uuid::from_u128(dice.random())),
            named: Vec::new(),
            events: Vec::new(),
            calls: Vec::new(),
            states_publication: dice.random_bool(0.5),
            now: 0,
            posts: Vec::new(),
            replies: Vec::new(),
            comment_reactions: Vec::new(),
            follows: BTreeSet::new(),
            blocks: BTreeSet::new(),
            mutes: BTreeSet::new(),
            hides: BTreeSet::new(),
            left: BTreeSet::new(),
        };
        for person in 0..PEOPLE {
            let (id, name) = (history.people[person], format!("person {person}"));
            let message = json!({ "id": id, "first_name": name, "last_name": null, "interests": [], "status": "ACTIVE",
                "updated_at": at(-1) });
            let mut named = message.clone();
            (named["username"], named["updated_at"]) = (json!(username(id)), at(0));
            history.named.push(named);
            history.events.push(("user_registered", message));
        }
        for _ in 0..steps {
            history.now += 1;
            history.step(dice);
        }
        history
    }

    fn step(&mut self, dice: &mut StdRng) {
        let (one, other) = (dice.random_range(0..PEOPLE), dice.random_range(0..PEOPLE));
        if self.left.contains(&one) || self.left.contains(&other) {
            return;
        }
        match dice.random_range(0..100) {
            0..18 => self.connect(one, other),
            18..24 => self.react_to_comment(dice, one),
            24..30 => self.disconnect(one, other),
            30..48 => self.write(dice, one),
            48..57 => self.change(dice),
            57..60 => self.decide(dice),
            60..64 => self.hide_or_restore(dice),
            64..68 => self.delete(dice),
            68..82 => self.reply(dice, one),
            82..85 => self.edit_comment(dice),
            85..89 => self.take_back(dice),
            89..92 => self.block(one, other),
            92..94 => self.unblock(one, other),
            94..97 => self.mute(dice, one, other),
            97 => self.leave(one),
            _ => self.hide(dice, one),
        }
    }

    fn pair(&mut self, stream: &'static str, one: usize, other: usize) {
        let message = json!({ "user_id": self.people[one], "target_id": self.people[other], "at": at(self.now) });
        self.events.push((stream, message));
    }

    fn connect(&mut self, one: usize, other: usize) {
        if one != other && !self.apart(one, other) && self.follows.insert((one, other)) {
            self.pair("user_connected", one, other);
        }
    }

    fn disconnect(&mut self, one: usize, other: usize) {
        if self.follows.remove(&(one, other)) {
            self.pair("user_disconnected", one, other);
        }
    }

    /// Whether the two do not see each other.
    fn apart(&self, one: usize, other: usize) -> bool {
        self.blocks.contains(&(one, other)) || self.blocks.contains(&(other, one))
    }

    fn block(&mut self, one: usize, other: usize) {
        if one != other && self.blocks.insert((one, other)) {
            self.pair("user_blocked", one, other);
            self.disconnect(one, other);
            self.disconnect(other, one);
        }
    }

    fn unblock(&mut self, one: usize, other: usize) {
        if self.blocks.remove(&(one, other)) {
            self.pair("user_unblocked", one, other);
        }
    }

    fn mute(&mut self, dice: &mut StdRng, one: usize, other: usize) {
        if one == other {
            return;
        }
        let mutes = dice.random_bool(0.7);
        let changed = if mutes { self.mutes.insert((one, other)) } else { self.mutes.remove(&(one, other)) };
        if changed {
            let path = format!("/me/mutes/{}", self.people[other]);
            self.calls.push(Call { by: self.people[one], method: if mutes { "POST" } else { "DELETE" }, path });
        }
    }

    /// Deletes an account, with all that its person has written and what stands under it, and who was connected to them. The other
    /// services report what they delete, each in its own stream.
    fn leave(&mut self, one: usize) {
        self.left.insert(one);
        self.events.push(("user_deleted", json!({ "id": self.people[one], "deleted_at": at(self.now) })));
        self.follows.retain(|(from, to)| *from != one && *to != one);
        self.blocks.retain(|(from, to)| *from != one && *to != one);
        for place in 0..self.posts.len() {
            if self.posts[place].by == one && !self.posts[place].deleted {
                self.delete_post(place);
            }
        }
        for place in 0..self.replies.len() {
            if self.replies[place].by == one && !self.replies[place].gone {
                self.end(place);
            }
        }
        self.end_comment_reactions(|reaction| reaction.by == one);
    }

    /// Who has deleted their account.
    pub fn left(&self) -> impl Iterator<Item = Uuid> {
        self.left.iter().map(|person| self.people[*person])
    }

    fn hide(&mut self, dice: &mut StdRng, one: usize) {
        let seen = (0..self.posts.len()).filter(|post| self.sees(one, *post) && self.posts[*post].by != one);
        let Some(post) = seen.choose(dice) else { return };
        if self.hides.insert((one, post)) {
            let path = format!("/posts/{}/hide", self.posts[post].id);
            self.calls.push(Call { by: self.people[one], method: "POST", path });
        }
    }

    fn write(&mut self, dice: &mut StdRng, by: usize) {
        let now = self.now;
        let status = if dice.random_bool(0.3) { "DRAFT" } else { "POSTED" };
        self.posts.push(Post {
            id: Uuid::from_u128(dice.random()),
            by,
            created: now,
            version: now,
            status,
            published: (status == "POSTED").then_some(now),
            hidden: false,
            deleted: false,
            mentions: some_people(dice),
            visibility: "VISIBLE",
            labels: Vec::new(),
            decisions: 0,
        });
        self.report(self.posts.len() - 1, "post_created", &Value::Null);
    }

    /// Puts an event of a post into a stream, with more fields.
    fn report(&mut self, post: usize, stream: &'static str, more: &Value) {
        let Post { id, by, created, version, status, published, ref mentions, .. } = self.posts[post];
        let mut message = json!({ "id": id, "created_at": at(created), "created_by": self.people[by],
            "updated_at": at(version), "updated_by": null, "title": null, "content": format!("version {version}"),
            "types": ["NEWS"], "status": status, "facets": self.facets(mentions) });
        if let Some(published) = published.filter(|_| self.states_publication) {
            message["published_at"] = at(published);
        }
        for (name, value) in more.as_object().into_iter().flatten() {
            message[name] = value.clone();
        }
        self.events.push((stream, message));
    }

    fn change(&mut self, dice: &mut StdRng) {
        let standing = (0..self.posts.len()).filter(|post| !self.posts[*post].deleted && !self.posts[*post].hidden);
        let Some(place) = standing.choose(dice) else { return };
        let post = &mut self.posts[place];
        post.version = self.now;
        post.mentions = some_people(dice);
        post.status = ["POSTED", "POSTED", "POSTED", "ARCHIVED"].choose(dice).copied().unwrap_or("POSTED");
        if post.status == "POSTED" && post.published.is_none() {
            post.published = Some(self.now);
        }
        self.report(place, "post_updated", &Value::Null);
    }

    fn hide_or_restore(&mut self, dice: &mut StdRng) {
        let published =
            (0..self.posts.len()).filter(|post| !self.posts[*post].deleted && self.posts[*post].status == "POSTED");
        let Some(place) = published.choose(dice) else { return };
        let post = &mut self.posts[place];
        post.version = self.now;
        post.hidden = !post.hidden;
        let (stream, field) = if post.hidden { ("post_deleted", "hidden_at") } else { ("post_created", "restored_at") };
        let (visibility, labels) = (if post.hidden { "HIDDEN" } else { "VISIBLE" }, post.labels.clone());
        self.report(place, stream, &json!({ field: at(self.now) }));
        self.report_decision(place, visibility, labels);
    }

    /// Moderation limits a post, or lets it back into feeds, and labels it; also one that was deleted meanwhile. What is hidden is
    /// restored first.
    fn decide(&mut self, dice: &mut StdRng) {
        let Some(place) = (0..self.posts.len()).filter(|post| !self.posts[*post].hidden).choose(dice) else { return };
        let visibility = ["VISIBLE", "LIMITED"].choose(dice).copied().unwrap_or("VISIBLE");
        let labels = ["SPOILER", "GRAPHIC"].into_iter().filter(|_| dice.random_bool(0.3)).collect();
        self.report_decision(place, visibility, labels);
    }

    fn report_decision(&mut self, place: usize, visibility: &'static str, labels: Vec<&'static str>) {
        let post = &mut self.posts[place];
        post.decisions += 1;
        let mut message = json!({ "id": Uuid::now_v7(), "at": at(self.now), "subject_type": "POST", "subject_id": post.id,
            "author": self.people[post.by], "version": post.decisions, "labels": labels });
        if post.labels != labels {
            self.events.push(("content_labelled", message.clone()));
        }
        message["visibility"] = json!(visibility);
        message["previous_visibility"] = json!(post.visibility);
        (post.visibility, post.labels) = (visibility, labels);
        self.events.push(("moderation_decided", message));
    }

    fn delete(&mut self, dice: &mut StdRng) {
        let standing = (0..self.posts.len()).filter(|post| !self.posts[*post].deleted && !self.posts[*post].hidden);
        if let Some(place) = standing.choose(dice) {
            self.delete_post(place);
        }
    }

    fn delete_post(&mut self, place: usize) {
        self.posts[place].deleted = true;
        self.report(place, "post_deleted", &Value::Null);
        for reply in 0..self.replies.len() {
            if self.replies[reply].post == place && !self.replies[reply].gone {
                self.end(reply);
            }
        }
    }

    fn reply(&mut self, dice: &mut StdRng, by: usize) {
        let Some(post) = (0..self.posts.len()).filter(|post| self.sees(by, *post)).choose(dice) else { return };
        let is_comment = dice.random_bool(0.6);
        let reacted = |reply: &Reply| !reply.is_comment && !reply.gone && (reply.post, reply.by) == (post, by);
        if !is_comment && self.replies.iter().any(reacted) {
            return;
        }
        if is_comment {
            return self.comment(dice, by, post);
        }
        let (now, mentions) = (self.now, BTreeSet::new());
        let id = Uuid::from_u128(dice.random());
        self.replies.push(Reply {
            id,
            post,
            by,
            at: now,
            version: now,
            is_comment,
            first: None,
            mentions,
            gone: false,
        });
        self.report_reply(self.replies.len() - 1, "post_reaction_created");
    }

    fn take_back(&mut self, dice: &mut StdRng) {
        if let Some(reply) = (0..self.replies.len()).filter(|reply| !self.replies[*reply].gone).choose(dice) {
            self.end(reply);
        }
    }

    fn public(&self, post: usize) -> bool {
        let post = &self.posts[post];
        !post.deleted && !post.hidden && post.status == "POSTED"
    }

    fn sees(&self, viewer: usize, post: usize) -> bool {
        self.public(post) && !self.apart(viewer, self.posts[post].by)
    }

    /// Whether a person sees a post at all, by their ids.
    pub fn finds(&self, viewer: Uuid, post: &str) -> bool {
        let viewer = self.people.iter().position(|person| *person == viewer);
        let place = self.posts.iter().position(|held| held.id.to_string() == post);
        viewer.zip(place).is_some_and(|(viewer, place)| self.sees(viewer, place))
    }

    /// Whether a person has an account.
    pub fn is_here(&self, person: usize) -> bool {
        !self.left.contains(&person)
    }

    /// What a person's home feed shows, newest first: posts with their labels.
    pub fn feed(&self, reader: usize) -> Vec<(Uuid, Vec<String>)> {
        let reads = |post: &usize| {
            let author = self.posts[*post].by;
            let is_limited = self.posts[*post].visibility != "VISIBLE";
            (author == reader || (self.follows.contains(&(reader, author)) && !is_limited))
                && self.sees(reader, *post)
                && !self.mutes.contains(&(reader, author))
                && !self.hides.contains(&(reader, *post))
        };
        let mut posts: Vec<&Post> = (0..self.posts.len()).filter(reads).map(|post| &self.posts[post]).collect();
        posts.sort_by_key(|post| std::cmp::Reverse(post.published));
        let labelled = |post: &&Post| (post.id, post.labels.iter().map(|&label| label.to_owned()).collect());
        posts.iter().map(labelled).collect()
    }

    /// What a person is notified of.
    pub fn notifications(&self, recipient: usize) -> Groups {
        let mut groups = Groups::new();
        self.notify_of_texts(recipient, &mut groups);
        self.notify_of_comment_reactions(recipient, &mut groups);
        for (follower, _) in
            self.follows.iter().filter(|(one, other)| *other == recipient && self.is_welcome(*other, *one))
        {
            groups.entry(("USER_CONNECTED", None)).or_default().insert(self.people[*follower]);
        }
        groups
    }
}
