//! Comments, replies, mentions and reactions to comments of a history, and who is notified of them.
use std::collections::BTreeSet;

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IteratorRandom;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{CommentReaction, Groups, History, PEOPLE, Reply, at};

/// The username of a person, which no one else has.
pub fn username(id: Uuid) -> String {
    format!("P{}", id.simple())
}

/// The people that a text mentions, by their places.
pub fn some_people(dice: &mut StdRng) -> BTreeSet<usize> {
    (0..PEOPLE).filter(|_| dice.random_bool(0.15)).collect()
}

impl History {
    /// The facets of a text that mentions these people.
    pub(super) fn facets(&self, mentions: &BTreeSet<usize>) -> Value {
        let facet = |person: &usize| {
            json!({ "kind": "MENTION", "value": username(self.people[*person]), "byte_start": 0, "byte_end": 1,
                "utf16_start": 0, "utf16_end": 1 })
        };
        mentions.iter().map(facet).collect()
    }

    /// Comments on a post, or in the thread of another comment on it.
    pub(super) fn comment(&mut self, dice: &mut StdRng, by: usize, post: usize) {
        let begins_thread = |place: &usize| {
            let reply = &self.replies[*place];
            reply.is_comment && !reply.gone && reply.post == post && reply.first.is_none()
        };
        let first = (0..self.replies.len()).filter(begins_thread).choose(dice).filter(|_| dice.random_bool(0.5));
        let (id, mentions, now) = (Uuid::from_u128(dice.random()), some_people(dice), self.now);
        self.replies.push(Reply {
            id,
            post,
            by,
            at: now,
            version: now,
            is_comment: true,
            first,
            mentions,
            gone: false,
        });
        self.report_reply(self.replies.len() - 1, "post_comment_created");
    }

    /// Changes the people that a comment mentions.
    pub(super) fn edit_comment(&mut self, dice: &mut StdRng) {
        let standing = (0..self.replies.len()).filter(|place| {
            let reply = &self.replies[*place];
            reply.is_comment && !reply.gone
        });
        let Some(place) = standing.choose(dice) else { return };
        (self.replies[place].mentions, self.replies[place].version) = (some_people(dice), self.now);
        self.report_reply(place, "post_comment_updated");
    }

    /// Puts an event of a comment or reaction into a stream.
    pub(super) fn report_reply(&mut self, reply: usize, stream: &'static str) {
        let Reply { id, post, by, at: made, version, is_comment, first, ref mentions, .. } = self.replies[reply];
        let mut message = json!({ "id": id, "created_at": at(made), "created_by": self.people[by], "updated_at": at(version),
            "updated_by": null, "post_id": self.posts[post].id });
        if is_comment {
            message["content"] = json!("x");
            message["facets"] = self.facets(mentions);
        } else {
            message["type"] = json!("LIKE");
        }
        if let Some(first) = first {
            message["reply_to"] = json!(self.replies[first].id);
        }
        self.events.push((stream, message));
    }

    /// Reacts to a comment, or takes the reaction of before back.
    pub(super) fn react_to_comment(&mut self, dice: &mut StdRng, by: usize) {
        let standing = (0..self.replies.len()).filter(|place| {
            let reply = &self.replies[*place];
            reply.is_comment && !reply.gone && self.sees(by, reply.post)
        });
        let Some(comment) = standing.choose(dice) else { return };
        let is_own = |reaction: &CommentReaction| reaction.comment == comment && reaction.by == by;
        if self.comment_reactions.iter().any(|reaction| is_own(reaction) && !reaction.gone) {
            return self.end_comment_reactions(is_own);
        }
        let (id, at) = (Uuid::from_u128(dice.random()), self.now);
        self.comment_reactions.push(CommentReaction { id, comment, by, at, gone: false });
        self.report_comment_reaction(self.comment_reactions.len() - 1, "comment_reaction_created");
    }

    /// Ends those of the reactions to comments that stand.
    pub(super) fn end_comment_reactions(&mut self, which: impl Fn(&CommentReaction) -> bool) {
        for place in 0..self.comment_reactions.len() {
            if which(&self.comment_reactions[place]) && !self.comment_reactions[place].gone {
                self.comment_reactions[place].gone = true;
                self.report_comment_reaction(place, "comment_reaction_deleted");
            }
        }
    }

    fn report_comment_reaction(&mut self, reaction: usize, stream: &'static str) {
        let CommentReaction { id, comment, by, at: made, .. } = self.comment_reactions[reaction];
        let Reply { id: comment_id, post, .. } = self.replies[comment];
        let message = json!({ "id": id, "created_at": at(made), "created_by": self.people[by], "updated_at": at(made),
            "updated_by": null, "comment_id": comment_id, "post_id": self.posts[post].id, "type": "LIKE" });
        self.events.push((stream, message));
    }

    /// Ends a comment or reaction; the thread of a comment and the reactions to it end with it.
    pub(super) fn end(&mut self, reply: usize) {
        self.replies[reply].gone = true;
        let stream = if self.replies[reply].is_comment { "post_comment_deleted" } else { "post_reaction_deleted" };
        self.report_reply(reply, stream);
        self.end_comment_reactions(|reaction| reaction.comment == reply);
        for place in 0..self.replies.len() {
            if self.replies[place].first == Some(reply) && !self.replies[place].gone {
                self.end(place);
            }
        }
    }

    /// What a person is notified of because of texts and reactions. A reply to a comment of the post's author is a reply to them, and no
    /// comment on their post as well; and what lies under the post of one whom the reader does not see is not for them.
    pub(super) fn notify_of_texts(&self, recipient: usize, groups: &mut Groups) {
        let mut notify = |kind, post: usize, actor: usize| {
            groups.entry((kind, Some(self.posts[post].id))).or_default().insert(self.people[actor]);
        };
        for (place, post) in self.posts.iter().enumerate().filter(|(place, _)| self.sees(recipient, *place)) {
            if post.mentions.contains(&recipient) && self.is_welcome(recipient, post.by) {
                notify("USER_MENTIONED", place, post.by);
            }
        }
        for reply in &self.replies {
            if reply.gone || !self.is_welcome(recipient, reply.by) || !self.sees(recipient, reply.post) {
                continue;
            }
            let answered = reply.first.map(|first| self.replies[first].by);
            if answered == Some(recipient) {
                notify("COMMENT_REPLY", reply.post, reply.by);
            } else if self.posts[reply.post].by == recipient {
                let kind = if reply.is_comment { "POST_COMMENT_RECEIVED" } else { "POST_REACTION_RECEIVED" };
                notify(kind, reply.post, reply.by);
            }
            if reply.mentions.contains(&recipient) {
                notify("USER_MENTIONED", reply.post, reply.by);
            }
        }
    }

    /// What a person is notified of because of reactions to their comments.
    pub(super) fn notify_of_comment_reactions(&self, recipient: usize, groups: &mut Groups) {
        for reaction in self.comment_reactions.iter().filter(|reaction| !reaction.gone) {
            let comment = &self.replies[reaction.comment];
            if comment.by == recipient && self.sees(recipient, comment.post) && self.is_welcome(recipient, reaction.by)
            {
                let group = ("COMMENT_REACTION_RECEIVED", Some(self.posts[comment.post].id));
                groups.entry(group).or_default().insert(self.people[reaction.by]);
            }
        }
    }

    /// Whether a person is notified of what another one does.
    pub(super) fn is_welcome(&self, recipient: usize, actor: usize) -> bool {
        actor != recipient && !self.apart(actor, recipient) && !self.mutes.contains(&(recipient, actor))
    }
}
