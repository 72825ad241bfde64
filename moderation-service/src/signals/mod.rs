//! Signals: what can be said about a content beside what the text model reads in it, each in a file of its own.
//!
//! From the text alone: [`evasions`](crate::disguises::evasions), [`language`], [`links`], [`shapes`]. From what is known beside it (`models.rs`):
//! near-duplicates of other texts by [`similarity`], how much the author writes, how old the account is, and whether a moderator
//! wants to see first what it publishes. A signal decides nothing; the rules of policies do. [`NUMBERS`] has the names by which rules use them.
pub mod events;
pub mod language;
pub mod links;
pub mod models;
pub mod pictures;
pub mod schedulers;
mod schemas;
pub mod shapes;
pub mod similarity;
pub mod surroundings;
mod views;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;
use crate::disguises::evasions::Evasion;
use crate::moderations::services::Finding;
use crate::signals::language::detect_language;
use crate::signals::links::LinkCounts;
use crate::signals::pictures::PictureSignals;
use crate::signals::shapes::Shape;
use crate::signals::surroundings::Surroundings;
use crate::subjects::reasons::ContractReason;

/// How often an administrator may read and change the rules about domains.
pub const DOMAINS_LIMIT: Limit = Limit {
    name: "moderation_domains",
    routes: &[
        "GET /api/v1/moderation/domains",
        "GET /api/v1/moderation/domains/{domain}",
        "PUT /api/v1/moderation/domains/{domain}",
        "DELETE /api/v1/moderation/domains/{domain}",
    ],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of the rules about domains.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::get_domain_rules)).routes(routes!(
        views::get_domain_rule,
        views::put_domain_rule,
        views::delete_domain_rule
    ))
}

/// All signals of a content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Signals {
    /// The worst word of the word lists, where there is one.
    pub lexicon: Option<Finding>,
    /// The disguises that were undone, the kinds in order.
    pub evasions: Vec<Evasion>,
    /// ISO 639-3, or `short` or `und`
    pub language: String,
    pub links: LinkCounts,
    #[serde(flatten)]
    pub shape: Shape,
    #[serde(flatten)]
    pub surroundings: Surroundings,
    /// Whether the text was too long to be read whole: its beginning, its end and parts between them were. Analyses of before there was that
    /// do not say
    #[serde(default)]
    pub read_in_part: bool,
    /// Of a picture, which has no text
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub picture: Option<PictureSignals>,
}

/// Reads a number of the signals; none where it is unknown, and then no comparison with it holds.
type Number = fn(&Signals) -> Option<f64>;

/// The signals that are numbers, by the names that rules use.
pub const NUMBERS: &[(&str, Number)] = &[
    ("lexicon_racism", |signals| Some(signals.severity_of(ContractReason::Racism))),
    ("lexicon_sexual", |signals| Some(signals.severity_of(ContractReason::Nudity))),
    ("lexicon_offensive", |signals| Some(signals.severity_of(ContractReason::OffensiveContent))),
    ("lexicon_attack", |signals| Some(signals.severity_of(ContractReason::RulesViolation))),
    ("evasions", |signals| Some(count(signals.evasions.len()))),
    ("links", |signals| Some(f64::from(signals.links.count))),
    ("shortened_links", |signals| Some(f64::from(signals.links.shortened))),
    ("blocked_links", |signals| Some(f64::from(signals.links.blocked))),
    ("warned_links", |signals| Some(f64::from(signals.links.warned))),
    ("allowed_links", |signals| Some(f64::from(signals.links.allowed))),
    ("repetition", |signals| Some(signals.shape.repetition)),
    ("uppercase", |signals| Some(signals.shape.uppercase)),
    ("mentions", |signals| Some(f64::from(signals.shape.mentions))),
    ("duplicates", |signals| Some(whole(signals.surroundings.duplicates))),
    ("duplicate_authors", |signals| Some(whole(signals.surroundings.duplicate_authors))),
    ("velocity", |signals| Some(whole(signals.surroundings.velocity))),
    ("account_age_hours", |signals| signals.surroundings.account_age_hours),
    ("approval_required", |signals| Some(f64::from(u8::from(signals.surroundings.approval_required)))),
    ("read_in_part", |signals| Some(f64::from(u8::from(signals.read_in_part)))),
    ("blocked_pictures", |signals| signals.picture.map(|picture| f64::from(u8::from(picture.blocked.is_some())))),
    ("nudity", |signals| signals.picture.and_then(|picture| picture.nudity)),
];

impl Signals {
    /// The signals of a picture. Its text is empty: as short as can be, in no language.
    pub fn of_picture(picture: PictureSignals) -> Self {
        Self {
            lexicon: None,
            evasions: Vec::new(),
            language: detect_language("").to_owned(),
            links: LinkCounts::default(),
            shape: Shape::default(),
            surroundings: Surroundings::default(),
            read_in_part: false,
            picture: Some(picture),
        }
    }

    fn severity_of(&self, reason: ContractReason) -> f64 {
        self.lexicon.as_ref().filter(|found| found.reason == reason).map_or(0.0, |found| found.severity)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a text are small")]
fn count(of: usize) -> f64 {
    of as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts of contents are small")]
fn whole(of: i64) -> f64 {
    of as f64
}
