//! What one user can be to another, or to a post: how it is asked for, and how it ends.

use reqwest::Method;

use crate::system::{AUTH, ENGAGEMENT, Service};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    Connection,
    Block,
    Mute,
    /// Of a post.
    Hide,
    /// A user is not interested in a post.
    Disinterest,
    /// A user wants another one never to be recommended; it does not end.
    Dismissal,
}

impl Relation {
    /// Its name in the checks.
    pub fn name(self) -> &'static str {
        match self {
            Relation::Connection => "connection",
            Relation::Block => "block",
            Relation::Mute => "mute",
            Relation::Hide => "hide",
            Relation::Disinterest => "disinterest",
            Relation::Dismissal => "dismissal",
        }
    }

    /// The kind of request that makes it, and of the one that ends it.
    fn kinds(self) -> [&'static str; 2] {
        match self {
            Relation::Connection => ["connect", "disconnect"],
            Relation::Block => ["block", "unblock"],
            Relation::Mute => ["mute", "unmute"],
            Relation::Hide => ["hide", "show"],
            Relation::Disinterest => ["refuse post", "take back refusal"],
            Relation::Dismissal => ["dismiss", "dismiss"],
        }
    }

    /// Whether it is to a post, and not to a user.
    pub fn is_to_post(self) -> bool {
        matches!(self, Relation::Hide | Relation::Disinterest)
    }

    /// The request that makes it or ends it: its kind, its service, its method and its path.
    pub fn request(self, stands: bool, target: &str) -> (&'static str, &'static Service, Method, String) {
        let [makes, ends] = self.kinds();
        let kind = if stands { makes } else { ends };
        // A recommendation is deleted for good.
        let method = if stands && self != Relation::Dismissal { Method::POST } else { Method::DELETE };
        let (service, path) = match self {
            Relation::Connection => (&AUTH, format!("/users/{target}/{kind}")),
            Relation::Block => (&AUTH, format!("/users/{target}/block")),
            Relation::Mute => (&ENGAGEMENT, format!("/me/mutes/{target}")),
            Relation::Hide => (&ENGAGEMENT, format!("/posts/{target}/hide")),
            Relation::Disinterest => (&ENGAGEMENT, format!("/me/recommendations/posts/{target}/not-interested")),
            Relation::Dismissal => (&ENGAGEMENT, format!("/me/recommendations/people/{target}")),
        };
        (kind, service, method, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relation_is_made_and_ended_at_the_service_that_has_it() {
        let asked = |relation: Relation, stands| {
            let (kind, service, method, path) = relation.request(stands, "1");
            format!("{kind}: {method} {} {path}", service.noun)
        };
        assert_eq!(asked(Relation::Connection, true), "connect: POST auth /users/1/connect");
        assert_eq!(asked(Relation::Connection, false), "disconnect: DELETE auth /users/1/disconnect");
        assert_eq!(asked(Relation::Block, false), "unblock: DELETE auth /users/1/block");
        assert_eq!(asked(Relation::Mute, true), "mute: POST engagement /me/mutes/1");
        assert_eq!(asked(Relation::Hide, false), "show: DELETE engagement /posts/1/hide");
        let refused = "refuse post: POST engagement /me/recommendations/posts/1/not-interested";
        assert_eq!(asked(Relation::Disinterest, true), refused);
        assert_eq!(asked(Relation::Dismissal, true), "dismiss: DELETE engagement /me/recommendations/people/1");
    }
}
