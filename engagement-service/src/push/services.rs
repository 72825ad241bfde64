//! What a push says about a notification, in parts that every push service takes.
use uuid::Uuid;

use crate::notifications::models::Notification;

/// The longest parts of a message, in characters. A message must fit into 3,993 bytes (RFC 8291, section 4), and a character
/// can have four; beside them are the fields' names, two ids and the URL.
const MAX_TITLE: usize = 120;
const MAX_BODY: usize = 400;
/// Where a tap leads that leads to no post: a path of the web client.
const LIST: &str = "/notifications";

/// What a push says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushWords {
    pub title: String,
    pub body: String,
    /// Where a tap leads.
    pub url: String,
    /// The users whose names may be in the words.
    pub named: Vec<Uuid>,
}

impl PushWords {
    /// What there is to say of a notification as it is now.
    pub fn of(notification: &Notification) -> Self {
        let about_post = notification.post_title.as_deref().or(notification.excerpt.as_deref());
        let text = notification.text();
        let (title, body) = match &notification.message_title {
            Some(title) => (title.as_str(), text.as_str()),
            None => (text.as_str(), about_post.unwrap_or_default()),
        };
        let url = match notification.excerpt {
            Some(_) => format!("/posts/{}", notification.subject_id),
            None => LIST.to_owned(),
        };
        let named = notification.actors.0.iter().map(|actor| actor.id).collect();
        Self { title: cut_title(title), body: cut_body(body), url, named }
    }
}

/// A title on one line, of at most the characters that a push has room for.
pub fn cut_title(title: &str) -> String {
    cut(title, MAX_TITLE)
}

/// The same for the text below it.
pub fn cut_body(body: &str) -> String {
    cut(body, MAX_BODY)
}

fn cut(text: &str, max: usize) -> String {
    let mut line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut kept: String = line.by_ref().take(max).collect();
    if line.next().is_some() {
        kept.pop();
        kept.push('…');
    }
    kept
}
