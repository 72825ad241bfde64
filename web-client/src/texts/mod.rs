//! What the client says, in English and German: each language is one file, and words of the API are looked up here.
mod de;
mod en;
mod keys;
mod moderating;
mod refusals;

pub use de::DE;
pub use en::{EN, Texts};
pub use moderating::{DECISION_REASONS, FAMILIES};
pub use refusals::Said;

use chrono::{DateTime, Utc};

use crate::ground::words::{fill, plain, visible};

#[expect(clippy::unused_self, reason = "templates ask a language for all words, those that all share included")]
impl Texts {
    /// How long ago a time is, in the shortest words; after a month its day.
    pub fn ago(&self, time: DateTime<Utc>, now: DateTime<Utc>) -> String {
        let minutes = (now - time).num_minutes();
        match minutes {
            i64::MIN..1 => self.just_now.to_owned(),
            1..60 => fill(self.minutes_ago, &[&minutes.to_string()]),
            60..1_440 => fill(self.hours_ago, &[&(minutes / 60).to_string()]),
            1_440..43_200 => fill(self.days_ago, &[&(minutes / 1_440).to_string()]),
            _ => self.day(time),
        }
    }

    /// A day in full.
    pub fn day(&self, time: DateTime<Utc>) -> String {
        time.format(self.date_format).to_string()
    }

    /// A time in full.
    pub fn moment(&self, time: DateTime<Utc>) -> String {
        time.format(self.time_format).to_string()
    }

