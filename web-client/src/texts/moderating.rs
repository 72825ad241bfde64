//! The words of moderation that only its own pages use.
use super::en::Texts;

/// The reasons that moderators decide by, in their families.
pub const DECISION_REASONS: [&str; 29] = [
    "HARASSMENT_INSULT",
    "HARASSMENT_BULLYING",
    "HARASSMENT_BRIGADING",
    "HARASSMENT_DOXXING",
    "HATE_IDENTITY",
    "HATE_RACISM",
    "HATE_SEXISM",
    "HATE_SLUR",
    "VIOLENCE_THREAT",
    "VIOLENCE_GRAPHIC",
    "VIOLENCE_EXTREMISM",
    "SEXUAL_NUDITY",
    "SEXUAL_UNWANTED",
    "SEXUAL_INTIMATE_IMAGE",
    "CHILD_SAFETY_ABUSE",
    "CHILD_SAFETY_GROOMING",
    "CHILD_SAFETY_PRIVACY",
    "MISLEADING_IMPERSONATION",
    "MISLEADING_SCAM",
    "MISLEADING_HEALTH",
    "MISLEADING_ELECTION",
    "SPAM_COMMERCIAL",
    "SPAM_REPETITION",
    "SPAM_LINK",
    "SELF_HARM_CONTENT",
    "SELF_HARM_ENCOURAGEMENT",
    "OTHER_ILLEGAL",
    "OTHER_EVASION",
    "OTHER_RULES",
];

/// The families of reasons, by which the queue is shared out.
pub const FAMILIES: [&str; 9] =
    ["VIOLENCE", "SEXUAL", "CHILD_SAFETY", "HARASSMENT", "HATE", "MISLEADING", "SPAM", "SELF_HARM", "OTHER"];

impl Texts {
    pub fn family_of(&self, family: &str) -> String {
        let words = [
            ("VIOLENCE", self.fam_violence),
            ("SEXUAL", self.fam_sexual),
            ("CHILD_SAFETY", self.fam_child),
            ("HARASSMENT", self.fam_harassment),
            ("HATE", self.fam_hate),
            ("MISLEADING", self.fam_misleading),
            ("SPAM", self.why_spam),
            ("SELF_HARM", self.why_self_harm),
            ("OTHER", self.fam_other),
        ];
        self.word(family, &words)
    }

