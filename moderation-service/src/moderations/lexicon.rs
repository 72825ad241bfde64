//! The first analyser: the word lists of the rustrict library, corrected for a network of adults.
//!
//! rustrict reads a text letter by letter against 3,000 words and phrases and sees through digits, symbols, accents,
//! look-alike letters, repetitions and gaps; 20,000 ordinary words that contain a bad one are known to it. It was
//! made to censor the chat of a game, where a wrong hit costs three stars. Here it hides a post, so three things are added:
//!
//! 1. **A hit must be a word.** By itself rustrict finds slurs in `x^2 + 3x`, in hashes and in the end of one word with
//!    the beginning of the next. A hit counts when it begins where a word begins and is mostly letters, when it is
//!    letters with gaps between them (`f.u.c.k`), or a phrase of whole words; see [`Hit::word`].
//! 2. **Corrections.** Words that medicine, news, education and other languages need are made milder when they are plainly
//!    written ([`MILD`], [`MODERATE`], [`HARMLESS`]); racist ones that rustrict rates as mild are made severe ([`RACIST`]).
//! 3. **Reasons.** Its "profane" (swear words) is `OFFENSIVE_CONTENT`, "sexual" is `NUDITY`, "mean" (attacks on a
//!    person) and "spam" are `RULES_VIOLATION`. Its "offensive" holds slurs of all kinds: those against peoples and
//!    beliefs are `RACISM` ([`RACIST`] says which), the others (against women, gay or disabled people)
//!    `OFFENSIVE_CONTENT`, because the platform has no closer word.
//!
//! What it cannot recognise: the person meant, irony, quotation, reclaimed words, hate without a bad word, pictures, and most of
//! what is not English. Its spam counts capitals, repetitions and letters that are not Latin, so it is off by default.
use std::sync::LazyLock;

use rustrict::{Censor, Trie, Type};

use super::services::{Analyser, Analysis, Finding, Threshold};
use crate::disguises::display::{as_displayed, is_invisible};
use crate::disguises::evasions::MAX_CHARS;
use crate::subjects::reasons::ContractReason;

/// The character that replaces the letters of a hit.
const REPLACEMENT: char = '█';
/// The fewest letters of the longest word of a phrase: any sentence is full of shorter ones.
const MIN_PHRASE_WORD: usize = 4;
/// The fewest letters of a phrase of short words only.
const MIN_PHRASE: usize = 8;
/// The fewest letters of a word: fewer are an abbreviation, a number or a hash.
const MIN_WORD: usize = 3;
/// The words that are named with a finding, at most.
const MAX_NAMED: usize = 5;
/// Of the [`MAX_CHARS`] characters that are read, those that are the end of a longer text. rustrict goes through a text some ten times, so of
/// a longer one, which only another service lets through, it reads the beginning and the end.
const END_CHARS: usize = 2_000;

/// Words for bodies, crimes and trades, which have to be discussed; and words with an innocent twin. As rustrict spells them.
#[rustfmt::skip]
const MILD: &[&str] = &[
    "anilingus", "bestiality", "bondage", "coom", "cuming", "cunilingus", "dominatrix", "erotica", "felate", "felatio",
    "flange", "foursome", "hooker", "incest", "inseminate", "inseminating", "inseminator", "kum", "labia", "minge", "muff",
    "oralsex", "penile", "penis", "phalus", "pinus", "prepubescent", "pron", "prostitut", "pube", "pubescent", "rape",
    "raping", "scrotum", "semen", "shager", "shaging", "sodomise", "sodomite", "sodomize", "sodomy", "spunk", "testicle",
    "threesome", "vagina", "vibrator", "vulva",
];

