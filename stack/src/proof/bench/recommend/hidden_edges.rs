//! The test of hidden edges: a tenth of the friendships of a network is held out, and a way of recommending people is judged by how many of
//! them it finds again.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::proof::bench::feed::graph::{FACEBOOK_PEOPLE, Network};

/// What networks and what is held out of them are drawn from.
const SEED: u64 = 7;
/// People on a list of which it is measured who they are.
pub const LIST: usize = 10;
/// Groups of a university: years and houses.
const GROUPS: u32 = 24;
/// Friendships of the graph socfb-Reed98, as in [`Network::facebook`].
const FRIENDSHIPS: usize = 18_812;
/// The share of friendships that close a triangle, and of the others the share that stays in the group.
const CLOSING: f64 = 0.35;
const WITHIN: f64 = 0.6;

/// A list for each person, the best first.
pub type Lists = BTreeMap<u32, Vec<u32>>;

/// A network of which a part is hidden.
pub struct HiddenEdges {
    pub people: u32,
    /// What is known, in both directions.
    pub known: BTreeMap<u32, BTreeSet<u32>>,
    /// What is to be found.
    pub hidden: BTreeMap<u32, BTreeSet<u32>>,
}

impl HiddenEdges {
    /// Hides a tenth of the friendships.
    pub fn of(network: &Network) -> HiddenEdges {
        let mut dice = StdRng::seed_from_u64(SEED);
        let mut friendships: Vec<_> = network.edges.iter().filter(|(one, other)| one < other).copied().collect();
        friendships.shuffle(&mut dice);
        let (hidden, known) = friendships.split_at(friendships.len() / 10);
        HiddenEdges { people: network.people, known: neighbours(known), hidden: neighbours(hidden) }
    }

    /// Resource allocation, or with `counting` the number of common friends, as Mastodon has it.
    pub fn lists(&self, counting: bool) -> Lists {
        let mut lists = Lists::new();
        for (person, own) in &self.known {
            let mut scores: BTreeMap<u32, f64> = BTreeMap::new();
            for near in own {
                let theirs = &self.known[near];
                let share = if counting { 1.0 } else { 1.0 / ratio(theirs.len(), 1) };
                for far in theirs.iter().filter(|far| *far != person && !own.contains(far)) {
                    *scores.entry(*far).or_default() += share;
                }
            }
            let mut scores: Vec<_> = scores.into_iter().collect();
            scores.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
            lists.insert(*person, scores.into_iter().take(LIST).map(|(far, _)| far).collect());
        }
        lists
    }

    /// The share of hidden friends that is on the lists, of all people together: of each at most as many as a list has places.
    pub fn recall(&self, lists: &Lists) -> f64 {
        let shares = self.hidden.iter().map(|(person, hidden)| {
            let found = lists.get(person).map_or(0, |list| list.iter().filter(|one| hidden.contains(one)).count());
            ratio(found, hidden.len().min(LIST))
        });
        shares.sum::<f64>() / ratio(self.hidden.len(), 1)
    }

    /// The share of people that are on a list, and the Gini coefficient of how often each is.
    pub fn spread(&self, lists: &Lists) -> (f64, f64) {
        let mut shown = vec![0_usize; self.people as usize];
        lists.values().flatten().for_each(|one| shown[*one as usize] += 1);
        shown.sort_unstable();
        let (all, people) = (shown.iter().sum::<usize>(), shown.len());
        let weighted: usize = (1..).zip(&shown).map(|(rank, count)| rank * count).sum();
        let gini = 2.0 * ratio(weighted, people * all) - ratio(people + 1, people);
        (ratio(shown.iter().filter(|count| **count > 0).count(), people), gini)
    }
}

fn neighbours(friendships: &[(u32, u32)]) -> BTreeMap<u32, BTreeSet<u32>> {
    let mut all: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (one, other) in friendships {
        all.entry(*one).or_default().insert(*other);
        all.entry(*other).or_default().insert(*one);
    }
    all
}

