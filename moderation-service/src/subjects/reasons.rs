//! The reasons of reports, rules and decisions: one taxonomy, in families, with the words in which an author reads them.
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The four reasons of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ContractReason {
    /// Swear words, and slurs that are not racist
    OffensiveContent,
    /// Sexual content
    Nudity,
    /// Attacks on a person, and spam
    RulesViolation,
    /// Slurs against peoples and beliefs
    Racism,
}

/// A family of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Family {
    Violence,
    Sexual,
    ChildSafety,
    Harassment,
    Hate,
    Misleading,
    Spam,
    SelfHarm,
    Other,
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal, $family:ident, $weight:literal, $sentence:literal;)*) => {
        /// Why something is reported, flagged or decided.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
        #[sqlx(type_name = "text")]
        pub enum Reason {
            $($(#[doc = $doc])* #[serde(rename = $word)] #[sqlx(rename = $word)] $name,)*
        }

        impl Reason {
            /// All reasons, by their words in the API.
            pub const ALL: &'static [(&'static str, Self)] = &[$(($word, Self::$name),)*];

            /// Its word in the API.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            pub fn family(self) -> Family {
                match self { $(Self::$name => Family::$family,)* }
            }

            /// The weight of a strike: 1 for what annoys, 2 for what hurts, 4 for what endangers.
            pub fn weight(self) -> i32 {
                match self { $(Self::$name => $weight,)* }
            }

            /// What the content is said to be, as the end of a sentence.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

reasons! {
    ViolenceThreat = "VIOLENCE_THREAT", Violence, 4, "it threatens somebody with violence";
    ViolenceGraphic = "VIOLENCE_GRAPHIC", Violence, 2, "it shows or describes brutal violence";
    ViolenceExtremism = "VIOLENCE_EXTREMISM", Violence, 4, "it praises or supports violent extremism";
    SexualNudity = "SEXUAL_NUDITY", Sexual, 1, "it is sexual content";
    SexualUnwanted = "SEXUAL_UNWANTED", Sexual, 2, "it is a sexual advance that is not wanted";
    SexualIntimateImage = "SEXUAL_INTIMATE_IMAGE", Sexual, 4, "it shows somebody's intimacy without their consent";
    ChildSafetyAbuse = "CHILD_SAFETY_ABUSE", ChildSafety, 4, "it sexualises or abuses children";
    ChildSafetyGrooming = "CHILD_SAFETY_GROOMING", ChildSafety, 4, "it approaches a child in order to abuse it";
    ChildSafetyPrivacy = "CHILD_SAFETY_PRIVACY", ChildSafety, 2, "it exposes a child";
    HarassmentInsult = "HARASSMENT_INSULT", Harassment, 1, "it insults somebody";
    HarassmentBullying = "HARASSMENT_BULLYING", Harassment, 2, "it bullies somebody";
    HarassmentDoxxing = "HARASSMENT_DOXXING", Harassment, 4, "it exposes somebody's private data";
    HarassmentBrigading = "HARASSMENT_BRIGADING", Harassment, 2, "it calls upon others to harass somebody";
    HateIdentity = "HATE_IDENTITY", Hate, 4, "it attacks people for who they are";
    HateRacism = "HATE_RACISM", Hate, 4, "it attacks people for their origin, colour or belief";
    HateSexism = "HATE_SEXISM", Hate, 2, "it attacks people for their sex";
    HateSlur = "HATE_SLUR", Hate, 2, "it uses a slur against a group of people";
    MisleadingImpersonation = "MISLEADING_IMPERSONATION", Misleading, 2, "it pretends to be from somebody else";
    MisleadingScam = "MISLEADING_SCAM", Misleading, 4, "it is fraud";
    MisleadingHealth = "MISLEADING_HEALTH", Misleading, 2, "it misinforms about health in a dangerous way";
    MisleadingElection = "MISLEADING_ELECTION", Misleading, 2, "it misinforms about an election";
    SpamCommercial = "SPAM_COMMERCIAL", Spam, 1, "it is advertising that was not asked for";
    SpamRepetition = "SPAM_REPETITION", Spam, 1, "it repeats the same again and again";
    SpamLink = "SPAM_LINK", Spam, 1, "it leads to a site that is blocked here";
    SelfHarmEncouragement = "SELF_HARM_ENCOURAGEMENT", SelfHarm, 4, "it encourages somebody to hurt themselves";
    SelfHarmContent = "SELF_HARM_CONTENT", SelfHarm, 1, "it shows or describes self-harm";
    OtherIllegal = "OTHER_ILLEGAL", Other, 4, "it is against the law";
    OtherEvasion = "OTHER_EVASION", Other, 2, "it evades an earlier decision";
    OtherApproval = "OTHER_APPROVAL", Other, 1, "what you publish is looked at before others see it";
    OtherRules = "OTHER_RULES", Other, 1, "it is against the rules of this platform";
}

// The derivation does not see the words, which a macro has put in.
impl PartialSchema for Reason {
    fn schema() -> RefOr<Schema> {
        let words = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Self::words()));
        words.description(Some("Why something is reported, flagged or decided")).into()
    }
}

