//! How a subject follows from its entries: a pure function, entry by entry.
//!
//! A decision that has an effect joins the list of those in force and leaves it when it ends. What is visible, labelled and
//! allowed is calculated from the whole list each time: the strictest visibility, all labels, a lock, the strictest standing. So the end
//! of a decision leaves exactly what the others demand, in whatever order they came and end. Only a removal is final, because
//! there is no content any more.
use super::changes::{Change, Ruling};
use super::state::{InForce, Subject};
use super::{Review, Standing, Visibility};
use crate::core::contract::timestamp::Timestamp;

impl Subject {
    /// Lets something happen to the subject.
    pub fn apply(&mut self, change: &Change, at: Timestamp) {
        self.version += 1;
        match change {
            Change::Flagged { severity, .. } => self.open(*severity, at),
            Change::Reported { severity, weight, .. } => {
                self.open(*severity, at);
                self.reports += 1;
                self.report_weight += weight;
            }
            Change::ReportsClosed { left, .. } => {
                (self.reports, self.report_weight) = left.map_or((0, 0.0), |left| (left.reports, left.weight));
            }
            Change::Escalated { .. } => {
                self.open(0.0, at);
                self.review = Review::Escalated;
            }
            Change::Decided { ruling, closes_review, .. } => self.decide(ruling, *closes_review, at),
            Change::Ended { decision, .. } => {
                self.active.retain(|held| held.ruling.decision != *decision);
                self.recalculate();
            }
            Change::Removed { .. } => {
                self.visibility = Visibility::Removed;
                self.recalculate();
            }
            Change::Gone => {
                (self.reports, self.report_weight) = (0, 0.0);
                if self.review.is_open() {
                    self.review = Review::Closed;
                }
            }
            Change::Noted { .. } | Change::Appealed { .. } | Change::AppealResolved { .. } => {}
        }
    }

    /// A person has to look at it.
    fn open(&mut self, severity: f64, at: Timestamp) {
        if !self.review.is_open() {
            (self.review, self.opened_at, self.severity) = (Review::Open, Some(at), 0.0);
        }
        self.severity = self.severity.max(severity);
    }

    fn decide(&mut self, ruling: &Ruling, closes_review: bool, at: Timestamp) {
        if closes_review {
            self.review = Review::Closed;
        } else if ruling.visibility == Some(Visibility::Held) {
            self.open(0.0, at);
        }
        if ruling.has_effect() {
            self.active.push(InForce { at, ruling: ruling.clone() });
        }
        self.recalculate();
    }

    /// Calculates what the decisions in force make of it.
    fn recalculate(&mut self) {
        let active = || self.active.iter().map(|held| &held.ruling);
        let strictest = active().filter_map(|ruling| ruling.visibility).max().unwrap_or_default();
        // What was deleted for good does not come back.
        if self.visibility != Visibility::Removed {
            self.visibility = strictest;
        }
        let mut labels: Vec<String> = active().flat_map(|ruling| ruling.labels.iter().cloned()).collect();
        labels.sort_unstable();
        labels.dedup();
        self.locked = active().any(|ruling| ruling.locked);
        self.standing = active().filter_map(|ruling| ruling.standing).max().unwrap_or_default();
        // Of several mutes the one that ends last; one without an end never does.
        let ends = active().filter(|ruling| ruling.standing == Some(self.standing)).map(|ruling| ruling.standing_until);
        let restricted = self.standing != Standing::Active;
        self.standing_until = ends.max_by_key(|end| (end.is_none(), *end)).flatten().filter(|_| restricted);
        let hidden =
            |held: &&InForce| held.ruling.visibility == Some(Visibility::Hidden) && held.ruling.expires_at.is_none();
        let hidden_at = self.active.iter().filter(hidden).map(|held| held.at).min();
        (self.labels, self.hidden_at) = (labels, hidden_at.filter(|_| self.visibility == Visibility::Hidden));
    }
}
