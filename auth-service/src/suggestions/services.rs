//! The order of suggestions, and the reason given with each.
use std::collections::BTreeSet;

use uuid::Uuid;

use super::models::Candidate;

/// The weight of sharing all interests, in units of resource: as much as one common connection to a user who has 20
/// connections. Between people with the same common connections interests decide; two common friends outweigh them.
const INTERESTS: f64 = 0.05;

/// A suggested user.
#[derive(Debug, PartialEq)]
pub struct Suggestion {
    pub id: Uuid,
    /// Resource allocation over common connections, and [`INTERESTS`] times the share of common interests; at least 0.
    pub score: f64,
    pub common: i64,
    /// In the order of the alphabet, each once.
    pub shared_interests: Vec<String>,
}

impl Suggestion {
    /// A candidate, scored for a user with these interests.
    pub fn new(candidate: &Candidate, interests: &[String]) -> Self {
        let (own, theirs): (BTreeSet<&String>, BTreeSet<&String>) =
            (interests.iter().collect(), candidate.interests.iter().collect());
        let shared_interests: Vec<String> = own.intersection(&theirs).map(|interest| (*interest).clone()).collect();
        let score = candidate.resource + INTERESTS * share(shared_interests.len(), own.union(&theirs).count());
        Self { id: candidate.id, score, common: candidate.common, shared_interests }
    }

    /// Why they are suggested, in words.
    pub fn reason(&self) -> String {
        match (self.common, self.shared_interests.len()) {
            (0, 0) => "New here".into(),
            (0, 1) => "1 shared interest".into(),
            (0, shared) => format!("{shared} shared interests"),
            (1, _) => "1 mutual connection".into(),
            (common, _) => format!("{common} mutual connections"),
        }
    }
}

/// The share of what is common in all that there is (Jaccard index), 0 to 1; 0 of nothing.
fn share(common: usize, all: usize) -> f64 {
    let number = |count: usize| u32::try_from(count).map_or(f64::MAX, f64::from);
    if all == 0 { 0.0 } else { number(common) / number(all) }
}

/// The best candidates for a user with these interests, best first; among equals, the older account first.
pub fn rank(candidates: &[Candidate], interests: &[String], rows: usize) -> Vec<Suggestion> {
    let mut ranked: Vec<_> = candidates.iter().map(|candidate| Suggestion::new(candidate, interests)).collect();
    ranked.sort_by(|one, other| other.score.total_cmp(&one.score).then(one.id.cmp(&other.id)));
    ranked.truncate(rows);
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn candidate(id: u128, resource: f64, common: i64, interests: &[&str]) -> Candidate {
        Candidate { id: Uuid::from_u128(id), resource, common, interests: words(interests) }
    }

    #[test]
    fn shared_interests_add_their_share_of_a_weak_common_connection() {
        // Of NEWS, SPORTS and FOOD one is common; that FOOD stands there twice says nothing.
        let found = Suggestion::new(&candidate(1, 0.5, 2, &["FOOD", "NEWS", "FOOD"]), &words(&["NEWS", "SPORTS"]));
        assert!((found.score - (0.5 + 0.05 / 3.0)).abs() < 1e-12, "{}", found.score);
        assert_eq!((found.common, found.shared_interests), (2, words(&["NEWS"])));
        let none = Suggestion::new(&candidate(1, 0.25, 1, &[]), &[]);
        assert!((none.score - 0.25).abs() < 1e-12);
    }

    #[test]
    fn the_best_come_first_and_interests_decide_between_equals() {
        let own = words(&["NEWS"]);
        let candidates = [
            candidate(1, 0.2, 1, &[]),
            candidate(2, 0.2, 1, &["NEWS"]),
            candidate(3, 0.26, 2, &[]),
            candidate(4, 0.2, 1, &[]),
        ];
        let ids = |rows| rank(&candidates, &own, rows).iter().map(|one| one.id.as_u128()).collect::<Vec<_>>();
        assert_eq!(ids(9), [3, 2, 1, 4]);
        assert_eq!(ids(2), [3, 2]);
    }

    #[test]
    fn a_reason_is_the_strongest_thing_that_speaks_for_somebody() {
        let reason = |common, interests: &[&str]| {
            Suggestion::new(&candidate(1, 0.0, common, interests), &words(&["NEWS", "FOOD"])).reason()
        };
        assert_eq!(reason(3, &["NEWS"]), "3 mutual connections");
        assert_eq!(reason(1, &[]), "1 mutual connection");
        assert_eq!(reason(0, &["NEWS"]), "1 shared interest");
        assert_eq!(reason(0, &["NEWS", "FOOD"]), "2 shared interests");
        assert_eq!(reason(0, &["BOOKS"]), "New here");
    }
}
