//! What the form of a case asks for: a decision of one action or several, how long that is, and when it is made.
use serde_json::{Value, json};

use super::fields::Fields;
use crate::ground::words::fill;
use crate::texts::Texts;

/// The most hours of a decision, and those until it is made: a year.
const MOST_HOURS: i64 = 8_784;
/// The fields of a decision, which a question about it hands on.
pub(super) const FIELDS: [&str; 11] =
    ["key", "action", "more", "time", "hours", "reason", "in_hours", "at", "public_note", "internal_note", "abusive"];
/// What is done to a content and what to its author: of each a decision has one at most.
const OF_CONTENTS: [&str; 3] = ["LIMIT", "HIDE", "REMOVE"];
const OF_AUTHORS: [&str; 3] = ["REQUIRE_APPROVAL", "MUTE", "BAN"];
/// What ends a case without anything besides.
pub(super) const ALONE: [&str; 2] = ["DISMISS", "RESTORE"];

/// A decision as the API takes it.
#[derive(Debug)]
pub(super) struct NewDecision {
    pub body: Value,
    /// Whether it is made later.
    pub is_scheduled: bool,
}

impl NewDecision {
    /// The decision of a form, or what is missing in it. It is made at once where nothing is said about when.
    pub fn of(fields: &Fields, t: &Texts) -> Result<Self, &'static str> {
        let mut body = at_once(fields, t)?;
        let is_scheduled = match (fields.get("in_hours").trim(), fields.get("at").trim()) {
            ("", "") => false,
            (hours, "") => {
                body["in_hours"] = json!(number_of_hours(hours).ok_or(t.wrong_hours)?);
                true
            }
            ("", _) => {
                body["at"] = fields.time("at");
                true
            }
            _ => return Err(t.one_due_time),
        };
        Ok(Self { body, is_scheduled })
    }

    /// The last part of the path that it is sent to.
    pub fn route(&self) -> &'static str {
        if self.is_scheduled { "scheduled-decisions" } else { "decisions" }
    }
}

/// When the decision of a form is made, in words; none where it is made at once.
pub(super) fn due(fields: &Fields, t: &Texts) -> Option<String> {
    match (fields.get("in_hours").trim(), fields.get("at").trim()) {
        ("", "") => None,
        (hours, "") => Some(fill(t.in_n_hours, &[hours])),
        (_, at) => Some(format!("{} UTC", at.replace('T', " "))),
    }
}

/// All that a form chooses, each once: what is done, and what besides.
pub(super) fn chosen(fields: &Fields) -> Vec<&str> {
    let mut actions = Vec::new();
    for action in [fields.get("action")].into_iter().chain(fields.all("more")) {
        if !action.is_empty() && !actions.contains(&action) {
            actions.push(action);
        }
    }
    actions
}

/// Why a decision is asked about before it is made; nothing where it can be taken back, or ends.
pub(super) fn irrevocable(fields: &Fields, t: &Texts) -> Vec<&'static str> {
    let actions = chosen(fields);
    let removes = actions.contains(&"REMOVE").then_some(t.sure_remove);
    let bans = (actions.contains(&"BAN") && fields.has("time", "permanent")).then_some(t.sure_ban);
    removes.into_iter().chain(bans).collect()
}

/// A decision that is made at once. How long it is, is chosen and never what is left over: an account is restricted for hours, or a ban for
/// good, and both are said. What is done to a content beside that has no end.
fn at_once(fields: &Fields, t: &Texts) -> Result<Value, &'static str> {
    let (actions, reason) = (chosen(fields), fields.get("reason"));
    if actions.is_empty() || reason.is_empty() {
        return Err(t.choose_action_and_reason);
    }
    let among = |kind: &[&str]| actions.iter().filter(|action| kind.contains(action)).count();
    if among(&OF_CONTENTS) > 1 || among(&OF_AUTHORS) > 1 || (among(&ALONE) > 0 && actions.len() > 1) {
        return Err(t.not_together);
    }
    let hours = match fields.get("time") {
        "hours" => Some(number_of_hours(fields.get("hours").trim()).ok_or(t.wrong_hours)?),
        _ => None,
    };
    let ends = !actions.contains(&"REMOVE") && among(&["LIMIT", "LOCK", "HIDE"]) > 0;
    let (of_author, of_content) = match (actions.iter().find(|action| OF_AUTHORS.contains(action)), hours) {
        (Some(_), Some(hours)) => (Some(hours), None),
        (Some(&"BAN"), None) if fields.has("time", "permanent") => (None, None),
        (Some(&"BAN"), None) => return Err(t.needs_time),
        (Some(_), None) => return Err(t.needs_hours),
        (None, Some(_)) if !ends => return Err(t.takes_no_time),
        (None, hours) => (None, hours),
    };
    let action = |name: &str| match of_author {
        Some(hours) if OF_AUTHORS.contains(&name) => json!({ "action": name, "hours": hours }),
        _ => json!({ "action": name }),
    };
    let actions: Vec<_> = actions.iter().map(|name| action(name)).collect();
    Ok(json!({
        "actions": actions, "reason": reason, "hours": of_content, "abusive": fields.has("abusive", "yes"),
        "public_note": fields.optional("public_note"), "internal_note": fields.optional("internal_note"),
    }))
}

fn number_of_hours(text: &str) -> Option<i64> {
    text.parse().ok().filter(|hours| (1..=MOST_HOURS).contains(hours))
}
