//! What a report weighs.
//!
//! The share of a reporter's closed reports that moderators agreed with is estimated as a Bayesian mean: as if there were
//! [`PRIOR`] agreed and as many ignored reports before the first one (a Beta(2, 2) prior, whose posterior mean it is). So one
//! lucky or unlucky report decides little, and a new reporter counts like an average one. A report weighs twice that share:
//! 1 at first, up to 2 with a long good record. Each report that a moderator called abusive takes [`ABUSE`] away. A weight is
//! never below 0: reports of persons who are always wrong change nothing, and are no evidence for the author either.
//!
//! The idea that flags weigh by the record of those who flag is Discourse's (the accuracy bonus of its reviewable scores); the
//! formula is not.
use clap::Args;

use crate::subjects::reasons::Reason;

/// Agreed, and ignored, reports that a record begins with.
const PRIOR: f64 = 2.0;
/// What an abusive report takes away from each later one: two undo a new reporter.
const ABUSE: f64 = 0.5;
/// The weight of the gravest reasons.
const GRAVEST: i32 = 4;
/// Closed reports of which a record consists, the last ones: what was long ago is forgiven, and forgotten.
pub const RECORD: i64 = 200;

/// How reports lead to decisions.
#[derive(Args, Clone, Debug)]
pub struct ReportSettings {
    /// The weight of open reports together from which on a post or comment is held until a person has looked at it; a new reporter's
    /// weighs 1, and 0 switches it off
    #[arg(long, env = "REPORT_HOLD_THRESHOLD", default_value_t = 3.0, value_parser = threshold)]
    pub report_hold_threshold: f64,
}

fn threshold(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "a number".to_owned())?;
    if number.is_finite() && number >= 0.0 { Ok(number) } else { Err("a number that is not negative".to_owned()) }
}

impl ReportSettings {
    /// Whether open reports of this weight hold their subject.
    pub fn holds(&self, weight: f64) -> bool {
        self.report_hold_threshold > 0.0 && weight >= self.report_hold_threshold
    }
}

/// How bad a subject is that is reported for this, 0 to 1, as far as the reason says.
pub fn severity(reason: Reason) -> f64 {
    f64::from(reason.weight()) / f64::from(GRAVEST)
}

/// What became of a reporter's last reports.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ReporterRecord {
    pub agreed: i64,
    pub ignored: i64,
    pub abusive: i64,
    /// Whether a moderator has muted the reporter.
    pub muted: bool,
}

impl ReporterRecord {
    /// What the next report weighs: 0 to 2.
    pub fn weight(&self) -> f64 {
        if self.muted {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most as many as a record has")]
        let [agreed, ignored, abusive] = [self.agreed, self.ignored, self.abusive].map(|count| count as f64);
        let share = (PRIOR + agreed) / (2.0 * PRIOR + agreed + ignored + abusive);
        (2.0 * share - ABUSE * abusive).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(agreed: i64, ignored: i64, abusive: i64) -> f64 {
        ReporterRecord { agreed, ignored, abusive, muted: false }.weight()
    }

    #[test]
    fn a_report_weighs_as_the_record_of_its_reporter_says() {
        assert!((weight(0, 0, 0) - 1.0).abs() < 1e-9, "a new reporter");
        assert!((weight(1, 0, 0) - 1.2).abs() < 1e-9);
        assert!((weight(0, 1, 0) - 0.8).abs() < 1e-9, "one that was ignored says little");
        assert!(weight(200, 0, 0) < 2.0 && weight(200, 0, 0) > 1.95);
        assert!(weight(0, 200, 0) > 0.0 && weight(0, 200, 0) < 0.02);
        assert!((weight(0, 0, 1) - 0.3).abs() < 1e-9);
        assert!(weight(0, 0, 2).abs() < 1e-9 && weight(3, 0, 9).abs() < 1e-9, "never below 0");
        assert!(ReporterRecord { agreed: 200, muted: true, ..ReporterRecord::default() }.weight().abs() < 1e-9);
    }

    #[test]
    fn a_threshold_of_0_holds_nothing() {
        let settings = |report_hold_threshold| ReportSettings { report_hold_threshold };
        assert!(settings(3.0).holds(3.0) && !settings(3.0).holds(2.9));
        assert!(!settings(0.0).holds(100.0));
        assert!(threshold("2.5").is_ok());
        for wrong in ["-1", "NaN", "inf", "many"] {
            assert!(threshold(wrong).is_err(), "{wrong}");
        }
    }
}