/// The group of a person.
pub fn group(person: u32) -> u32 {
    person % GROUPS
}

/// A network of as many people and friendships as the graph, whose numbers of friends are as unequal, in groups and with closed triangles:
/// what a network of people has, and one that is drawn by numbers of friends alone has not.
pub fn university() -> Network {
    let mut dice = StdRng::seed_from_u64(SEED);
    let mut weights = Vec::new();
    let mut sum = 0.0;
    for _ in 0..FACEBOOK_PEOPLE {
        sum -= dice.random::<f64>().max(f64::MIN_POSITIVE).ln();
        weights.push(sum);
    }
    let mut friends: Vec<Vec<u32>> = vec![Vec::new(); FACEBOOK_PEOPLE as usize];
    let mut friendships = BTreeSet::new();
    while friendships.len() < FRIENDSHIPS {
        let draw = |dice: &mut StdRng| {
            let at = dice.random::<f64>() * sum;
            u32::try_from(weights.partition_point(|weight| *weight <= at)).unwrap_or_default().min(FACEBOOK_PEOPLE - 1)
        };
        let one = draw(&mut dice);
        let friend = |dice: &mut StdRng, of: u32| {
            let theirs: &Vec<u32> = &friends[of as usize];
            (!theirs.is_empty()).then(|| theirs[dice.random_range(0..theirs.len())])
        };
        let through = if dice.random_bool(CLOSING) {
            friend(&mut dice, one).and_then(|near| friend(&mut dice, near))
        } else {
            None
        };
        let other = through.unwrap_or_else(|| {
            let any = draw(&mut dice);
            let within = any - any % GROUPS + group(one);
            if dice.random_bool(WITHIN) && within < FACEBOOK_PEOPLE { within } else { any }
        });
        if one != other && friendships.insert((one.min(other), one.max(other))) {
            friends[one as usize].push(other);
            friends[other as usize].push(one);
        }
    }
    let edges = friendships.into_iter().flat_map(|(one, other)| [(one, other), (other, one)]).collect();
    Network { people: FACEBOOK_PEOPLE, edges }
}

pub fn ratio(part: usize, whole: usize) -> f64 {
    let [part, whole] = [part, whole].map(|count| f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    if whole == 0.0 { 0.0 } else { part / whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In two triangles with a common side the two who are not friends have two friends in common.
    #[test]
    fn what_is_hidden_is_found_by_common_friends() {
        let known = neighbours(&[(0, 1), (1, 2), (2, 3), (3, 0), (1, 3), (4, 0)]);
        let hidden = neighbours(&[(0, 2)]);
        let edges = HiddenEdges { people: 5, known, hidden };
        let lists = edges.lists(true);
        assert_eq!((&lists[&0], &lists[&4]), (&vec![2], &vec![1, 3]));
        assert!((edges.recall(&lists) - 1.0).abs() < 1e-9);
        assert!(
            (edges.recall(&Lists::from([(0, vec![2])])) - 0.5).abs() < 1e-9,
            "of two people one has found the other"
        );
        let (coverage, gini) = edges.spread(&Lists::from([(0, vec![2]), (4, vec![2])]));
        assert!((coverage - 0.2).abs() < 1e-9 && (gini - 0.8).abs() < 1e-9, "{coverage} {gini}");
    }

    #[test]
    fn a_university_has_the_size_of_the_graph_and_is_drawn_once() {
        let network = university();
        assert_eq!((network.people, network.edges.len()), (962, 2 * FRIENDSHIPS));
        assert_eq!(network, university());
        let hidden = HiddenEdges::of(&network);
        assert_eq!(hidden.hidden.values().map(BTreeSet::len).sum::<usize>(), 2 * (FRIENDSHIPS / 10));
        assert!(hidden.known.iter().all(|(person, own)| !own.contains(person)));
    }
}
