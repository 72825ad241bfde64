//! The order of recommended people, by one formula, and the reason that is given with each.
//!
//! ```text
//! graph = Σ 1/degree(m) over common connections m        resource allocation (Zhou, Lü, Zhang 2009)
//!       + 0.05 · whether they are connected to the person  they have shown interest themselves
//!       + 0.15 · taste in common                           what they listen to, where the other shares it
//!
//! score = graph · (1 + 2 · affinities in common)         weighted Jaccard index over categories and tags
//!       + 0.02 · affinities in common
//!       + 0.02 · interests in common                       Jaccard index
//! ```
//!
//! The unit is that of resource allocation: 0.05 is what one common connection with 20 connections gives. Affinities multiply what
//! the graph says, as evidence that is independent of other evidence multiplies the odds: added to it, they would count for
//! much where it says little, and for nothing between people of whom it says much. What is added is for people of whom it says the
//! same, or nothing; without any traits the order is that of the graph.
use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::candidates::models::{Between, MAX_OWN, PersonAhead, Traits};
use crate::affinities::services::{Weights, overlap, share};

/// What it counts that a candidate is connected to the person.
const FOLLOWS: f64 = 0.05;
/// What all interests in common count.
const INTERESTS: f64 = 0.02;
/// What equal affinities count by themselves.
const AFFINITIES: f64 = 0.02;
/// By how much of itself equal affinities raise what the graph says.
const RAISED: f64 = 2.0;
/// What equal tastes count.
const TASTE: f64 = 0.15;
/// Candidates whose traits are compared: by then the graph has said who they are.
const LOOKED_AT: usize = 60;

/// A person with what they score for another one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredPerson {
    pub id: Uuid,
    pub score: f64,
}

/// Orders by score; among equals, the older account comes first.
fn sort(people: &mut [ScoredPerson]) {
    people.sort_unstable_by(|one, other| other.score.total_cmp(&one.score).then(one.id.cmp(&other.id)));
}

/// The people that the graph and shared tags lead to, the best first: not the person, not their connections, none of the excluded.
pub fn gather(person: &PersonAhead, between: &HashMap<Uuid, Between>) -> Vec<ScoredPerson> {
    let mut scores: HashMap<Uuid, f64> = HashMap::new();
    let own = usize::try_from(MAX_OWN).map_or(&person.own[..], |most| &person.own[..person.own.len().min(most)]);
    for near in own.iter().filter_map(|near| between.get(near)) {
        let share = 1.0 / f64::from(u32::try_from(near.degree.max(1)).unwrap_or(u32::MAX));
        for far in &near.reached {
            *scores.entry(*far).or_default() += share;
        }
    }
    for follower in &person.followers {
        *scores.entry(*follower).or_default() += FOLLOWS;
    }
    for (other, similarity) in person.similar.iter().zip(&person.similarities) {
        *scores.entry(*other).or_default() += TASTE * similarity;
    }
    for like_minded in &person.like_minded {
        scores.entry(*like_minded).or_default();
    }
    scores.remove(&person.user_id);
    let taken: HashSet<&Uuid> = person.own.iter().chain(&person.excluded).collect();
    let mut gathered: Vec<_> = scores
        .into_iter()
        .filter(|(id, _)| !taken.contains(id))
        .map(|(id, score)| ScoredPerson { id, score })
        .collect();
    sort(&mut gathered);
    gathered.truncate(LOOKED_AT);
    gathered
}

/// Candidates with what their traits add to their scores, the best `rows` of them; those without traits are not here any more.
pub fn rank(
    gathered: Vec<ScoredPerson>,
    own: &Traits,
    traits: &HashMap<Uuid, Traits>,
    rows: usize,
) -> Vec<ScoredPerson> {
    let nothing = Weights::new();
    let own_weights = own.weights.as_ref().map_or(&nothing, |weights| &weights.0);
    let scored = gathered.into_iter().filter_map(|candidate| {
        let theirs = traits.get(&candidate.id)?;
        let interests = INTERESTS * share(&own.interests, &theirs.interests);
        let alike = overlap(own_weights, theirs.weights.as_ref().map_or(&nothing, |weights| &weights.0));
        let score = candidate.score * (1.0 + RAISED * alike) + AFFINITIES * alike + interests;
        Some(ScoredPerson { id: candidate.id, score })
    });
    let mut ranked: Vec<_> = scored.collect();
    sort(&mut ranked);
    ranked.truncate(rows);
    ranked
}

/// What speaks for a person at the moment in which they are shown.
#[derive(Clone, Copy, Debug)]
pub struct Grounds<'a> {
    pub mutual_connections: i64,
    pub follows_you: bool,
    pub similar_taste: bool,
    pub shared_topics: &'a [String],
    pub shared_interests: &'a [String],
}

