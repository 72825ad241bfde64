//! What a person of a run does, and what the platform promises with its answer.

use rand::{
    RngExt,
    rngs::StdRng,
    seq::{IndexedRandom, IteratorRandom},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::proof::chaos::record::{Answer, Fate, Outcome, Post, Told};
use crate::proof::chaos::world::{Request, World};
use crate::system::{AUTH, ENGAGEMENT, INTERACTION, POST, Service};

/// What moderation has to delete: an attack that no reading excuses.
pub const INSULT: &str = "You have understood nothing, and I hope you die.";
const FRIENDLY: &str = "Thank you for writing this down.";
/// One in so many texts is an insult.
const INSULTS: u32 = 25;
/// Of the visible posts people look at the latest so many.
const LATEST: usize = 60;
const CATEGORIES: [&str; 5] = ["BOOKS", "TRAVEL", "FOOD", "HEALTH", "TECHNOLOGY"];
const REACTIONS: [&str; 3] = ["LIKE", "LOVE", "SAD"];

/// Somebody who has signed in, with what is theirs.
pub struct Person {
    id: String,
    token: String,
    posts: Vec<String>,
    comments: Vec<String>,
    reactions: Vec<String>,
    friends: Vec<String>,
}

impl Person {
    pub fn new(id: String, token: String) -> Person {
        Person { id, token, posts: Vec::new(), comments: Vec::new(), reactions: Vec::new(), friends: Vec::new() }
    }
}

/// Someone at a moment: everything that an action needs.
struct Actor<'a> {
    world: &'a World,
    dice: &'a mut StdRng,
    me: Person,
}

