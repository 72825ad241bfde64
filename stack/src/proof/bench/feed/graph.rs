//! Networks of people that read each other, drawn at random from one number, so that two platforms have the same.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What all networks are drawn from.
const SEED: u64 = 1;
/// Connections of a person on average, and at most, where their number is not given.
const MEAN: f64 = 100.0;
const MOST: f64 = 1_000.0;

/// Of the graph socfb-Reed98, which `DeathStarBench` takes for its social network: people at one university, each reading all of
/// their friends. The file itself is not here; a network of the same size is drawn, as unequal: there the most popular person
/// has 313 friends, and everyone has one.
pub const FACEBOOK_PEOPLE: u32 = 962;
const FACEBOOK_FRIENDSHIPS: usize = 18_812;

/// People by number, from 0, and which of them read which.
#[derive(Debug, PartialEq)]
pub struct Network {
    pub people: u32,
    /// From the reader to the author, each pair once.
    pub edges: Vec<(u32, u32)>,
}

impl Network {
    /// A power law: of `people` numbers the one at people · u³, with u even between 0 and 1, is the next that a person reads, so
    /// that the first are known to most; how many one reads follows a power law as well, except for those whose number of
    /// connections is given. One more person, the last, is read by all others.
    pub fn power_law(people: u32, given: &BTreeMap<u32, u32>) -> Network {
        let (mut dice, mut edges) = (StdRng::seed_from_u64(SEED), Vec::new());
        for reader in 0..people {
            // The mean of this distribution is twice its least value.
            let drawn = (MEAN / 2.0 / dice.random::<f64>().max(f64::MIN_POSITIVE).sqrt()).min(MOST);
            let degree = given.get(&reader).copied().unwrap_or_else(|| floor(drawn));
            let mut targets = BTreeSet::from([people]);
            while targets.len() < degree.min(people) as usize {
                let target = floor(f64::from(people) * dice.random::<f64>().powi(3));
                if target != reader {
                    targets.insert(target);
                }
            }
            edges.extend(targets.into_iter().map(|target| (reader, target)));
        }
        Network { people: people + 1, edges }
    }

    /// Friendships, in both directions. How many each person has is spread exponentially, which comes close to the original: the
    /// most popular of 962 then has about mean · ln 962 = 270.
    pub fn facebook() -> Network {
        let (mut dice, mut friendships) = (StdRng::seed_from_u64(SEED), BTreeSet::new());
        let mut weights = Vec::new();
        let mut sum = 0.0;
        for person in 0..FACEBOOK_PEOPLE {
            let share = (f64::from(person) + 0.5) / f64::from(FACEBOOK_PEOPLE);
            sum -= share.ln();
            weights.push(sum);
            // Each has a friend at least: a neighbour, to begin with.
            friendships.insert((person.min(person ^ 1), person.max(person ^ 1)));
        }
        let mut draw = || {
            let at = dice.random::<f64>() * sum;
            u32::try_from(weights.partition_point(|weight| *weight <= at)).unwrap_or(u32::MAX)
        };
        while friendships.len() < FACEBOOK_FRIENDSHIPS {
            let (one, other) = (draw(), draw());
            if one != other {
                friendships.insert((one.min(other), one.max(other)));
            }
        }
        let edges = friendships.into_iter().flat_map(|(one, other)| [(one, other), (other, one)]).collect();
        Network { people: FACEBOOK_PEOPLE, edges }
    }

    /// The number of people that a person reads.
    pub fn degree(&self, reader: u32) -> usize {
        self.edges.iter().filter(|(from, _)| *from == reader).count()
    }
}

fn floor(number: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number that is not negative")]
    let floor = number as u32;
    floor
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of readers of all people, the largest first.
    fn audiences(network: &Network) -> Vec<usize> {
        let mut counts = vec![0; network.people as usize];
        network.edges.iter().for_each(|(_, author)| counts[*author as usize] += 1);
        counts.sort_unstable_by(|one, other| other.cmp(one));
        counts
    }

    fn is_simple(network: &Network) -> bool {
        let edges: BTreeSet<_> = network.edges.iter().collect();
        edges.len() == network.edges.len() && edges.iter().all(|(one, other)| one != other)
    }

    #[test]
    fn in_a_power_law_a_few_are_read_by_most_and_one_by_all() {
        let network = Network::power_law(1_000, &BTreeMap::from([(3, 10), (7, 5_000)]));
        assert!(is_simple(&network));
        assert_eq!((network.people, network.degree(3), network.degree(7)), (1_001, 10, 1_000));
        let audiences = audiences(&network);
        assert_eq!(audiences[0], 1_000, "the last person");
        let (top, all) = (audiences[1..101].iter().sum::<usize>(), audiences.iter().sum::<usize>());
        assert!(top * 100 > all * 30 && top * 100 < all * 70, "a tenth of the people has {top} of {all} readers");
        assert_eq!(network, Network::power_law(1_000, &BTreeMap::from([(3, 10), (7, 5_000)])), "the same again");
    }

    #[test]
    fn the_shape_of_facebook_is_that_of_the_graph() {
        let network = Network::facebook();
        assert!(is_simple(&network));
        assert_eq!((network.people, network.edges.len()), (962, 2 * 18_812));
        let edges: BTreeSet<_> = network.edges.iter().copied().collect();
        assert!(edges.iter().all(|(one, other)| edges.contains(&(*other, *one))), "friendships go both ways");
        let audiences = audiences(&network);
        assert!((220..=400).contains(&audiences[0]), "the most popular has {} friends", audiences[0]);
        assert!(audiences[961] >= 1, "nobody is without a friend");
    }
}
