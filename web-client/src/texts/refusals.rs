//! What the API refuses, in the reader's language. The API has no codes for its sentences, so a sentence is its own: each is a part
//! of the contract. One that is not known here is quoted, and marked as English.
use super::en::Texts;
use crate::ground::words::fill;

/// What the API says of a field, with a gap for its bound, and the text that says it here.
type FieldWords = (&'static str, fn(&Texts) -> &'static str);

/// The faults that differ by a bound alone.
const BOUNDS: [FieldWords; 10] = [
    ("ensure this value has at most {} characters", |t| t.fault_longest),
    ("ensure this value has at most {} characters, its escapes included", |t| t.fault_longest),
    ("ensure this value has at least {} characters", |t| t.fault_shortest),
    ("ensure this value has at most {} items", |t| t.fault_most),
    ("ensure this value has at least {} items", |t| t.fault_least),
    ("ensure this value is less than or equal to {}", |t| t.fault_most),
    ("ensure this value is greater than or equal to {}", |t| t.fault_least),
    ("ensure this value is a whole number from 1 to {}", |t| t.wrong_hours),
    ("hours are from 1 to {}", |t| t.wrong_hours),
    ("a time from now on is expected, at most {} hours ahead", |t| t.fault_time_ahead),
];

/// A sentence about a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub words: String,
    /// Whether these are the words of the API, which are English in whichever language the page is.
    pub is_quoted: bool,
}

impl Said {
    /// In the words of the reader's language.
    pub fn own(words: impl Into<String>) -> Self {
        Self { words: words.into(), is_quoted: false }
    }

    /// In the words of the API.
    pub fn quoted(words: impl Into<String>) -> Self {
        Self { words: words.into(), is_quoted: true }
    }
}

impl Texts {
    /// Whether a sentence is in this language.
    pub fn has(&self, said: &Said) -> bool {
        !said.is_quoted || self.lang == "en"
    }

    /// A refusal of a whole.
    pub fn refusal(&self, detail: &str) -> Said {
        let known = self.sentence(detail).map(str::to_owned).or_else(|| self.known_fault(detail));
        known.map_or_else(|| Said::quoted(detail), Said::own)
    }

    /// What is wrong with a field, with its label; as the API says it where it is not known.
    pub fn fault_of(&self, field: Option<&str>, words: &str) -> Said {
        let with = |name: Option<&str>, fault: String| match name {
            Some(name) => format!("{name}: {fault}"),
            None => fault,
        };
        match self.known_fault(words) {
            Some(fault) => Said::own(with(field.and_then(|field| self.field(field)), fault)),
            None => Said::quoted(with(field, words.to_owned())),
        }
    }

    /// What is wrong with a field, beside it.
    pub fn fault(&self, words: &str) -> String {
        let unknown = || if self.lang == "en" { words.to_owned() } else { self.fault_other.to_owned() };
        self.known_fault(words).unwrap_or_else(unknown)
    }

    fn known_fault(&self, words: &str) -> Option<String> {
        let bound = |(pattern, text): &FieldWords| {
            let (before, after) = pattern.split_once("{}")?;
            let bound = words.strip_prefix(before)?.strip_suffix(after)?;
            bound.bytes().all(|byte| byte.is_ascii_digit()).then(|| fill(text(self), &[bound]))
        };
        let known = || match words {
            "field required" | "none is not an allowed value" => Some(self.fault_missing),
            "control characters are not allowed" => Some(self.fault_control),
            "invisible characters are not allowed"
            | "at least one visible character is needed"
            | "invisible joiners are allowed only where a script or an emoji needs them" => Some(self.fault_invisible),
            "marks of writing direction must be closed, and must not override it" => Some(self.fault_direction),
            "value is not a valid email address" => Some(self.fault_email),
            "this password is one of the most common" => Some(self.fault_password),
            "only the letters a to z, digits, _ and . are allowed"
            | "it must have 3 to 30 characters"
            | "it must begin and end with a letter or a digit"
            | "_ and . must not follow each other"
            | "it must have a letter"
            | "it must not look like an e-mail address or a website" => Some(self.fault_username),
            "it is reserved" => Some(self.fault_reserved),
            "invalid date format" => Some(self.fault_date),
            "invalid datetime format" => Some(self.fault_time),
            "ensure this time is in the future and within a year" => Some(self.fault_time_ahead),
            "value is not the name of a time zone, such as Europe/Berlin" => Some(self.fault_zone),
            "value is not a whole number from 0 to 23" => Some(self.fault_hour),
            "value is not a time of the day, such as 22:00" => Some(self.fault_day_time),
            "they end when they begin" => Some(self.fault_no_span),
            "value is not a domain name" => Some(self.fault_domain),
            "this text breaks the rules of the platform and was not published" => Some(self.fault_rules),
            "the key was used for another request" => Some(self.fault_sent),
            "value is not an address with its checksum (EIP-55)" => Some(self.fault_address),
            "there is no word to search for" => Some(self.fault_words),
            "give either at or in_hours" => Some(self.one_due_time),
            "a decision has at least one action" => Some(self.choose_action_and_reason),
            _ if words.starts_with("ensure this date gives an age of ") => Some(self.fault_age),
            "the list has duplicated items"
            | "str type expected"
            | "invalid or missing URL scheme or host"
            | "value could not be parsed to a boolean" => Some(self.fault_other),
            _ if words.starts_with("value is not a valid ") => Some(self.fault_other),
            _ => None,
        };
        BOUNDS.iter().find_map(bound).or_else(|| known().map(str::to_owned))
    }

