//! What a notification says in words: a sentence for clients that have none of their own.
use super::Type;
use super::models::{ActorCard, Notification};
use crate::profiles::Level;

impl Notification {
    /// "Ann and 12 others reacted to your post".
    pub fn text(&self) -> String {
        let who = || people(&self.actors.0, self.causes);
        match self.r#type {
            Type::PostReactionReceived => format!("{} reacted to your post", who()),
            Type::PostCommentReceived => format!("{} commented on your post", who()),
            Type::UserConnected => format!("{} connected to you", who()),
            Type::UserMentioned => format!("{} mentioned you", who()),
            Type::CommentReply => format!("{} replied to your comment", who()),
            Type::CommentReactionReceived => format!("{} reacted to your comment", who()),
            Type::ConnectionRecommendation => format!("You may know {}", who()),
            Type::PostRecommendation => "There are posts that you may like".to_owned(),
            Type::ProfileActivity => level(self.level),
            Type::SystemMessage => self.message.clone().unwrap_or_default(),
        }
    }
}

fn people(newest: &[ActorCard], all: i64) -> String {
    let names: Vec<String> = newest.iter().map(name).collect();
    match (names.as_slice(), all) {
        ([], _) => "Somebody".to_owned(),
        ([one], ..=1) => one.clone(),
        ([one, other, ..], 2) => format!("{one} and {other}"),
        ([one, ..], all) => {
            let others = all - 1;
            format!("{one} and {others} other{}", if others == 1 { "" } else { "s" })
        }
    }
}

fn name(person: &ActorCard) -> String {
    let names: Vec<&str> = [&person.first_name, &person.last_name].into_iter().flatten().map(String::as_str).collect();
    let name = names.join(" ");
    let name = Some(name.trim()).filter(|name| !name.is_empty()).or(person.username.as_deref());
    name.unwrap_or("Somebody").to_owned()
}

fn level(level: Option<Level>) -> String {
    let words = match level {
        Some(Level::HighlyActive) => "highly active",
        Some(Level::ModeratelyActive) => "moderately active",
        Some(Level::NormallyActive) => "normally active",
        Some(Level::LessActive) => "less active",
        Some(Level::Isolated) => "isolated",
        None => return "Your level of activity changed".to_owned(),
    };
    format!("Your level of activity is now: {words}")
}
