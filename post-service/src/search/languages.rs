//! Languages: which text search configuration of Postgres stems the words of a text.
use whatlang::{Lang, detect};

/// How much of a text is looked at, in bytes: more makes no verdict surer.
const SAMPLE: usize = 1_000;
/// The configuration that only takes words as they are.
pub const SIMPLE: &str = "simple";

/// The configuration of a post's text; `simple` where the language is not sure, or Postgres has no stemmer of it.
pub fn of_text(text: &str) -> &'static str {
    let sample = &text[..text.floor_char_boundary(SAMPLE)];
    detect(sample).filter(|found| found.is_reliable()).map_or(SIMPLE, |found| configuration(found.lang()))
}

/// The configuration of a query beside `simple`. A few words are too little to be sure of, so they are taken for English where
/// their script allows it, and for Russian, Greek and Arabic, which are read in their scripts most.
pub fn of_query(text: &str) -> &'static str {
    let found = of_text(text);
    if found != SIMPLE {
        return found;
    }
    text.chars()
        .find_map(|c| match c {
            'a'..='z' | 'A'..='Z' => Some("english"),
            '\u{400}'..='\u{4ff}' => Some("russian"),
            '\u{370}'..='\u{3ff}' => Some("greek"),
            '\u{600}'..='\u{6ff}' => Some("arabic"),
            _ => None,
        })
        .unwrap_or(SIMPLE)
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

    /// A sentence is enough to know a language; a word is not.
    #[test]
    fn a_language_is_found_in_a_sentence() {
        let german = "Die Katze sitzt auf der Matte und schaut aus dem Fenster, während es draußen regnet.";
        let english = "The engine can do whatever we know how to order it to perform, and nothing else at all.";
        assert_eq!((of_text(german), of_text(english), of_text("Ada")), ("german", "english", SIMPLE));
        assert_eq!(of_text("猫が窓の外を見ています。今日は雨が降っています。"), SIMPLE, "Postgres has no stemmer of it");
        assert_eq!((of_query("running"), of_query("бегущий"), of_query("猫")), ("english", "russian", SIMPLE));
        assert_eq!((of_text(""), of_query("")), (SIMPLE, SIMPLE));
    }
}