/// Rude words; and phrases that are as often used about a person, in news and in offers of help, as against one.
#[rustfmt::skip]
const MODERATE: &[&str] = &[
    "bastard", "bastred", "basterd", "boner", "boob", "boobies", "commitdie", "commitsuicide", "comitsuicide", "daygo",
    "dontloveyou", "dyke", "dykes", "getcancer", "gunatschool", "guntoschool", "hentai", "hoar", "horny", "killedyourself", "killstudent",
    "killingstudent", "kkk", "negr", "nudes", "porn", "pornography", "pornos", "salopard", "suckme", "suckingme",
    "suckingmy", "suckingyour", "suckyour", "takeyourownlife", "twat", "twats", "wangker", "wank", "wanker",
];

/// Ordinary words, names and laughter that begin with, or contain, what looks like a bad one.
#[rustfmt::skip]
const HARMLESS: &[&str] = &[
    "breast cancer", "chicken breast", "chink in", "egg whites only", "maine coon", "moby dick", "naked eye", "negra", "negro",
    "nga", "niger", "niggard", "sex education", "spick and span",
    "wash whites only", "whites only at",
];

/// Slurs against peoples and beliefs, and calls for their murder: severe, whatever rustrict rates them.
#[rustfmt::skip]
const RACIST: &[&str] = &[
    "beaner", "cameljockey", "chingchong", "chink", "coon", "deathtojew", "deathtothejew", "dirtymuslim", "gasjew",
    "gasalljew", "gasthejew", "hateblack", "heilhitler", "jigabo", "kike", "killallblack", "killallmuslim", "killingjew",
    "killjew", "killmuslim", "klansman", "klansmen", "kuklux", "kyke", "neger", "ngger", "nicca", "nigga", "nigger", "nigs",
    "niguh", "niqq", "siegheil", "slanteye", " spick", " spics", "whitesonly", "wigga", "wigger", "zigabo", "ziperhead",
    "黑鬼",
];

/// The racist words, as rustrict searches for them.
static RACIST_WORDS: LazyLock<Trie> = LazyLock::new(|| {
    let mut words = Trie::new();
    for word in RACIST {
        words.set(word, Type::OFFENSIVE & Type::SEVERE);
    }
    words
});

/// rustrict's severities, the worst first, with their values between 0 and 1.
const SEVERITIES: [(Threshold, Type, f64); 3] = [
    (Threshold::Severe, Type::SEVERE, 1.0),
    (Threshold::Moderate, Type::MODERATE, 0.6),
    (Threshold::Mild, Type::MILD, 0.3),
];

/// The analyser: from which severity on each of rustrict's categories counts.
pub struct Lexicon {
    /// In this order, of findings of one severity, the first is preferred.
    categories: [(Type, Threshold); 5],
}

impl Lexicon {
    /// An analyser with these thresholds.
    pub fn new(settings: &Analysis) -> Self {
        Self {
            categories: [
                (Type::OFFENSIVE, settings.moderation_offensive_threshold),
                (Type::SEXUAL, settings.moderation_sexual_threshold),
                (Type::PROFANE, settings.moderation_profane_threshold),
                (Type::MEAN, settings.moderation_mean_threshold),
                (Type::SPAM, settings.moderation_spam_threshold),
            ],
        }
    }
}

impl Analyser for Lexicon {
    fn analyse(&self, text: &str) -> Option<Finding> {
        let text = as_read(text);
        let whole = classify(&text, None);
        let mut worst: Option<Worst> = None;
        for (category, threshold) in self.categories.into_iter().filter(|category| category.1 != Threshold::None) {
            if let Some(found) = find_worst(&text, whole, category)
                && found.severity >= threshold
                && worst.as_ref().is_none_or(|worst| worst.severity < found.severity)
            {
                worst = Some(found);
            }
        }
        let Worst { severity, reason, words } = worst?;
        Some(Finding { reason, severity: value(severity)?, words })
    }
}

/// The worst that was found of one category.
struct Worst {
    severity: Threshold,
    reason: ContractReason,
    /// The words of this severity and reason; of spam, which is a property of the whole text, there are none.
    words: Vec<String>,
}