impl ToSchema for Reason {}

impl Reason {
    /// The reason of the contract that comes nearest.
    pub fn contract(self) -> ContractReason {
        match (self, self.family()) {
            (Self::HateRacism, _) => ContractReason::Racism,
            (_, Family::Sexual) => ContractReason::Nudity,
            (_, Family::Hate | Family::Harassment) => ContractReason::OffensiveContent,
            _ => ContractReason::RulesViolation,
        }
    }

    /// The reason with that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == word).map(|(_, reason)| *reason)
    }

    /// The reason with that word, as people give reasons: not [`Self::OtherApproval`], which says nothing about a content.
    pub fn parse_given(word: &str) -> Option<Self> {
        Self::parse(word).filter(|reason| *reason != Self::OtherApproval)
    }

    /// The words of the reasons that people give.
    pub fn given_words() -> Vec<&'static str> {
        Self::words().into_iter().filter(|word| Self::parse_given(word).is_some()).collect()
    }

    /// The words of all reasons.
    pub fn words() -> Vec<&'static str> {
        Self::ALL.iter().map(|(word, _)| *word).collect()
    }
}

/// The families of reasons, by which the queue is shared out among teams.
pub const FAMILIES: [(&str, Family); 9] = [
    ("VIOLENCE", Family::Violence),
    ("SEXUAL", Family::Sexual),
    ("CHILD_SAFETY", Family::ChildSafety),
    ("HARASSMENT", Family::Harassment),
    ("HATE", Family::Hate),
    ("MISLEADING", Family::Misleading),
    ("SPAM", Family::Spam),
    ("SELF_HARM", Family::SelfHarm),
    ("OTHER", Family::Other),
];

impl Family {
    /// Its word in the API.
    pub fn word(self) -> &'static str {
        FAMILIES.iter().find(|(_, family)| *family == self).map_or("OTHER", |(word, _)| *word)
    }
}

/// The word of a family; none when there is no such family.
pub fn family(word: &str) -> Option<&'static str> {
    FAMILIES.iter().find(|(known, _)| *known == word).map(|(known, _)| *known)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The database finds the family of a reason by its beginning.
    #[test]
    fn a_reason_begins_with_its_family() {
        for (word, reason) in Reason::ALL {
            let (family, _) = FAMILIES.iter().find(|(_, family)| *family == reason.family()).unwrap();
            assert!(word.starts_with(&format!("{family}_")), "{word}");
        }
        assert_eq!((family("SPAM"), family("NOISE")), (Some("SPAM"), None));
        assert!(FAMILIES.iter().all(|(word, family)| serde_json::json!(family) == *word));
    }
}