/// One action of the dice; answers the person, unless they left.
pub async fn something(world: &World, dice: &mut StdRng, me: Person) -> Option<Person> {
    let throw = dice.random_range(0..1000);
    let mut actor = Actor { world, dice, me };
    match throw {
        0..280 => actor.view().await,
        280..480 => actor.comment().await,
        480..620 => actor.react().await,
        620..740 => actor.write().await,
        740..800 => actor.change().await,
        800..840 => actor.delete_post().await,
        840..890 => actor.delete_comment().await,
        890..930 => actor.take_back().await,
        930..970 => actor.connect().await,
        970..980 => actor.disconnect().await,
        980..987 => actor.edit_comment().await,
        987..998 => actor.read().await,
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
        let token = &self.me.token;
        self.world.ask(self.dice, Request { what, service, method, path, token, body }).await
    }

    /// A post that others can see.
    fn some_post(&mut self) -> Option<String> {
        let record = self.world.record();
        let latest = &record.visible[record.visible.len().saturating_sub(LATEST)..];
        latest.choose(self.dice).cloned()
    }

    fn is_insult(&mut self) -> bool {
        self.dice.random_ratio(1, INSULTS)
    }

    async fn view(&mut self) {
        let Some(post) = self.some_post() else { return };
        let outcome = self.ask("view", &INTERACTION, Method::GET, format!("/{post}/view"), None).await;
        let mut record = self.world.record();
        record.asked("post", &post, &outcome);
        record.tally(&self.me.id, Told::View, &outcome);
    }

    async fn comment(&mut self) {
        let Some(post) = self.some_post() else { return };
        let insult = self.is_insult();
        let body = json!({ "content": if insult { INSULT } else { FRIENDLY } });
        let outcome = self.ask("comment", &INTERACTION, Method::POST, format!("/{post}/comments"), Some(body)).await;
        let mut record = self.world.record();
        record.asked("post", &post, &outcome);
        record.tally(&self.me.id, Told::Comment, &outcome);
        if let Some(id) = id(&outcome) {
            record.comments.insert(id.clone(), Answer { post, fate: Fate::There, insult });
            self.me.comments.push(id);
        }
    }

    async fn react(&mut self) {
        let Some(post) = self.some_post() else { return };
        let body = json!({ "type": REACTIONS.choose(self.dice) });
        let path = format!("/{post}/post-reactions");
        let outcome = self.ask("react", &INTERACTION, Method::POST, path, Some(body)).await;
        let mut record = self.world.record();
        record.asked("post", &post, &outcome);
        record.tally(&self.me.id, Told::Reaction, &outcome);
        if let Some(id) = id(&outcome) {
            record.reactions.insert(id.clone(), Answer { post, fate: Fate::There, insult: false });
            self.me.reactions.push(id);
        }
    }

    async fn write(&mut self) {
        let insult = self.is_insult();
        let status = if self.dice.random_bool(0.3) { "DRAFT" } else { "POSTED" };
        let body = self.text(insult, status);
        let outcome = self.ask("post", &POST, Method::POST, "/posts".to_owned(), Some(body)).await;
        let mut record = self.world.record();
        record.tally(&self.me.id, Told::Post, &outcome);
        if let Some(id) = id(&outcome) {
            record.posts.insert(id.clone(), Post { fate: Fate::There, status: Some("DRAFT"), insult });
            record.changed(&id, status, &outcome);
            self.me.posts.push(id);
        }
    }

    /// Publishes a draft, or changes what a published post is about.
    async fn change(&mut self) {
        let Some(post) = self.me.posts.choose(self.dice).cloned() else { return };
        let insult = self.world.record().posts.get(&post).is_some_and(|post| post.insult);
        let body = self.text(insult, "POSTED");
        let outcome = self.ask("publish", &POST, Method::PUT, format!("/posts/{post}"), Some(body)).await;
        let mut record = self.world.record();
        record.asked("post", &post, &outcome);
        record.changed(&post, "POSTED", &outcome);
    }

    fn text(&mut self, insult: bool, status: &str) -> Value {
        // The same category twice counts twice.
        let types: Vec<_> = (0..self.dice.random_range(1..4)).filter_map(|_| CATEGORIES.choose(self.dice)).collect();
        json!({ "title": "A morning", "content": if insult { INSULT } else { FRIENDLY }, "types": types,
            "status": status })
    }

    async fn delete_post(&mut self) {
        let Some(post) = take(&mut self.me.posts, self.dice) else { return };
        let outcome = self.ask("delete post", &POST, Method::DELETE, format!("/posts/{post}"), None).await;
        let mut record = self.world.record();
        record.asked("post", &post, &outcome);
        record.post_deleted(&post, &outcome);
    }

    async fn delete_comment(&mut self) {
        let Some(comment) = take(&mut self.me.comments, self.dice) else { return };
        let path = format!("/comments/{comment}");
        let outcome = self.ask("delete comment", &INTERACTION, Method::DELETE, path, None).await;
        let mut record = self.world.record();
        record.asked("comment", &comment, &outcome);
        record.comment_deleted(&comment, &outcome);
    }

    async fn edit_comment(&mut self) {
        let Some(comment) = self.me.comments.choose(self.dice).cloned() else { return };
        // A second insult would be as good a reason as the first.
        let insult = self.world.record().comments.get(&comment).is_some_and(|comment| comment.insult);
        let body = json!({ "content": if insult { INSULT } else { FRIENDLY } });
        let path = format!("/comments/{comment}");
        let outcome = self.ask("edit comment", &INTERACTION, Method::PUT, path, Some(body)).await;
        self.world.record().asked("comment", &comment, &outcome);
    }

    async fn take_back(&mut self) {
        let Some(reaction) = take(&mut self.me.reactions, self.dice) else { return };
        let path = format!("/post-reactions/{reaction}");
        let outcome = self.ask("take back", &INTERACTION, Method::DELETE, path, None).await;
        let mut record = self.world.record();
        record.asked("reaction", &reaction, &outcome);
        record.reaction_deleted(&reaction, &outcome);
    }

    async fn connect(&mut self) {
        let somebody = {
            let record = self.world.record();
            let others = record.accounts.iter().filter(|(id, fate)| **id != self.me.id && **fate == Fate::There);
            others.map(|(id, _)| id.clone()).choose(self.dice)
        };
        let Some(other) = somebody else { return };
        let outcome = self.ask("connect", &AUTH, Method::POST, format!("/users/{other}/connect"), None).await;
        let mut record = self.world.record();
        record.asked("account", &other, &outcome);
        record.connected(&self.me.id, &other, true, &outcome);
        if !self.me.friends.contains(&other) {
            self.me.friends.push(other);
        }
    }

    async fn disconnect(&mut self) {
        let Some(other) = take(&mut self.me.friends, self.dice) else { return };
        let outcome = self.ask("disconnect", &AUTH, Method::DELETE, format!("/users/{other}/disconnect"), None).await;
        let mut record = self.world.record();
        record.asked("account", &other, &outcome);
        record.connected(&self.me.id, &other, false, &outcome);
    }

    /// Looks around, which promises nothing.
    async fn read(&mut self) {
        self.ask("list posts", &POST, Method::GET, "/posts".to_owned(), None).await;
        self.ask("read profile", &ENGAGEMENT, Method::GET, "/me/activity-profile".to_owned(), None).await;
    }

    /// Deletes the account, and with it all that is theirs; when that is refused the person stays.
    async fn leave(mut self) -> Option<Person> {
        let path = format!("/users/{}", self.me.id);
        let outcome = self.ask("leave", &AUTH, Method::DELETE, path, None).await;
        let mut record = self.world.record();
        record.left(&self.me.id, &outcome);
        for post in &self.me.posts {
            record.post_deleted(post, &outcome);
        }
        for comment in &self.me.comments {
            record.comment_deleted(comment, &outcome);
        }
        for reaction in &self.me.reactions {
            record.reaction_deleted(reaction, &outcome);
        }
        drop(record);
        matches!(outcome, Outcome::Refused(_)).then_some(self.me)
    }
}

/// The id of what was made.
fn id(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Ok(made) => made["id"].as_str().map(str::to_owned),
        _ => None,
    }
}

/// One of the list, and no longer in it.
fn take(list: &mut Vec<String>, dice: &mut StdRng) -> Option<String> {
    (!list.is_empty()).then(|| list.swap_remove(dice.random_range(0..list.len())))
}