    /// The label of a field of a form.
    pub fn field(&self, name: &str) -> Option<&'static str> {
        Some(match name {
            "title" => self.title,
            "content" => self.text,
            "types" => self.topics,
            "comments" => self.who_comments,
            "media" => self.pictures,
            "publish_at" | "at" => self.publish_at,
            "username" => self.username,
            "first_name" => self.first_name,
            "last_name" => self.last_name,
            "bio" => self.bio,
            "location" => self.location,
            "birth_date" => self.birth_date,
            "interests" => self.interests,
            "email" => self.email,
            "password" => self.password,
            "current_password" => self.current_password,
            "new_password" => self.new_password,
            "time_zone" => self.time_zone,
            "digest_hour" => self.digest_hour,
            "quiet_hours" => self.quiet_hours,
            "name" => self.policy_name,
            "mode" => self.policy_acts,
            "rules" => self.rules,
            "domain" => self.domain,
            "verdict" => self.domain_means,
            "text" => self.details,
            "note" => self.answer,
            "public_note" => self.public_note,
            "internal_note" => self.internal_note,
            "reason" => self.reason,
            "hours" => self.hours,
            "in_hours" => self.in_how_many_hours,
            "recipient" => self.nft_recipient,
            "alt" => self.alt,
            "file" => self.picture,
            _ => return None,
        })
    }

    /// A sentence that the API refuses with.
    fn sentence(&self, detail: &str) -> Option<&'static str> {
        self.of_accounts(detail).or_else(|| self.of_contents(detail)).or_else(|| self.of_moderation(detail))
    }

    fn of_accounts(&self, detail: &str) -> Option<&'static str> {
        Some(match detail {
            "Wrong username or password" | "Invalid username or password" => self.wrong_credentials,
            "This account is banned" => self.banned,
            "Should be from valid interest choices" | "Should be from valid post category choices" => {
                self.refused_choice
            }
            "User with this email already exists" => self.refused_address_taken,
            "User with this username already exists" => self.refused_username_taken,
            "Current password not matching" => self.refused_current_password,
            "Invalid Token" | "The link is not valid" => self.refused_link,
            "Password and confirm password missmatched" => self.refused_two_passwords,
            "Token Expired" => self.refused_link_old,
            "You can only change your own account" | "You can only delete your own account" => self.refused_not_yours,
            "User not found" | "Target user not found" => self.refused_no_person,
            "You have blocked this user" => self.refused_blocked,
            "You have too many connections" => self.refused_connections,
            "Can not connect: the caller has blocked the user, or has 10,000 connections" => self.refused_connecting,
            "Can not self connect"
            | "Can not self disconnect"
            | "Can not self block"
            | "Can not self mute"
            | "Can not compare with oneself" => self.refused_self,
            "The provider does not accept this sign-in; begin again"
            | "The provider's answer is not valid for this sign-in; begin again"
            | "This sign-in was not begun in this browser, is over, or took longer than 10 minutes; begin again" => {
                self.refused_begin_again
            }
            "The provider has no verified address of you; sign up with an address, verify it, and link this account then" => {
                self.refused_unverified
            }
            "There is an account with this address; sign in to it as usual, and link this account then" => {
                self.refused_address_has_account
            }
            "This account of the provider is linked to another account" => self.refused_linked_elsewhere,
            "Another account of this provider is linked already; unlink it first" => self.refused_linked_already,
            "Verify the address of your account first" => self.refused_verify_first,
            "This is the last way to sign in; set a password first, by /auth/forgot-password" => self.refused_last_way,
            "This provider does not say when you signed in there; sign in with your password, or set one first, by /auth/forgot-password"
            | "The provider does not say that you have signed in there just now; sign in with your password, or set one first, by /auth/forgot-password" => {
                self.refused_not_fresh
            }
            "Muted users cannot write" => self.refused_muted,
            "Too many requests" => self.error_429_advice,
            "The body is too large" => self.error_413_advice,
            _ if detail.starts_with("The body is larger than ") => self.error_413_advice,
            _ => return None,
        })
    }

    fn of_contents(&self, detail: &str) -> Option<&'static str> {
        Some(match detail {
            "Post not found"
            | "Post object not found"
            | "Post not found for update"
            | "Post not found for deleteing" => self.refused_no_post,
            "Session not found"
            | "Provider not found"
            | "Linked account not found"
            | "Post comment not found"
            | "Post comment not found for deletion"
            | "Comment reaction not found"
            | "Post reaction not found"
            | "Post reaction not found for deletion"
            | "Notification not found"
            | "NFT not found"
            | "Subject not found"
            | "Report not found"
            | "Policy not found"
            | "No such subject"
            | "Item not found"
            | "Analysis not found"
            | "User engagement profile not found"
            | "No such appeal"
            | "No such decision"
            | "No such scheduled decision"
            | "The domain has no rule" => self.refused_gone,
            "The post was published meanwhile; send the change again"
            | "Try again"
            | "The same request is being carried out" => self.refused_meanwhile,
            "Only a draft can be published later" => self.refused_only_drafts,
            "media must be your own pictures for posts, and not refused" | "Media not found" => self.refused_pictures,
            "Your pictures use up your quota; delete some of them first" => self.refused_quota,
            "The file must be a JPEG, PNG, WebP or GIF" => self.refused_file_kind,
            "Moderators have closed the post for comments" => self.refused_closed,
            "The author of the post has limited who may comment" => self.refused_commenters,
            "Can not react duplicate on same post." => self.refused_twice,
            "No more than 10000 bookmarks can be kept" => self.refused_bookmarks,
            "At most 100 tags can be followed" => self.refused_tags,
            "This list is too old; start again without a cursor" => self.refused_list_old,
            "Minting is off" | "Tokens are not minted here" => self.refused_minting,
            "Tokens are minted without a voucher here" => self.refused_no_voucher,
            "Tokens are minted with a voucher here" => self.refused_voucher_only,
            "A voucher for another recipient holds still" => self.refused_voucher_held,
            "Minting was not asked for"
            | "The metadata is not pinned"
            | "The token is minted already"
            | "The token is minted to another recipient" => self.refused_mint_state,
            _ => return None,
        })
    }

    fn of_moderation(&self, detail: &str) -> Option<&'static str> {
        Some(match detail {
            "Only moderators can do this" => self.refused_moderators,
            "Only administrators can do this" | "Only administrators decide about moderators" => {
                self.refused_administrators
            }
            "An administrator loses the role first" => self.refused_role_first,
            "The policy was changed meanwhile: read it, and change its newest version" => self.refused_policy_changed,
            "Another policy has this name" => self.refused_policy_name,
            "You cannot report yourself or what you wrote" => self.refused_own_report,
            "You have reported this, and a moderator has not looked at it yet" => self.refused_reported,
            "Another moderator has claimed this" => self.refused_claimed,
            "You have not claimed this" | "You have not claimed this appeal" => self.refused_not_claimed,
            "Only the moderator who has scheduled it, and administrators, cancel it" => self.refused_not_scheduler,
            "It waits no more" => self.refused_waits_no_more,
            "Another moderator has to look at what you wrote"
            | "Nobody decides about themselves"
            | "An appeal is resolved by another moderator" => self.refused_other_moderator,
            "This is for the moderators of another queue" => self.refused_other_queue,
            "The decision was appealed before" | "The appeal was resolved before" => self.refused_appealed,
            "The decision is no longer in force" => self.refused_over,
            "The decision has no effect that could be appealed" => self.refused_no_effect,
            "The time to appeal is over" => self.refused_too_late,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::de::DE;
    use super::super::en::EN;
    use super::*;

    #[test]
    fn a_refusal_is_said_in_the_language_of_its_reader() {
        assert_eq!(DE.refusal("Muted users cannot write"), Said::own(DE.refused_muted));
        assert_eq!(EN.refusal("Post not found for deleteing"), Said::own(EN.refused_no_post), "and in better English");
        let longest = DE.fault_of(Some("title"), "ensure this value has at most 100 characters");
        assert_eq!(longest, Said::own("Überschrift: Höchstens 100 Zeichen."));
        let time = DE.fault_of(Some("publish_at"), "invalid datetime format");
        assert_eq!(time, Said::own("Tag und Uhrzeit (UTC): Das ist kein Zeitpunkt."));
        assert_eq!(EN.refusal("field required"), Said::own(EN.fault_missing));
        assert_eq!(DE.fault("ensure this date gives an age of 13 to 120 years"), DE.fault_age);
        assert_eq!(DE.fault("value is not a valid enumeration member; permitted: 'A'"), DE.fault_other);
        let ahead = DE.fault("a time from now on is expected, at most 8784 hours ahead");
        assert_eq!(ahead, DE.fault_time_ahead, "a bound that the text does not name");
    }

    #[test]
    fn what_is_not_known_is_quoted_as_english() {
        assert_eq!(DE.refusal("The moon is full"), Said::quoted("The moon is full"));
        assert_eq!(DE.fault_of(Some("content"), "too odd"), Said::quoted("content: too odd"));
        let markup = "ensure this value has at most <b> characters";
        assert_eq!((EN.fault(markup), DE.fault(markup)), (markup.to_owned(), DE.fault_other.to_owned()));
        assert!(EN.has(&Said::quoted("odd")) && !DE.has(&Said::quoted("odd")) && DE.has(&Said::own("gut")));
    }
}