impl Worst {
    fn name(&mut self, word: String) {
        if self.words.len() < MAX_NAMED && !self.words.contains(&word) {
            self.words.push(word);
        }
    }
}

/// How bad the worst words of a text are, by kind: 0 where there is none, 1 for the most severe.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WordSeverities {
    /// Swear words and slurs.
    pub profane: f64,
    pub sexual: f64,
}

/// The severities of the words of a text, whatever the thresholds.
pub fn severities(text: &str) -> WordSeverities {
    let text = as_read(text);
    let whole = classify(&text, None);
    let severity = |category: Type| {
        let worst = find_worst(&text, whole, category).and_then(|worst| value(worst.severity));
        worst.unwrap_or_default()
    };
    WordSeverities { profane: severity(Type::PROFANE).max(severity(Type::OFFENSIVE)), sexual: severity(Type::SEXUAL) }
}

/// The value of a severity between 0 and 1.
fn value(severity: Threshold) -> Option<f64> {
    SEVERITIES.into_iter().find(|known| known.0 == severity).map(|(_, _, value)| value)
}

/// A text as a person reads it: in the order of display, without what is invisible, and as much of it as is read.
fn as_read(text: &str) -> String {
    let mut shown: Vec<char> = as_displayed(text).into_iter().filter(|c| !is_invisible(*c)).collect();
    if shown.len() > MAX_CHARS {
        // A line break, so that no word comes of the two parts.
        let left_out = MAX_CHARS - END_CHARS..shown.len() - END_CHARS;
        drop(shown.splice(left_out, ['\n']));
    }
    shown.into_iter().collect()
}

/// The most severe word of one category in a text, which rustrict classifies as `whole`.
fn find_worst(text: &str, whole: Type, category: Type) -> Option<Worst> {
    if category == Type::OFFENSIVE {
        let racist = find_words(text, Some(&RACIST_WORDS), Type::OFFENSIVE);
        if !racist.is_empty() {
            let mut worst = Worst { severity: Threshold::Severe, reason: ContractReason::Racism, words: Vec::new() };
            for word in racist {
                worst.name(word);
            }
            return Some(worst);
        }
    }
    let mut worst: Option<Worst> = None;
    for (severity, level, _) in SEVERITIES.into_iter().filter(|(_, level, _)| whole.is(category & *level)) {
        if category == Type::SPAM {
            return Some(Worst { severity, reason: ContractReason::RulesViolation, words: Vec::new() });
        }
        for word in find_words(text, None, category & level) {
            let (severity, reason) = (severity.min(max_severity(&word)), reason(category, &word));
            match &mut worst {
                Some(worst) if worst.severity > severity => {}
                Some(worst) if worst.severity == severity => {
                    if worst.reason == reason {
                        worst.name(word);
                    }
                }
                _ => worst = Some(Worst { severity, reason, words: vec![word] }),
            }
        }
    }
    worst
}

fn reason(category: Type, word: &str) -> ContractReason {
    match category {
        Type::SEXUAL => ContractReason::Nudity,
        Type::MEAN => ContractReason::RulesViolation,
        // Only the spellings of one word are as profane as they are offensive to rustrict.
        Type::OFFENSIVE if classify(word, None).is(Type::PROFANE & Type::SEVERE) => ContractReason::Racism,
        _ => ContractReason::OffensiveContent,
    }
}

/// The highest severity that a word can have. It knows plain spellings only: an evasive spelling shows intent.
fn max_severity(word: &str) -> Threshold {
    let squeeze = |word: &str| -> Vec<char> {
        let mut letters: Vec<char> = word.to_lowercase().chars().filter(|c| *c != ' ' && *c != '\'').collect();
        letters.dedup();
        letters
    };
    let among = |words: &[&str]| words.iter().any(|known| squeeze(known) == squeeze(word));
    match () {
        () if among(MILD) => Threshold::Mild,
        () if among(MODERATE) => Threshold::Moderate,
        () => Threshold::Severe,
    }
}

