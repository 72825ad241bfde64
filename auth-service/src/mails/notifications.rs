//! What a mail says about notifications: a sentence for each, in words of ours around names of users.
//!
//! A name is the only word of a user that gets into a mail, and mail programs make links of whatever looks like one: a user
//! who is called "Free money at evil.example" would have the platform carry an advertisement. So a name is cut to a length,
//! stays on its line, and gets a word joiner (U+2060), which takes no room, where two of its parts could be a link.
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use uuid::Uuid;

/// The longest name in a mail, in characters.
const NAME: usize = 60;
/// The longest text of the platform about a notification, in characters.
const TEXT: usize = 500;
/// Users that a sentence names; the others are counted.
const NAMED: usize = 2;
/// What keeps two parts of a word together and makes no link of them.
const WORD_JOINER: char = '\u{2060}';

/// What a notification is about, in the words of the engagement service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NotificationType {
    PostReactionReceived,
    PostCommentReceived,
    ConnectionRecommendation,
    PostRecommendation,
    SystemMessage,
    ProfileActivity,
    UserConnected,
    UserMentioned,
    CommentReply,
    CommentReactionReceived,
    /// One that this version does not know.
    #[serde(other)]
    Other,
}

impl NotificationType {
    /// The subject of a mail about one of them. No name is in it.
    pub fn subject(self) -> &'static str {
        match self {
            Self::PostReactionReceived => "A reaction to your post",
            Self::PostCommentReceived => "A comment on your post",
            Self::ConnectionRecommendation => "People you may know",
            Self::PostRecommendation => "A post that you may like",
            Self::SystemMessage => "A message of the platform",
            Self::ProfileActivity => "Your level of engagement has changed",
            Self::UserConnected => "A new connection",
            Self::UserMentioned => "You were mentioned",
            Self::CommentReply => "A reply to your comment",
            Self::CommentReactionReceived => "A reaction to your comment",
            Self::Other => "A notification",
        }
    }

    /// What there is to say, of these users or of none.
    fn sentence(self, actors: &str) -> String {
        match self {
            Self::PostReactionReceived => format!("{actors} reacted to your post."),
            Self::PostCommentReceived => format!("{actors} commented on your post."),
            Self::ConnectionRecommendation => format!("You may know {actors}."),
            Self::PostRecommendation => "There is a post that you may like.".to_owned(),
            Self::ProfileActivity => "Your level of engagement has changed.".to_owned(),
            Self::UserConnected => format!("{actors} connected to you."),
            Self::UserMentioned => format!("{actors} mentioned you."),
            Self::CommentReply => format!("{actors} replied to your comment."),
            Self::CommentReactionReceived => format!("{actors} reacted to your comment."),
            Self::SystemMessage | Self::Other => "You have a notification.".to_owned(),
        }
    }
}

/// A notification that a mail is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailedNotification {
    pub r#type: NotificationType,
    /// Who caused it, the newest first.
    #[serde(default)]
    pub actor_ids: Vec<Uuid>,
    /// How many users caused it.
    #[serde(default)]
    pub people: i64,
    /// What the platform says, where it does.
    pub text: Option<String>,
    /// The post that it is about.
    pub post_id: Option<Uuid>,
}

/// A notification in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailLine {
    pub text: String,
    pub post_id: Option<Uuid>,
}

/// The notifications in words. `names` has the users that the reader may read of, with their names where they have one. What
/// others caused, none of which is in it, is not worth a line: they have left, or were blocked.
pub fn lines(items: &[MailedNotification], names: &HashMap<Uuid, Option<String>>) -> Vec<MailLine> {
    let line = |item: &MailedNotification| {
        let known: Vec<_> = item.actor_ids.iter().filter_map(|id| names.get(id)).collect();
        if known.is_empty() && !item.actor_ids.is_empty() {
            return None;
        }
        let text = match &item.text {
            Some(text) => plain(text, TEXT),
            None => item.r#type.sentence(&actors(&known, item.people)),
        };
        Some(MailLine { text, post_id: item.post_id })
    };
    items.iter().filter_map(line).collect()
}

/// Users in words: the first two by their names, the others by their number.
fn actors(known: &[&Option<String>], people: i64) -> String {
    let named: Vec<String> = known
        .iter()
        .filter_map(|name| name.as_deref())
        .map(|name| plain(name, NAME))
        .filter(|name| !name.is_empty())
        .collect();
    let named = &named[..named.len().min(NAMED)];
    let others = usize::try_from(people).unwrap_or_default().max(1).saturating_sub(named.len());
    match (named, others) {
        ([], 1) => "Somebody".to_owned(),
        ([], others) => format!("{others} people"),
        ([only], 0) => only.clone(),
        (named, 0) => named.join(" and "),
        (named, 1) => format!("{} and one other", named.join(", ")),
        (named, others) => format!("{} and {others} others", named.join(", ")),
    }
}

