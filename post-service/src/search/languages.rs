//! Languages: which text search configuration of Postgres stems the words of a text.
//!
//! A short text is too little to be sure of, and a query is nearly always one. What is not sure is taken for the language that is
//! read most in its script. A wrong stemmer costs little, since each word is indexed as it is written, too; that queries and
//! posts of a few words are stemmed alike is worth more.
use whatlang::{Lang, detect};

/// From how many characters on a language is looked for: of two words whatlang is sure of whatever they look like.
const ENOUGH: usize = 20;
/// From which confidence on a language counts, 0 to 1: below it, English sentences were taken for Norwegian ones.
const CONFIDENCE: f64 = 0.4;
/// How much of a text is looked at, in bytes: more makes no verdict surer.
const SAMPLE: usize = 1_000;
/// The configuration that only takes words as they are.
pub const SIMPLE: &str = "simple";

/// The configuration of a text; `simple` where Postgres has no stemmer of its language or script.
pub fn configuration_of(text: &str) -> &'static str {
    let sample = &text[..text.floor_char_boundary(SAMPLE)];
    let is_enough = sample.chars().nth(ENOUGH).is_some();
    let found = is_enough.then(|| detect(sample)).flatten().filter(|found| found.confidence() >= CONFIDENCE);
    found.map_or_else(|| by_script(sample), |found| configuration(found.lang()))
}

fn by_script(text: &str) -> &'static str {
    let of_letter = |c| match c {
        'a'..='z' | 'A'..='Z' => Some("english"),
        '\u{400}'..='\u{4ff}' => Some("russian"),
        '\u{370}'..='\u{3ff}' => Some("greek"),
        '\u{600}'..='\u{6ff}' => Some("arabic"),
        _ => None,
    };
    text.chars().find_map(of_letter).unwrap_or(SIMPLE)
}

fn configuration(lang: Lang) -> &'static str {
    match lang {
        Lang::Ara => "arabic",
        Lang::Cat => "catalan",
        Lang::Dan => "danish",
        Lang::Deu => "german",
        Lang::Ell => "greek",
        Lang::Eng => "english",
        Lang::Fin => "finnish",
        Lang::Fra => "french",
        Lang::Hin => "hindi",
        Lang::Hun => "hungarian",
        Lang::Hye => "armenian",
        Lang::Ind => "indonesian",
        Lang::Ita => "italian",
        Lang::Lit => "lithuanian",
        Lang::Nep => "nepali",
        Lang::Nld => "dutch",
        Lang::Nob => "norwegian",
        Lang::Por => "portuguese",
        Lang::Ron => "romanian",
        Lang::Rus => "russian",
        Lang::Spa => "spanish",
        Lang::Srp => "serbian",
        Lang::Swe => "swedish",
        Lang::Tam => "tamil",
        Lang::Tur => "turkish",
        Lang::Yid => "yiddish",
        _ => SIMPLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sentence is enough to know a language by; of what is shorter, or strange, the script decides.
    #[test]
    fn a_language_is_found_in_a_sentence() {
        let german = "Die Katze sitzt auf der Matte und schaut aus dem Fenster, während es draußen regnet.";
        assert_eq!(configuration_of(german), "german");
        assert_eq!(configuration_of("me encantan los gatos y los perros"), "spanish");
        assert_eq!(
            configuration_of("猫が窓の外を見ています。今日は雨が降っています。"),
            SIMPLE,
            "Postgres has no stemmer of it"
        );
        for (text, expected) in
            [("running", "english"), ("бегущий", "russian"), ("猫", SIMPLE), ("", SIMPLE), ("🎉 2", SIMPLE)]
        {
            assert_eq!(configuration_of(text), expected, "{text}");
        }
        let unsure =
            "The engineers were running along the river because they had heard about nothing else, says Charles.";
        assert_eq!(configuration_of(unsure), "english");
    }
}