/// Scans a text with rustrict's words, or with others.
fn censor<'a>(text: &'a str, words: Option<&'static Trie>) -> Censor<std::str::Chars<'a>> {
    let mut censor = Censor::from_str(text);
    // Stars in a word are self-censorship, which is no offence.
    censor.with_ignore_self_censoring(true);
    if let Some(words) = words {
        censor.with_trie(words);
    }
    censor
}

/// Classifies a whole text.
fn classify(text: &str, words: Option<&'static Trie>) -> Type {
    censor(text, words).analyze()
}

/// Finds the words and phrases of this type in a text. rustrict reports the place of a hit only by replacing its letters, so
/// a hit is where the censored text differs from the uncensored one.
fn find_words(text: &str, words: Option<&'static Trie>, kind: Type) -> Vec<String> {
    let censor_kind = |kind: Type| -> Vec<char> {
        let mut censor = censor(text, words);
        censor.with_censor_threshold(kind).with_censor_first_character_threshold(Type::ANY);
        censor.with_censor_replacement(REPLACEMENT).censor().chars().collect()
    };
    let censored = censor_kind(kind);
    // Accents are lost in both, so that places in one are places in the other.
    let text = censor_kind(Type::NONE);
    let is_censored = |at: &usize| text[*at] != censored[*at];
    let mut found = Vec::new();
    let mut end = 0;
    while let Some(start) = (end..text.len().min(censored.len())).find(is_censored) {
        end = (start..censored.len()).find(|at| !is_censored(at)).unwrap_or(censored.len());
        found.extend(Hit { text: &text, start, end }.word(|word| classify(word, words).is(kind)));
    }
    found
}

/// A place in a text that rustrict reports as a bad word.
struct Hit<'a> {
    text: &'a [char],
    start: usize,
    end: usize,
}

impl Hit<'_> {
    /// The word or phrase of the hit, when it is one: not the end of one word and the beginning of the next, not
    /// a number, and not harmless.
    fn word(&self, is_bad: impl Fn(&str) -> bool) -> Option<String> {
        let hit = &self.text[self.start..self.end];
        if self.is_harmless() {
            return None;
        }
        let whole = self.begins_word() && self.ends_word();
        let words = words(hit);
        let pieces = pieces(hit).count();
        match &words[..] {
            [word] if pieces > 1 || word.chars().count() == hit.len() => {
                return (whole && is_word(word)).then(|| word.clone());
            }
            _ => {}
        }
        let is_phrase = words.len() < pieces || hit.iter().all(|c| is_part(*c) || matches!(c, ' ' | '\'' | '’'));
        let are_words = words.iter().all(|word| letters(word) > 1 || matches!(word.as_str(), "a" | "i" | "u"));
        let is_long =
            words.iter().any(|word| letters(word) >= MIN_PHRASE_WORD) || letters(&words.concat()) >= MIN_PHRASE;
        if whole && is_phrase && are_words && is_long {
            return Some(words.join(" "));
        }
        // Overlapping hits are censored as one; one of its words may be bad by itself.
        let is_harmless = |word: &str| HARMLESS.contains(&word.to_lowercase().as_str());
        let mut words = words.into_iter().skip(usize::from(!self.begins_word()));
        words.find(|word| is_word(word) && !is_harmless(word) && is_bad(word))
    }

    fn begins_word(&self) -> bool {
        let Some(before) = self.start.checked_sub(1).map(|at| self.text[at]) else { return true };
        !before.is_alphanumeric() || (before.is_lowercase() && self.text[self.start].is_uppercase())
    }

    /// Whether the word ends there, or with an ending of two letters, as in a plural.
    fn ends_word(&self) -> bool {
        self.text[self.end..].iter().take_while(|c| c.is_alphanumeric()).count() <= 2
    }

    fn is_harmless(&self) -> bool {
        let stands_at = |phrase: &str, at: usize| {
            let length = phrase.chars().count();
            let there = self.text[at..].iter().flat_map(|c| c.to_lowercase()).take(length);
            at + length >= self.end && there.eq(phrase.chars())
        };
        let near =
            |phrase: &str| (self.start.saturating_sub(phrase.len())..=self.start).any(|at| stands_at(phrase, at));
        HARMLESS.iter().any(|phrase| near(phrase))
    }
}