/// A text of at most `max` characters on one line, in which mail programs find no link.
fn plain(text: &str, max: usize) -> String {
    let is_shown = |c: &char| {
        c.is_whitespace() || !matches!(c.general_category(), GeneralCategory::Control | GeneralCategory::Format)
    };
    let shown: String = text.chars().filter(is_shown).collect();
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut plain = String::new();
    let mut characters = words.chars().take(max).peekable();
    while let Some(character) = characters.next() {
        plain.push(character);
        let joins = !character.is_alphanumeric() && !character.is_whitespace();
        if joins && characters.peek().is_some_and(|next| !next.is_whitespace()) {
            plain.push(WORD_JOINER);
        }
    }
    if words.chars().nth(max).is_some() {
        plain.push('…');
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(r#type: NotificationType, names: &[Option<&str>], people: i64) -> Option<String> {
        let ids: Vec<Uuid> = names.iter().map(|_| Uuid::now_v7()).collect();
        let known = ids.iter().copied().zip(names.iter().map(|name| name.map(str::to_owned))).collect();
        let item = MailedNotification { r#type, actor_ids: ids, people, text: None, post_id: None };
        lines(&[item], &known).pop().map(|line| line.text)
    }

    #[test]
    fn two_are_named_and_the_others_counted() {
        use NotificationType::{PostReactionReceived, ProfileActivity};
        for (names, people, expected) in [
            (&[Some("Anna Berg")][..], 1, "Anna Berg"),
            (&[Some("Anna"), Some("Bert")], 2, "Anna and Bert"),
            (&[Some("Anna"), Some("Bert"), Some("Carl")], 3, "Anna, Bert and one other"),
            (&[Some("Anna"), Some("Bert"), Some("Carl")], 13, "Anna, Bert and 11 others"),
            (&[None, Some("Bert")], 2, "Bert and one other"),
            (&[None], 1, "Somebody"),
            (&[None, None], 7, "7 people"),
        ] {
            let expected = format!("{expected} reacted to your post.");
            assert_eq!(said(PostReactionReceived, names, people), Some(expected));
        }
        assert_eq!(said(ProfileActivity, &[], 0).unwrap(), "Your level of engagement has changed.");
    }

    /// The words that the engagement service has for what others do.
    #[test]
    fn each_type_that_others_cause_has_its_words() {
        for (word, subject, sentence) in [
            ("POST_REACTION_RECEIVED", "A reaction to your post", "Anna reacted to your post."),
            ("POST_COMMENT_RECEIVED", "A comment on your post", "Anna commented on your post."),
            ("CONNECTION_RECOMMENDATION", "People you may know", "You may know Anna."),
            ("USER_CONNECTED", "A new connection", "Anna connected to you."),
            ("USER_MENTIONED", "You were mentioned", "Anna mentioned you."),
            ("COMMENT_REPLY", "A reply to your comment", "Anna replied to your comment."),
            ("COMMENT_REACTION_RECEIVED", "A reaction to your comment", "Anna reacted to your comment."),
        ] {
            let kind: NotificationType = serde_json::from_value(word.into()).unwrap();
            assert_eq!(kind.subject(), subject);
            assert_eq!(said(kind, &[Some("Anna")], 1).unwrap(), sentence);
        }
    }

    #[test]
    fn of_users_who_have_left_no_line_is_left() {
        let item = |actors: Vec<Uuid>, text: Option<&str>| MailedNotification {
            r#type: NotificationType::UserConnected,
            actor_ids: actors,
            people: 1,
            text: text.map(str::to_owned),
            post_id: None,
        };
        let names = HashMap::from([(Uuid::nil(), Some("Anna".to_owned()))]);
        let items =
            [item(vec![Uuid::now_v7()], None), item(vec![Uuid::nil()], None), item(vec![], Some("Back at noon."))];
        let texts: Vec<_> = lines(&items, &names).into_iter().map(|line| line.text).collect();
        assert_eq!(texts, ["Anna connected to you.", "Back at noon."]);
    }

    #[test]
    fn a_name_is_no_link_and_stays_on_its_line() {
        for (name, expected) in [
            ("Anna\r\nBcc: all@example.com", "Anna Bcc: all@\u{2060}example.\u{2060}com"),
            ("Win https://evil.example", "Win https:\u{2060}/\u{2060}/\u{2060}evil.\u{2060}example"),
            ("A. B. Berg", "A. B. Berg"),
            ("\u{202e}anna\u{200b}", "anna"),
            (&"x".repeat(100), &format!("{}…", "x".repeat(60))),
        ] {
            assert_eq!(plain(name, NAME), expected);
        }
    }
}