    /// What was done, in the words of a page's `?done=`.
    pub fn done(&self, done: &str) -> Option<&'static str> {
        Some(match done {
            "saved" => self.done_saved,
            "posted" => self.done_posted,
            "deleted" => self.done_deleted,
            "hidden" => self.done_hidden,
            "reported" => self.done_reported,
            "appealed" => self.done_appealed,
            "decided" => self.done_decided,
            "signed-out" => self.done_signed_out,
            "password" => self.done_password,
            "uploaded" => self.done_uploaded,
            "connected" => self.done_connected,
            "refused" => self.done_refused,
            "scheduled" => self.done_scheduled,
            "linked" => self.done_linked,
            "unlinked" => self.done_unlinked,
            "claimed" => self.done_claimed,
            "released" => self.done_released,
            "noted" => self.done_noted,
            "escalated" => self.done_escalated,
            "lifted" => self.done_lifted,
            "reversed" => self.done_reversed,
            "cancelled" => self.done_cancelled,
            "reporter-muted" => self.done_reporter_muted,
            "reporter-unmuted" => self.done_reporter_unmuted,
            "decision-scheduled" => self.done_decision_scheduled,
            "none-free" => self.done_none_free,
            _ => return None,
        })
    }

    /// A word of the API that no language has: as it is, in small letters.
    pub fn plain(&self, word: &str) -> String {
        plain(word)
    }

    pub fn emoji(&self, reaction: &str) -> &'static str {
        match reaction {
            "LOVE" => "❤️",
            "FUNNY" => "😄",
            "JOY" => "🥳",
            "SAD" => "😢",
            "ANGRY" => "😠",
            _ => "👍",
        }
    }

    pub fn reaction(&self, reaction: &str) -> String {
        self.word(
            reaction,
            &[
                ("LIKE", self.like),
                ("LOVE", self.love),
                ("FUNNY", self.funny),
                ("JOY", self.joy),
                ("SAD", self.sad),
                ("ANGRY", self.angry),
            ],
        )
    }

    pub fn status_of(&self, status: &str) -> String {
        self.word(status, &[("DRAFT", self.draft), ("ARCHIVED", self.archived)])
    }

    pub fn commenters(&self, who: &str) -> String {
        self.word(who, &[("EVERYONE", self.everyone), ("CONNECTIONS", self.connections_only), ("NOBODY", self.no_one)])
    }

    pub fn label_of(&self, label: &str) -> String {
        format!("{}: {}", self.sensitive, plain(label))
    }

    pub fn topic(&self, topic: &str) -> String {
        self.word(
            topic,
            &[
                ("NEWS", self.topic_news),
                ("SPORTS", self.topic_sports),
                ("BOOKS", self.topic_books),
                ("TECHNOLOGY", self.topic_technology),
                ("FOOD", self.topic_food),
                ("TRAVEL", self.topic_travel),
                ("HEALTH", self.topic_health),
                ("POLITICS", self.topic_politics),
                ("FICTION", self.topic_fiction),
                ("COMMUNICATION", self.topic_communication),
                ("INTERNATIONAL", self.topic_international),
                ("NATIONAL", self.topic_national),
                ("CULTURAL", self.topic_cultural),
                ("LIFE_STYLE", self.topic_life_style),
                ("FASHION", self.topic_fashion),
                ("EDUCATIONAL", self.topic_educational),
                ("PERSONAL_EVENT", self.topic_personal_event),
                ("OTHER", self.topic_other),
                ("MUSIC_AND_ART", self.topic_music_and_art),
                ("NOVEL_AND_POETRY", self.topic_novel_and_poetry),
                ("PROTEST", self.topic_protest),
                ("SCIENTIFIC", self.topic_scientific),
            ],
        )
    }

    /// A category, or a tag with its `#`.
    pub fn topic_or_tag(&self, word: &str) -> String {
        if word.starts_with('#') { visible(word) } else { self.topic(word) }
    }

    /// Why a picture was refused.
    pub fn unusable(&self, reason: &str) -> String {
        let words = [
            ("NOT_READABLE", self.unusable_broken),
            ("TOO_MANY_PIXELS", self.unusable_large),
            ("TOO_MUCH_MEMORY", self.unusable_large),
            ("TOO_SLOW", self.unusable_large),
            ("NOT_PROCESSED", self.unusable_unknown),
        ];
        self.word(reason, &words)
    }

    pub fn mint_status(&self, status: &str) -> String {
        let words = [
            ("READY_FOR_MINTING", self.mint_ready),
            ("UPLOADING", self.mint_uploading),
            ("RETRY", self.mint_uploading),
            ("PINNED", self.mint_pinned),
            ("TX_SIGNED", self.mint_sent),
            ("SUBMITTED", self.mint_sent),
            ("MINED", self.mint_sent),
            ("CONFIRMED", self.mint_sent),
            ("FAILED", self.mint_failed),
            ("CANCELLED", self.mint_cancelled),
            ("MINTED", self.mint_done),
        ];
        self.word(status, &words)
    }

    pub fn subject(&self, kind: &str) -> String {
        self.word(
            kind,
            &[("POST", self.post), ("COMMENT", self.comment), ("MEDIA", self.picture), ("USER", self.account)],
        )
    }

    pub fn visibility(&self, visibility: &str) -> String {
        self.word(
            visibility,
            &[
                ("VISIBLE", self.vis_visible),
                ("LIMITED", self.vis_limited),
                ("HELD", self.vis_held),
                ("HIDDEN", self.vis_hidden),
                ("REMOVED", self.vis_removed),
            ],
        )
    }

    pub fn action(&self, action: &str) -> String {
        self.word(
            action,
            &[
                ("ALLOW", self.act_dismiss),
                ("DISMISS", self.act_dismiss),
                ("LABEL", self.act_label),
                ("REVIEW", self.act_review),
                ("LIMIT", self.act_limit),
                ("LOCK", self.act_lock),
                ("HOLD", self.act_hold),
                ("HIDE", self.act_hide),
                ("REMOVE", self.act_remove),
                ("RESTORE", self.act_restore),
                ("WARN", self.act_warn),
                ("REQUIRE_APPROVAL", self.act_approve),
                ("MUTE", self.act_mute),
                ("BAN", self.act_ban),
            ],
        )
    }

    pub fn appeal_status(&self, status: &str) -> String {
        self.word(status, &[("OPEN", self.open), ("UPHELD", self.upheld), ("OVERTURNED", self.overturned)])
    }

    pub fn report_status(&self, status: &str) -> String {
        let words = [
            ("OPEN", self.open),
            ("AGREED", self.agreed),
            ("IGNORED", self.ignored),
            ("ABUSIVE", self.abusive),
            ("GONE", self.gone),
        ];
        self.word(status, &words)
    }

    pub fn mail_mode(&self, mode: &str) -> String {
        self.word(mode, &[("AT_ONCE", self.at_once), ("DIGEST", self.digest), ("NEVER", self.never)])
    }

    pub fn notification_kind(&self, kind: &str) -> String {
        self.word(
            kind,
            &[
                ("POST_REACTION_RECEIVED", self.kind_reactions),
                ("POST_COMMENT_RECEIVED", self.kind_comments),
                ("COMMENT_REPLY", self.kind_replies),
                ("COMMENT_REACTION_RECEIVED", self.kind_comment_reactions),
                ("USER_CONNECTED", self.kind_connected),
                ("USER_MENTIONED", self.kind_mentioned),
                ("CONNECTION_RECOMMENDATION", self.kind_recommended_people),
                ("POST_RECOMMENDATION", self.kind_recommended_posts),
                ("PROFILE_ACTIVITY", self.kind_activity),
                ("SYSTEM_MESSAGE", self.kind_system),
            ],
        )
    }

    /// The sentence of a notification with a gap for its actors; none for kinds that come with words of their own.
    pub fn notification(&self, kind: &str) -> Option<&'static str> {
        Some(match kind {
            "POST_REACTION_RECEIVED" => self.note_reaction,
            "POST_COMMENT_RECEIVED" => self.note_comment,
            "COMMENT_REPLY" => self.note_reply,
            "COMMENT_REACTION_RECEIVED" => self.note_comment_reaction,
            "USER_CONNECTED" => self.note_connected,
            "USER_MENTIONED" => self.note_mentioned,
            _ => return None,
        })
    }

    pub fn reason_of(&self, reason: &str) -> String {
        self.word(
            reason,
            &[
                ("VIOLENCE_THREAT", self.why_violence),
                ("VIOLENCE_GRAPHIC", self.why_graphic),
                ("SEXUAL_NUDITY", self.why_nudity),
                ("SEXUAL_UNWANTED", self.why_unwanted),
                ("CHILD_SAFETY_ABUSE", self.why_child),
                ("HARASSMENT_INSULT", self.why_insult),
                ("HARASSMENT_BULLYING", self.why_bullying),
                ("HARASSMENT_DOXXING", self.why_doxxing),
                ("HATE_IDENTITY", self.why_hate),
                ("HATE_RACISM", self.why_racism),
                ("HATE_SEXISM", self.why_sexism),
                ("MISLEADING_IMPERSONATION", self.why_impersonation),
                ("MISLEADING_SCAM", self.why_scam),
                ("MISLEADING_HEALTH", self.why_health),
                ("SPAM_COMMERCIAL", self.why_spam),
                ("SELF_HARM_CONTENT", self.why_self_harm),
                ("VIOLENCE_EXTREMISM", self.why_extremism),
                ("SEXUAL_INTIMATE_IMAGE", self.why_intimate),
                ("CHILD_SAFETY_GROOMING", self.why_grooming),
                ("CHILD_SAFETY_PRIVACY", self.why_child_privacy),
                ("HARASSMENT_BRIGADING", self.why_brigading),
                ("HATE_SLUR", self.why_slur),
                ("MISLEADING_ELECTION", self.why_election),
                ("SPAM_REPETITION", self.why_repetition),
                ("SPAM_LINK", self.why_blocked_site),
                ("SELF_HARM_ENCOURAGEMENT", self.why_encourages),
                ("OTHER_EVASION", self.why_evasion),
                ("OTHER_ILLEGAL", self.why_illegal),
                ("OTHER_APPROVAL", self.why_approval),
                ("OTHER_RULES", self.why_rules),
            ],
        )
    }

    fn word(&self, word: &str, known: &[(&str, &'static str)]) -> String {
        known.iter().find(|(name, _)| *name == word).map_or_else(|| plain(word), |(_, text)| (*text).to_owned())
    }
}

/// The reasons that a report offers, the commonest first.
pub const REASONS: [&str; 18] = [
    "HARASSMENT_INSULT",
    "HARASSMENT_BULLYING",
    "HARASSMENT_DOXXING",
    "HATE_IDENTITY",
    "HATE_RACISM",
    "HATE_SEXISM",
    "SPAM_COMMERCIAL",
    "MISLEADING_SCAM",
    "MISLEADING_IMPERSONATION",
    "MISLEADING_HEALTH",
    "VIOLENCE_THREAT",
    "VIOLENCE_GRAPHIC",
    "SEXUAL_NUDITY",
    "SEXUAL_UNWANTED",
    "CHILD_SAFETY_ABUSE",
    "SELF_HARM_CONTENT",
    "OTHER_ILLEGAL",
    "OTHER_RULES",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_gaps_and_no_empty_text() {
        for ((key, english), (_, german)) in EN.all().into_iter().zip(DE.all()) {
            assert!(!english.trim().is_empty() && !german.trim().is_empty(), "{key}");
            assert_eq!(english.matches("{}").count(), german.matches("{}").count(), "{key}");
        }
        assert_eq!((EN.lang, DE.lang), ("en", "de"));
    }

    #[test]
    fn times_are_written_as_people_say_them() {
        let now: DateTime<Utc> = "2026-11-20T12:00:00Z".parse().unwrap();
        let before = |text: &str| EN.ago(text.parse().unwrap(), now);
        assert_eq!(before("2026-11-20T11:59:40Z"), "just now");
        assert_eq!(before("2026-11-20T11:18:00Z"), "42 min ago");
        assert_eq!(before("2026-11-20T03:00:00Z"), "9 h ago");
        assert_eq!(before("2026-11-17T11:00:00Z"), "3 d ago");
        assert_eq!(before("2026-01-02T11:00:00Z"), "2 January 2026");
    }

    #[test]
    fn words_that_no_language_has_are_shown_as_they_are() {
        assert_eq!(DE.reason_of("HATE_RACISM"), "Rassismus");
        assert_eq!(DE.reason_of("SPAM_BY_PIGEON"), "Spam by pigeon");
        assert_eq!(EN.topic("GARDEN_GNOMES"), "Garden gnomes");
        assert!(
            REASONS.iter().all(|reason| EN.reason_of(reason) != plain(reason) || *reason == "HARASSMENT_BULLYING"),
            "each has a text"
        );
    }
}