/// Whether a character may be a part of a word, or stand for a letter in it.
fn is_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '@' | '$' | '!' | '*' | '|' | '+')
}

/// The parts of a text between blanks and punctuation that have a letter.
fn pieces(text: &[char]) -> impl Iterator<Item = &[char]> {
    text.split(|c| !is_part(*c)).filter(|piece| piece.iter().any(|c| c.is_alphabetic()))
}

/// The words of a text; three and more single letters in a row are one that was spelled with gaps.
fn words(text: &[char]) -> Vec<String> {
    let pieces: Vec<&[char]> = pieces(text).collect();
    let mut words = Vec::new();
    for run in pieces.chunk_by(|left, right| left.len() == 1 && right.len() == 1) {
        if run.len() >= MIN_WORD {
            words.push(run.iter().copied().flatten().collect());
        } else {
            words.extend(run.iter().map(|piece| piece.iter().collect::<String>()));
        }
    }
    words
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphabetic()).count()
}

/// Whether it is mostly letters, and enough of them; in scripts without an alphabet two make a word.
fn is_word(text: &str) -> bool {
    let enough = if text.is_ascii() { MIN_WORD } else { 2 };
    letters(text) >= enough && 2 * letters(text) > text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moderations::services::Implementation;

    fn severe() -> Lexicon {
        Lexicon::new(&Analysis {
            analyser: Implementation::Rustrict,
            moderation_profane_threshold: Threshold::Severe,
            moderation_offensive_threshold: Threshold::Severe,
            moderation_sexual_threshold: Threshold::Severe,
            moderation_mean_threshold: Threshold::Severe,
            moderation_spam_threshold: Threshold::None,
        })
    }

    /// The longest text of the platform is read whole, and of a megabyte the beginning and the end, whatever fills it.
    #[test]
    fn of_an_endless_text_the_beginning_and_the_end_are_read() {
        let lexicon = severe();
        let started = std::time::Instant::now();
        let begun = format!("kill yourself {}", "good day ".repeat(110_000));
        let mut endless = vec![begun];
        for filling in ["z\u{301}\u{302}\u{303}", "\u{202e}abc\u{202c} ", "😂"] {
            endless.push(format!("{} kill yourself", filling.repeat(1_000_000 / filling.len())));
        }
        for text in endless {
            let found = lexicon.analyse(&text).map(|found| found.reason);
            assert_eq!(found, Some(ContractReason::RulesViolation), "{text:.20}");
        }
        let longest = format!("{}kill yourself {}", "good day ".repeat(1_110), "good day ".repeat(1_110));
        assert!(longest.len() < MAX_CHARS && lexicon.analyse(&longest).is_some());
        assert_eq!(as_read(&"a".repeat(MAX_CHARS)).len(), MAX_CHARS);
        assert_eq!(as_read(&"a".repeat(1_000_000)).len(), MAX_CHARS + 1);
        assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    }

    /// A finding names the words that it is about as they are written, each once, and no milder ones.
    #[test]
    fn a_finding_names_its_words() {
        let lexicon = severe();
        let found = |text: &str| lexicon.analyse(text).map(|found| (found.reason, found.words));
        let named = |reason, word: &str| Some((reason, vec![word.to_owned()]));
        assert_eq!(found("What crap, you n1gger, you n1gger!"), named(ContractReason::Racism, "n1gger"));
        assert_eq!(found("you faggot, what a faggot"), named(ContractReason::OffensiveContent, "faggot"));
        assert_eq!(found("just kill yourself"), named(ContractReason::RulesViolation, "kill yourself"));
        assert_eq!(found("a nice day"), None);
    }
}