    /// On what ground a reason stands: the law, or the rules of the platform.
    pub fn ground_of(&self, reason: &str) -> &'static str {
        if reason == "OTHER_ILLEGAL" { self.ground_law } else { self.ground_rules }
    }

    /// What brought a case into the queue.
    pub fn flagged_by(&self, by: &str) -> String {
        self.word(by, &[("MACHINE", self.by_machines), ("PEOPLE", self.by_people)])
    }

    /// Why one of many cases was not decided.
    pub fn bulk_outcome_of(&self, outcome: &str) -> String {
        let words = [
            ("NOT_OPEN", self.out_not_open),
            ("NOT_FOUND", self.gone),
            ("OWN", self.out_own),
            ("OUT_OF_SCOPE", self.out_scope),
            ("CLAIMED", self.claimed),
            ("NOT_A_CONTENT", self.out_not_content),
            ("PENDING", self.out_pending),
        ];
        self.word(outcome, &words)
    }

    /// On whose notice a decision was made.
    pub fn source_of(&self, source: &str) -> String {
        self.word(source, &[("NOTICE", self.by_notice), ("OWN_INITIATIVE", self.by_own_initiative)])
    }

    /// Whether a policy has consequences.
    pub fn policy_mode(&self, mode: &str) -> String {
        let words = [("ENFORCE", self.mode_enforced), ("SHADOW", self.rule_in_shadow), ("OFF", self.mode_off)];
        self.word(mode, &words)
    }

    /// What links to a domain mean.
    pub fn domain_verdict(&self, verdict: &str) -> String {
        let words = [("BLOCK", self.domain_block), ("WARN", self.domain_warn), ("ALLOW", self.domain_allow)];
        self.word(verdict, &words)
    }

    /// How far a scheduled decision is.
    pub fn schedule_status(&self, status: &str) -> String {
        let words = [
            ("WAITING", self.schedule_waiting),
            ("DONE", self.schedule_done),
            ("CANCELLED", self.schedule_cancelled),
            ("GONE", self.schedule_gone),
        ];
        self.word(status, &words)
    }

    /// Which right the moderator of a scheduled decision has lost.
    pub fn lost_right(&self, right: &str) -> String {
        let words = [("LEFT", self.lost_account), ("NO_MODERATOR", self.lost_role), ("OUT_OF_SCOPE", self.lost_queue)];
        self.word(right, &words)
    }

    /// Why a decision is no longer in force.
    pub fn ended_why(&self, why: &str) -> String {
        let words = [
            ("EXPIRED", self.end_expired),
            ("REVERSED", self.end_reversed),
            ("OVERTURNED", self.end_overturned),
            ("SUPERSEDED", self.end_superseded),
            ("REREAD", self.end_reread),
        ];
        self.word(why, &words)
    }

    /// What an account may do.
    pub fn standing(&self, standing: &str) -> String {
        let words = [
            ("ACTIVE", self.is_active),
            ("INACTIVE", self.is_inactive),
            ("APPROVAL_REQUIRED", self.is_approved),
            ("MUTED", self.is_muted),
            ("BANNED", self.is_banned),
        ];
        self.word(standing, &words)
    }

    /// What kind of thing a post is about.
    pub fn item_kind(&self, kind: &str) -> String {
        let words = [
            ("LINK", self.item_link),
            ("TRACK", self.item_track),
            ("ALBUM", self.item_album),
            ("ARTIST", self.item_artist),
            ("MOVIE", self.item_movie),
            ("BOOK", self.item_book),
        ];
        self.word(kind, &words)
    }

    /// What happened to a subject.
    pub fn entry_kind(&self, kind: &str) -> String {
        let words = [
            ("flagged", self.entry_flagged),
            ("reported", self.entry_reported),
            ("reports_closed", self.entry_reports_closed),
            ("escalated", self.entry_escalated),
            ("noted", self.entry_noted),
            ("decided", self.entry_decided),
            ("ended", self.entry_ended),
            ("removed", self.entry_removed),
            ("appealed", self.entry_appealed),
            ("appeal_resolved", self.entry_resolved),
            ("gone", self.entry_gone),
        ];
        self.word(kind, &words)
    }

    /// What acted.
    pub fn actor(&self, kind: &str) -> String {
        let words = [
            ("MACHINE", self.who_machine),
            ("MODERATOR", self.who_moderator),
            ("USER", self.who_user),
            ("TIMER", self.who_timer),
            ("OPERATOR", self.who_operator),
        ];
        self.word(kind, &words)
    }

    /// How active a person is.
    pub fn level(&self, level: &str) -> String {
        let words = [
            ("HIGHLY_ACTIVE", self.level_high),
            ("MODERATELY_ACTIVE", self.level_moderate),
            ("NORMALLY_ACTIVE", self.level_normal),
            ("LESS_ACTIVE", self.level_low),
            ("ISOLATED", self.level_none),
        ];
        self.word(level, &words)
    }
}

#[cfg(test)]
mod tests {
    use super::super::de::DE;
    use super::super::en::EN;
    use super::*;

    #[test]
    fn every_reason_of_a_decision_has_a_text_in_both_languages() {
        for reason in DECISION_REASONS {
            let plain = crate::ground::words::plain(reason);
            assert!(EN.reason_of(reason) != plain && DE.reason_of(reason) != plain, "{reason}");
        }
        let families: Vec<_> = FAMILIES.iter().map(|family| DE.family_of(family)).collect();
        assert_eq!(families.iter().filter(|family| family.contains('_')).count(), 0, "{families:?}");
    }
}
