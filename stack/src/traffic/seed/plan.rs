//! What is made: people, their connections, and threads, all at random from one number.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, index};
use rand::{RngExt, SeedableRng};

use crate::traffic::seed::words::WORDS;

/// The reactions, the frequent ones more than once.
const REACTIONS: [&str; 10] = ["LIKE", "LIKE", "LIKE", "LIKE", "LOVE", "LOVE", "FUNNY", "JOY", "SAD", "ANGRY"];
/// How many others a person connects to, at most.
const CONNECTIONS: usize = 6;
/// The number of people that view a post, at most.
const VIEWS: usize = 12;

#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub people: Vec<SeedPerson>,
    /// From and to, by position.
    pub connections: Vec<(usize, usize)>,
    pub threads: Vec<Thread>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SeedPerson {
    pub email: String,
    pub first: &'static str,
    pub last: &'static str,
    pub interests: Vec<&'static str>,
}

/// A post with what follows from it; people by position.
#[derive(Debug, Clone, PartialEq)]
pub struct Thread {
    pub author: usize,
    pub title: String,
    pub content: String,
    pub types: Vec<&'static str>,
    pub status: &'static str,
    pub views: Vec<usize>,
    pub comments: Vec<(usize, &'static str)>,
    pub reactions: Vec<(usize, &'static str)>,
}

impl Plan {
    /// The same three numbers make the same plan.
    pub fn new(number: u64, users: u32, posts: u32) -> Plan {
        let mut dice = StdRng::seed_from_u64(number);
        let people: Vec<SeedPerson> = (0..users).map(|user| person(&mut dice, number, user)).collect();
        let connections = (0..people.len()).flat_map(|from| connections(&mut dice, people.len(), from)).collect();
        let threads = (0..posts).map(|_| thread(&mut dice, &people)).collect();
        Plan { people, connections, threads }
    }

    /// What it comes to, in words.
    pub fn totals(&self) -> String {
        let sum = |of: fn(&Thread) -> usize| self.threads.iter().map(of).sum::<usize>();
        format!(
            "{} people, {} connections, {} posts, {} views, {} comments, {} reactions",
            self.people.len(),
            self.connections.len(),
            self.threads.len(),
            sum(|thread| thread.views.len()),
            sum(|thread| thread.comments.len()),
            sum(|thread| thread.reactions.len())
        )
    }
}

fn person(dice: &mut StdRng, number: u64, user: u32) -> SeedPerson {
    let (first, last) = (word(dice, &WORDS.first_names), word(dice, &WORDS.last_names));
    let count = dice.random_range(1..=4);
    let interests = index::sample(dice, WORDS.topics.len(), count)
        .into_iter()
        .map(|topic| WORDS.topics[topic].category.as_str())
        .collect();
    let email = format!("{first}.{last}.{number}.{user}@example.org").to_lowercase();
    SeedPerson { email, first, last, interests }
}

fn connections(dice: &mut StdRng, people: usize, from: usize) -> Vec<(usize, usize)> {
    let count = dice.random_range(0..=CONNECTIONS.min(people - 1));
    let others = index::sample(dice, people - 1, count);
    // No connection to themselves: positions from their own on move up by one.
    others.into_iter().map(|other| (from, if other >= from { other + 1 } else { other })).collect()
}

fn thread(dice: &mut StdRng, people: &[SeedPerson]) -> Thread {
    let author = dice.random_range(0..people.len());
    // People write about what they are interested in.
    let category = pick(dice, &people[author].interests);
    let topic = WORDS.topics.iter().find(|topic| topic.category == category).unwrap_or(&WORDS.topics[0]);
    let mut types = vec![category];
    if dice.random_bool(0.3) {
        types.push(WORDS.topics.choose(dice).map_or(category, |topic| topic.category.as_str()));
        types.dedup();
    }
    let subject = word(dice, &topic.subjects);
    let content = format!("{} {subject}. {}", word(dice, &WORDS.openings), word(dice, &topic.thoughts));
    let status = match dice.random_range(0..20) {
        0 => "ARCHIVED",
        1 | 2 => "DRAFT",
        _ => "POSTED",
    };
    let mut thread = Thread {
        author,
        title: capitalised(subject),
        content,
        types,
        status,
        views: Vec::new(),
        comments: Vec::new(),
        reactions: Vec::new(),
    };
    // Only visible posts can be answered.
    if status == "POSTED" {
        let readers = dice.random_range(0..=VIEWS.min(people.len()));
        let readers: BTreeSet<usize> = index::sample(dice, people.len(), readers).into_iter().collect();
        for reader in &readers {
            thread.views.push(*reader);
            if dice.random_bool(0.4) {
                thread.reactions.push((*reader, pick(dice, &REACTIONS)));
            }
            if dice.random_bool(0.3) {
                thread.comments.push((*reader, word(dice, &WORDS.comments)));
            }
        }
    }
    thread
}

fn word(dice: &mut StdRng, list: &'static [String]) -> &'static str {
    list.choose(dice).map_or("", String::as_str)
}

fn pick<T: Copy + Default>(dice: &mut StdRng, list: &[T]) -> T {
    list.choose(dice).copied().unwrap_or_default()
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_makes_the_same_plan_and_another_one_another() {
        assert_eq!(Plan::new(7, 20, 40), Plan::new(7, 20, 40));
        assert_ne!(Plan::new(7, 20, 40), Plan::new(8, 20, 40));
    }

    #[test]
    fn connections_are_to_different_others() {
        let plan = Plan::new(1, 30, 0);
        let different: BTreeSet<_> = plan.connections.iter().collect();
        assert_eq!(different.len(), plan.connections.len());
        assert!(plan.connections.iter().all(|(from, to)| from != to && *to < 30));
    }

    #[test]
    fn only_posted_posts_are_answered_and_by_each_person_once() {
        for thread in &Plan::new(1, 30, 200).threads {
            assert!(thread.status == "POSTED" || thread.views.is_empty());
            let reacting: BTreeSet<_> = thread.reactions.iter().map(|(reader, _)| reader).collect();
            assert_eq!(reacting.len(), thread.reactions.len());
            assert!(thread.title.chars().count() <= 100 && !thread.content.is_empty());
        }
    }

    #[test]
    fn one_person_alone_is_a_plan_too() {
        let plan = Plan::new(1, 1, 5);
        assert_eq!((plan.people.len(), plan.connections.len(), plan.threads.len()), (1, 0, 5));
    }
}