impl Grounds<'_> {
    /// The strongest ground in words.
    pub fn reason(&self) -> String {
        match (self.mutual_connections, self.shared_interests.len()) {
            (1, _) => "1 mutual connection".into(),
            (2.., _) => format!("{} mutual connections", self.mutual_connections),
            _ if self.follows_you => "Connected to you".into(),
            _ if self.similar_taste => "Listens to the same music".into(),
            _ if !self.shared_topics.is_empty() => {
                format!("Active in the same topics: {}", self.shared_topics.join(", "))
            }
            (_, 1) => "1 shared interest".into(),
            (_, 2..) => format!("{} shared interests", self.shared_interests.len()),
            _ => "New to you".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::types::Json;

    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn person(own: &[u128]) -> PersonAhead {
        let own = own.iter().map(|number| id(*number)).collect();
        PersonAhead {
            user_id: id(1),
            own,
            followers: vec![],
            like_minded: vec![],
            similar: vec![],
            similarities: vec![],
            excluded: vec![],
        }
    }

    fn between(all: &[(u128, &[u128], i64)]) -> HashMap<Uuid, Between> {
        let one = |(number, reached, degree): &(u128, &[u128], i64)| {
            let reached = reached.iter().map(|number| id(*number)).collect();
            (id(*number), Between { id: id(*number), reached, degree: *degree })
        };
        all.iter().map(one).collect()
    }

    fn scores(people: &[ScoredPerson]) -> Vec<(u128, f64)> {
        people.iter().map(|one| (one.id.as_u128(), (one.score * 1e6).round() / 1e6)).collect()
    }

    #[test]
    fn each_connection_divides_one_unit_among_theirs() {
        let near = between(&[(2, &[1, 3, 10, 11], 4), (3, &[11, 12], 20)]);
        let mut anna = person(&[2, 3]);
        assert_eq!(scores(&gather(&anna, &near)), [(11, 0.3), (10, 0.25), (12, 0.05)], "neither herself nor her own");
        anna.excluded = vec![id(11)];
        anna.followers = vec![id(12), id(13)];
        anna.like_minded = vec![id(14), id(10)];
        (anna.similar, anna.similarities) = (vec![id(15)], vec![0.2]);
        let expected = [(10, 0.25), (12, 0.1), (13, 0.05), (15, 0.03), (14, 0.0)];
        assert_eq!(scores(&gather(&anna, &near)), expected);
    }

    #[test]
    fn traits_raise_what_the_graph_says_and_decide_where_it_says_the_same() {
        let traits = |number, interests: &[&str], weights: &[(&str, f64)]| Traits {
            id: id(number),
            interests: interests.iter().map(|word| (*word).to_owned()).collect(),
            weights: Some(Json(weights.iter().map(|(word, weight)| ((*word).to_owned(), *weight)).collect())),
        };
        let own = traits(1, &["NEWS"], &[("NEWS", 1.0)]);
        let all = [
            traits(10, &[], &[]),
            traits(11, &["NEWS", "FOOD"], &[]),
            traits(12, &[], &[("NEWS", 0.5), ("FOOD", 0.5)]),
            traits(13, &["NEWS"], &[("NEWS", 1.0)]),
        ];
        let all: HashMap<_, _> = all.into_iter().map(|traits| (traits.id, traits)).collect();
        let gathered: Vec<_> = [(10, 0.2), (11, 0.1), (12, 0.1), (13, 0.1), (14, 0.9)]
            .map(|(number, score)| ScoredPerson { id: id(number), score })
            .into();
        let expected = [(13, 0.34), (10, 0.2), (12, 0.173_333), (11, 0.11)];
        assert_eq!(scores(&rank(gathered.clone(), &own, &all, 9)), expected, "and who is gone is not there");
        assert_eq!(scores(&rank(gathered, &own, &all, 2)), expected[..2]);
    }

    #[test]
    fn a_reason_is_the_strongest_ground() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let (topics, interests) = (words(&["#rust", "NEWS"]), words(&["NEWS", "FOOD"]));
        let mut grounds = Grounds {
            mutual_connections: 3,
            follows_you: true,
            similar_taste: true,
            shared_topics: &topics,
            shared_interests: &interests,
        };
        assert_eq!(grounds.reason(), "3 mutual connections");
        grounds.mutual_connections = 1;
        assert_eq!(grounds.reason(), "1 mutual connection");
        grounds.mutual_connections = 0;
        assert_eq!(grounds.reason(), "Connected to you");
        grounds.follows_you = false;
        assert_eq!(grounds.reason(), "Listens to the same music");
        grounds.similar_taste = false;
        assert_eq!(grounds.reason(), "Active in the same topics: #rust, NEWS");
        grounds.shared_topics = &[];
        assert_eq!(grounds.reason(), "2 shared interests");
        grounds.shared_interests = &interests[..1];
        assert_eq!(grounds.reason(), "1 shared interest");
        grounds.shared_interests = &[];
        assert_eq!(grounds.reason(), "New to you");
    }
}
