//! What a decision means for each of its subjects, and what its author reads about it.
use chrono::TimeDelta;

use super::NewDecision;
use super::models::Decision;
use super::schemas::NoticeKind;
use crate::core::contract::timestamp::Timestamp;
use crate::subjects::actions::Action;
use crate::subjects::changes::{Actor, Ruling};
use crate::subjects::means::AutomatedMeans;
use crate::subjects::reasons::Family;
use crate::subjects::{Standing, SubjectType};

/// How long a decision can be appealed, in days: the six months of the Digital Services Act, article 20.
pub const APPEAL_DAYS: i64 = 183;

impl NewDecision {
    /// Whether a person decides.
    pub fn is_by_person(&self) -> bool {
        matches!(self.actor, Actor::Moderator(_))
    }

    /// Whether an action is that of a rule that removes spam: the one thing that a machine deletes for good.
    pub fn removes_spam(&self, action: &Action) -> bool {
        *action == Action::Remove && self.policy.is_some() && self.reason.family() == Family::Spam
    }

    /// Whether it restricts anything, or only closes a review or ends other decisions.
    pub fn restricts(&self) -> bool {
        self.actions.iter().any(|action| action.is_about_content() || action.is_about_author())
    }

    /// Whether it warns, mutes or bans the author.
    pub fn is_about_author(&self) -> bool {
        self.actions.iter().any(Action::is_about_author)
    }

    /// Until when what it does to a content is in force.
    pub fn expires_at(&self, at: Timestamp) -> Option<Timestamp> {
        let is_about_content = self.actions.iter().any(Action::is_about_content);
        self.hours.filter(|_| is_about_content).map(|hours| after_hours(at, hours))
    }

    /// What becomes of the account, and until when.
    pub fn standing(&self, at: Timestamp) -> Option<(Standing, Option<Timestamp>)> {
        let strictest = self.actions.iter().filter_map(Action::standing).max_by_key(|(standing, _)| *standing);
        strictest.map(|(standing, hours)| (standing, hours.map(|hours| after_hours(at, hours))))
    }
}

fn after_hours(at: Timestamp, hours: i32) -> Timestamp {
    Timestamp(at.0 + TimeDelta::hours(hours.into()))
}

impl Decision {
    fn ruling(&self) -> Ruling {
        Ruling {
            decision: self.id,
            actions: self.actions.clone(),
            reason: self.reason,
            automated: self.moderator.is_none(),
            policy: self.policy.clone(),
            visibility: None,
            labels: Vec::new(),
            locked: false,
            expires_at: None,
            standing: None,
            standing_until: None,
        }
    }

    /// What it makes of the content.
    pub fn for_content(&self) -> Ruling {
        let labels = self.actions.iter().filter_map(|action| match action {
            Action::Label { label } => Some(label.clone()),
            _ => None,
        });
        Ruling {
            visibility: self.actions.iter().filter_map(Action::visibility).max(),
            labels: labels.collect(),
            locked: self.actions.contains(&Action::Lock),
            expires_at: self.expires_at,
            ..self.ruling()
        }
    }

    /// What it makes of the author's account.
    pub fn for_author(&self) -> Ruling {
        let standing = self.actions.iter().filter_map(Action::standing).map(|(standing, _)| standing).max();
        Ruling { standing, standing_until: self.standing_until, ..self.ruling() }
    }

    /// Whether its end may concern the author's account: what a machine has decided is about the content alone, and no strike. So
    /// contents whose decisions end together lock no accounts in between.
    pub fn concerns_account(&self) -> bool {
        self.moderator.is_some()
    }

    /// Whether it is a strike against the author: a moderator has hidden or removed what they wrote.
    pub fn is_strike(&self) -> bool {
        self.moderator.is_some() && self.actions.iter().any(|action| matches!(action, Action::Hide | Action::Remove))
    }

    /// Whether a machine has found what it is about. Decisions from before there was that are known by their analyses.
    pub fn is_found_by_machine(&self) -> bool {
        self.found_by_machine.unwrap_or(self.analysis.is_some() || self.moderator.is_none())
    }

    /// The facts that it relies on, in words: what a moderator wrote to the author, or what a machine found.
    pub fn facts(&self) -> Option<String> {
        let found = || self.means.as_ref().and_then(AutomatedMeans::sentence);
        self.public_note.clone().or_else(found)
    }

