//! What machines found in a text or a picture, and which rules judged it, as moderators see it.
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::moderation::percent;
use crate::ground::assets::hash;
use crate::ground::words::{fill, plain};
use crate::texts::Texts;

/// An analysis of one version of a content.
#[derive(Clone, Debug, Deserialize)]
pub struct Analysis {
    pub at: DateTime<Utc>,
    /// SHA-256 of the text that was read, in hexadecimal digits.
    pub content_hash: String,
    /// `none` where the word lists decided alone.
    pub model_version: String,
    #[serde(default)]
    pub scores: Option<BTreeMap<String, f64>>,
    #[serde(default)]
    pub thresholds: Option<BTreeMap<String, Threshold>>,
    pub signals: TextSignals,
    #[serde(default)]
    pub spans: Vec<WeighedSpan>,
    #[serde(default)]
    pub explanation_pending: bool,
    /// Whether some of the text was left out of the search for what weighs.
    #[serde(default)]
    pub explained_in_part: bool,
    /// The text without its disguises.
    pub normalised: Option<String>,
    #[serde(default)]
    pub matched: Vec<MatchedRule>,
    pub verdict: String,
    pub severity: f64,
}

/// From where on a score means something.
#[derive(Clone, Debug, Deserialize)]
pub struct Threshold {
    pub label: f64,
    pub hide: Option<f64>,
}

/// Characters of a text that weigh in a score.
#[derive(Clone, Debug, Deserialize)]
pub struct WeighedSpan {
    pub head: String,
    pub start: usize,
    pub end: usize,
}

/// A rule that matched.
#[derive(Clone, Debug, Deserialize)]
pub struct MatchedRule {
    pub version: i64,
    pub mode: String,
    pub rule: String,
    pub outcome: String,
    pub reason: String,
}

impl MatchedRule {
    /// The rule and the version of its policy.
    pub fn in_full(&self, t: &Texts) -> String {
        fill(t.rule_of_version, &[&self.rule, &self.version.to_string()])
    }
}

/// What can be said of a text or a picture beside what a model reads in it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct TextSignals {
    pub lexicon: Option<LexiconFinding>,
    #[serde(default)]
    pub evasions: Vec<String>,
    #[serde(default)]
    pub language: String,
    #[serde(default)]
    pub links: LinkSignals,
    #[serde(default)]
    pub uppercase: f64,
    #[serde(default)]
    pub repetition: f64,
    #[serde(default)]
    pub mentions: i64,
    #[serde(default)]
    pub duplicates: i64,
    #[serde(default)]
    pub duplicate_authors: i64,
    #[serde(default)]
    pub velocity: i64,
    pub account_age_hours: Option<f64>,
    #[serde(default)]
    pub approval_required: bool,
    /// Whether the text was too long to be read whole.
    #[serde(default)]
    pub read_in_part: bool,
    pub picture: Option<PictureFinding>,
}

impl TextSignals {
    /// Each signal that says something, with its name in a language.
    pub fn rows(&self, t: &Texts) -> Vec<(&'static str, String)> {
        let number = |name: &'static str, number: i64| (number > 0).then(|| (name, number.to_string()));
        let share = |name: &'static str, share: f64| (share > 0.0).then(|| (name, format!("{} %", percent(share))));
        let list = |name: &'static str, words: &[String]| (!words.is_empty()).then(|| (name, words.join(", ")));
        let links = &self.links;
        let evasions: Vec<_> = self.evasions.iter().map(|evasion| plain(evasion)).collect();
        let picture = self.picture.as_ref();
        let rows = [
            (!self.language.is_empty()).then(|| (t.sig_language, self.language.clone())),
            self.lexicon.as_ref().map(|found| {
                (t.sig_lexicon, format!("{} ({} %)", t.reason_of(&found.reason), percent(found.severity)))
            }),
            list(t.sig_evasions, &evasions),
            number(t.sig_links, links.count),
            number(t.sig_shortened, links.shortened),
            number(t.sig_blocked, links.blocked),
            number(t.sig_warned, links.warned),
            list(t.sig_domains, &links.domains),
            share(t.sig_uppercase, self.uppercase),
            share(t.sig_repetition, self.repetition),
            number(t.sig_mentions, self.mentions),
            number(t.sig_duplicates, self.duplicates),
            number(t.sig_duplicate_authors, self.duplicate_authors),
            number(t.sig_velocity, self.velocity),
            self.account_age_hours.map(|hours| (t.sig_account_age, format!("{hours:.0}"))),
            self.approval_required.then(|| (t.sig_approval, t.yes.to_owned())),
            picture.and_then(|found| found.blocked.as_ref()).map(|copy| (t.sig_copy, copy.distance.to_string())),
            picture.and_then(|found| found.nudity).and_then(|nudity| share(t.sig_nudity, nudity)),
        ];
        rows.into_iter().flatten().collect()
    }
}

/// The worst word of the word lists.
#[derive(Clone, Debug, Deserialize)]
pub struct LexiconFinding {
    pub reason: String,
    pub severity: f64,
}

