//! Usernames for people who come from a provider: from what they are called there, as far as that is a username here.
use crate::names::folding::fold;
use crate::profiles::services::{USERNAME, username_fault};

/// How many are tried of each name with a number behind it, before the account stays without one: its person chooses.
const NUMBERED: usize = 8;

/// Usernames to be tried in this order, made of names in their order.
pub fn candidates(names: [Option<&str>; 2]) -> Vec<String> {
    let bases: Vec<String> = names.into_iter().flatten().map(base).collect();
    let numbered = |base: &String| {
        let room = USERNAME.1 - 4;
        let short: String = base.chars().take(room).collect();
        format!("{short}{:04}", rand::random::<u16>() % 10_000)
    };
    let plain = bases.iter().cloned();
    let others = bases.iter().flat_map(|base| (0..NUMBERED).map(move |_| numbered(base)));
    plain.chain(others).filter(|name| username_fault(name).is_none()).collect()
}

/// The letters and digits of a name, without case and diacritics; between its words a `.`.
fn base(name: &str) -> String {
    let folded = fold(name);
    let words = folded.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let joined = words.collect::<Vec<_>>().join(".");
    let cut: String = joined.chars().take(USERNAME.1).collect();
    cut.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a provider calls a person becomes a username that the rules accept, whatever it was.
    #[test]
    fn usernames_come_from_names_and_keep_the_rules() {
        assert_eq!(candidates([Some("Ánna_B"), None])[0], "anna.b");
        assert_eq!(candidates([None, Some("Anna  Müller-Lüdenscheidt")])[0], "anna.muller.ludenscheidt");
        let long = candidates([Some(&"ab".repeat(40)), None]);
        assert_eq!((long[0].len(), long[1].len(), long.len()), (30, 30, 1 + NUMBERED));
        assert_eq!(candidates([None, None]), Vec::<String>::new());
        assert_eq!(candidates([Some("安娜"), Some("!?")]), Vec::<String>::new(), "no letter of a username is left");
        let reserved = candidates([Some("admin"), None]);
        assert!(!reserved.contains(&"admin".to_owned()), "{reserved:?}");
        assert!(candidates([Some("anna"), None])[1].starts_with("anna"));
    }
}