    /// Until when it can be appealed.
    pub fn appeal_until(&self) -> Timestamp {
        Timestamp(self.at.0 + TimeDelta::days(APPEAL_DAYS))
    }

    /// What its author reads: kind, title and text of the notice; none when nothing happens to them.
    pub fn notice(&self) -> Option<(NoticeKind, String, String)> {
        let what = self.what();
        let done: Vec<String> = self.actions.iter().filter_map(|action| self.describe(action, what)).collect();
        let first = done.first()?;
        let only_warns = self.actions.iter().all(|action| *action == Action::Warn);
        let kind = if only_warns { NoticeKind::Warning } else { NoticeKind::Statement };
        let ground = match self.strikes {
            Some(strikes) => format!("Your strikes have added up to {strikes} or more."),
            None => format!("The reason: {} ({}).", self.reason.sentence(), self.reason.word()),
        };
        let origin = match (self.moderator, self.strikes) {
            (None, _) if self.is_found_by_machine() => "It was found and decided automatically.",
            (None, _) => "It was decided automatically.",
            (_, Some(_)) => "It follows from what moderators have decided about your posts and comments.",
            _ => "A moderator has decided this.",
        };
        let until = self.appeal_until().0.format("%-d %B %Y");
        let note = self.facts().map(|facts| format!(" {facts}")).unwrap_or_default();
        let text = format!("{} {ground} {origin}{note} You can appeal until {until}.", done.join(" "));
        Some((kind, first.trim_end_matches('.').to_owned(), text))
    }

    /// What its author reads when it is taken back: title and text.
    pub fn taken_back(&self) -> (String, String) {
        let what = self.what();
        let until = self.at.0.format("%-d %B %Y");
        let back = if self.actions.contains(&Action::Remove) {
            "What was removed cannot be brought back, but the decision no longer counts against you."
        } else {
            "It has no effect any more, and no longer counts against you."
        };
        (
            format!("A decision about your {what} was taken back"),
            format!("We have taken back our decision of {until} about your {what}. {back}"),
        )
    }

    /// What its author reads when a machine would not make it again: title and text.
    pub fn reread(&self) -> (String, String) {
        let (what, until) = (self.what(), self.at.0.format("%-d %B %Y"));
        (
            format!("A decision about your {what} has ended"),
            format!(
                "Your {what} was read again, and our decision of {until} about it has ended. It has no effect any more."
            ),
        )
    }

    /// What it is about, as a word to the author.
    fn what(&self) -> &'static str {
        match self.key.r#type {
            SubjectType::Post => "post",
            SubjectType::Comment => "comment",
            SubjectType::Media => "picture",
            SubjectType::User => "account",
        }
    }

    /// What an action has done, as a sentence to the author; none when it does nothing to them.
    fn describe(&self, action: &Action, what: &str) -> Option<String> {
        let until = |end: Option<Timestamp>| {
            end.map(|end| format!(" until {}", end.0.format("%-d %B %Y, %H:%M UTC"))).unwrap_or_default()
        };
        Some(match action {
            Action::Allow | Action::Restore | Action::Dismiss => return None,
            Action::Label { label } => format!("Your {what} was labelled \"{label}\"{}.", until(self.expires_at)),
            Action::Limit => format!("Your {what} is shown in no feed{}.", until(self.expires_at)),
            Action::Lock => format!("Nobody can comment on your {what} any more{}.", until(self.expires_at)),
            Action::Hold => format!("Your {what} is hidden until a moderator has looked at it."),
            Action::Hide => format!("Your {what} was hidden{}.", until(self.expires_at)),
            Action::Remove => format!("Your {what} was removed."),
            Action::Warn => "You were warned.".to_owned(),
            Action::RequireApproval { .. } => {
                format!("What you publish is looked at before others see it{}.", until(self.standing_until))
            }
            Action::Mute { .. } => format!("You cannot write{}.", until(self.standing_until)),
            Action::Ban { hours: Some(_) } => format!("Your account is banned{}.", until(self.standing_until)),
            Action::Ban { hours: None } => "Your account is banned for good.".to_owned(),
        })
    }
}