/// The links of a text in numbers.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct LinkSignals {
    #[serde(default)]
    pub count: i64,
    #[serde(default)]
    pub shortened: i64,
    #[serde(default)]
    pub blocked: i64,
    #[serde(default)]
    pub warned: i64,
    #[serde(default)]
    pub domains: Vec<String>,
}

/// What was found in a picture.
#[derive(Clone, Debug, Deserialize)]
pub struct PictureFinding {
    pub blocked: Option<RecognisedCopy>,
    pub nudity: Option<f64>,
}

/// How far a picture is from the blocked one that it is taken for.
#[derive(Clone, Debug, Deserialize)]
pub struct RecognisedCopy {
    pub distance: i64,
}

/// A score beside its thresholds, in hundredths.
#[derive(Debug, PartialEq, Eq)]
pub struct HeadScore {
    pub head: String,
    pub score: i64,
    pub label: Option<i64>,
    pub hide: Option<i64>,
}

/// A part of a text, and the scores that it raises; none of most parts.
#[derive(Debug, PartialEq, Eq)]
pub struct MarkedText<'a> {
    pub words: &'a str,
    pub heads: String,
}

impl Analysis {
    pub fn percent(&self) -> i64 {
        percent(self.severity)
    }

    /// The scores, the highest first.
    pub fn heads(&self) -> Vec<HeadScore> {
        let threshold = |head: &str| self.thresholds.as_ref().and_then(|known| known.get(head));
        let scores = self.scores.iter().flatten().map(|(head, score)| HeadScore {
            head: head.clone(),
            score: percent(*score),
            label: threshold(head).map(|threshold| percent(threshold.label)),
            hide: threshold(head).and_then(|threshold| threshold.hide).map(percent),
        });
        let mut scores: Vec<_> = scores.collect();
        scores.sort_by_key(|head| std::cmp::Reverse(head.score));
        scores
    }

    /// The text with what weighs in its scores; nothing where another text was read, or no part of it weighs.
    pub fn marks<'a>(&self, text: &'a str) -> Vec<MarkedText<'a>> {
        if self.spans.is_empty() || hash(text.as_bytes()) != self.content_hash {
            return Vec::new();
        }
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let byte = |character: usize| places.get(character).copied().unwrap_or(text.len());
        let ends = self.spans.iter().flat_map(|span| [byte(span.start), byte(span.end)]);
        let mut cuts: Vec<usize> = ends.chain([0, text.len()]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let piece = |from: usize, to: usize| {
            let covers = |span: &&WeighedSpan| byte(span.start) <= from && to <= byte(span.end);
            let mut heads: Vec<_> = self.spans.iter().filter(covers).map(|span| span.head.as_str()).collect();
            heads.sort_unstable();
            heads.dedup();
            MarkedText { words: &text[from..to], heads: heads.join(", ") }
        };
        cuts.windows(2).map(|cut| piece(cut[0], cut[1])).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn analysis(text: &str, spans: &serde_json::Value) -> Analysis {
        let analysis = json!({
            "at": "2026-11-20T12:00:00Z", "content_hash": hash(text.as_bytes()), "model_version": "m", "signals": {},
            "scores": { "hate": 0.2, "toxic": 0.91 }, "thresholds": { "toxic": { "label": 0.5, "hide": null } },
            "spans": spans, "verdict": "HIDE", "severity": 0.915,
        });
        serde_json::from_value(analysis).unwrap()
    }

    fn span(head: &str, start: usize, end: usize) -> serde_json::Value {
        json!({ "head": head, "start": start, "end": end, "weight": 1.5 })
    }

    #[test]
    fn what_weighs_is_marked_by_characters_and_overlaps_are_both() {
        let text = "Gr\u{fc}\u{df}e, you fool";
        let marked = analysis(text, &json!([span("toxic", 7, 15), span("hate", 11, 15)])).marks(text);
        let found: Vec<_> = marked.iter().map(|piece| (piece.words, piece.heads.as_str())).collect();
        assert_eq!(found, [("Gr\u{fc}\u{df}e, ", ""), ("you ", "toxic"), ("fool", "hate, toxic")]);
        let beyond = analysis(text, &json!([span("toxic", 0, 400)])).marks(text);
        assert_eq!(beyond, [MarkedText { words: text, heads: "toxic".to_owned() }]);
    }

    #[test]
    fn another_text_than_the_one_that_was_read_has_no_marks() {
        let spans = json!([span("toxic", 0, 3)]);
        assert!(analysis("you fool", &spans).marks("you dear").is_empty());
        assert!(analysis("you fool", &json!([])).marks("you fool").is_empty());
    }

    #[test]
    fn scores_stand_beside_their_thresholds_the_highest_first() {
        let analysis = analysis("a", &json!([]));
        let toxic = HeadScore { head: "toxic".to_owned(), score: 91, label: Some(50), hide: None };
        let hate = HeadScore { head: "hate".to_owned(), score: 20, label: None, hide: None };
        assert_eq!((analysis.heads(), analysis.percent()), (vec![toxic, hate], 92));
    }
}
