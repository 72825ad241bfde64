//! What is made: people, their connections, and threads, all at random from one number.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, index};
use rand::{RngExt, SeedableRng};

use crate::traffic::seed::words::WORDS;

/// The reactions, the frequent ones more than once.
const REACTIONS: [&str; 10] = ["LIKE", "LIKE", "LIKE", "LIKE", "LOVE", "LOVE", "FUNNY", "JOY", "SAD", "ANGRY"];
/// How many others a person connects to of their own accord, at most.
const CONNECTIONS: usize = 8;
/// How often a connection is returned.
const RETURNED: f64 = 0.4;
/// How often a person who is connected to the author views a post.
const FOLLOWER_VIEWS: f64 = 0.6;
/// How often a reader reports a post, and for what.
const REPORTED: f64 = 0.02;
const REASONS: [&str; 5] = ["SPAM_COMMERCIAL", "HARASSMENT_INSULT", "MISLEADING_HEALTH", "HATE_SLUR", "OTHER_RULES"];
/// How often a reader keeps a post.
const BOOKMARKED: f64 = 0.1;
/// How often the author of a post answers a comment, and how often a reader reacts to one.
const REPLIED: f64 = 0.3;
const COMMENT_LIKED: f64 = 0.15;
/// How often a post has a picture.
const ILLUSTRATED: f64 = 0.25;
/// The number of others that view a post, at most.
const PASSERS_BY: usize = 6;

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
    pub username: String,
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
    /// Who replies to which comment, and what, with the name of who wrote that.
    pub replies: Vec<(usize, usize, String)>,
    /// Who reacts to which comment, and how; each once to each.
    pub comment_reactions: Vec<(usize, usize, &'static str)>,
    /// Who keeps it.
    pub bookmarks: Vec<usize>,
    /// The number of its picture, where it has one.
    pub picture: Option<u32>,
    /// Who reports it, and why.
    pub reports: Vec<(usize, &'static str)>,
}

impl Plan {
    /// The same three numbers make the same plan.
    pub fn new(number: u64, users: u32, posts: u32) -> Plan {
        let mut dice = StdRng::seed_from_u64(number);
        let people: Vec<SeedPerson> = (0..users).map(|user| person(&mut dice, number, user)).collect();
        let graph = SocialGraph::grow(&mut dice, people.len());
        let threads = (0..posts).map(|_| thread(&mut dice, &people, &graph)).collect();
        Plan { people, connections: graph.connections.into_iter().collect(), threads }
    }

    /// What it comes to, in words.
    pub fn totals(&self) -> String {
        let sum = |of: fn(&Thread) -> usize| self.threads.iter().map(of).sum::<usize>();
        format!(
            "{} people, {} connections, {} posts, {} views, {} comments, {} replies, {} reactions, {} bookmarks, {} reports",
            self.people.len(),
            self.connections.len(),
            self.threads.len(),
            sum(|thread| thread.views.len()),
            sum(|thread| thread.comments.len()),
            sum(|thread| thread.replies.len()),
            sum(|thread| thread.reactions.len() + thread.comment_reactions.len()),
            sum(|thread| thread.bookmarks.len()),
            sum(|thread| thread.reports.len())
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
    // Short enough for any two numbers; the letter keeps apart what they are.
    let username = format!("{first}_{user}x{}", number % 1_000_000_000);
    SeedPerson { email, username, first, last, interests }
}

/// The connections of all people. A few are known to many, as in real networks: the target of a connection is drawn in proportion
/// to the connections that lead there already (preferential attachment: Barabási and Albert, "Emergence of scaling in random
/// networks", Science 286, 1999).
struct SocialGraph {
    /// From and to, by position.
    connections: BTreeSet<(usize, usize)>,
    /// Each person once, and once more for every connection to them.
    ballot: Vec<usize>,
}

impl SocialGraph {
    fn grow(dice: &mut StdRng, people: usize) -> SocialGraph {
        let mut graph = SocialGraph { connections: BTreeSet::new(), ballot: (0..people).collect() };
        for from in 0..people {
            for _ in 0..dice.random_range(0..=CONNECTIONS) {
                let to = graph.draw(dice);
                graph.connect(from, to);
                if dice.random_bool(RETURNED) {
                    graph.connect(to, from);
                }
            }
        }
        graph
    }

    /// A person, the likelier the more are connected to them.
    fn draw(&self, dice: &mut StdRng) -> usize {
        self.ballot.choose(dice).copied().unwrap_or_default()
    }

    fn connect(&mut self, from: usize, to: usize) {
        if from != to && self.connections.insert((from, to)) {
            self.ballot.push(to);
        }
    }

    fn followers(&self, author: usize) -> impl Iterator<Item = usize> + '_ {
        self.connections.iter().filter(move |(_, to)| *to == author).map(|(from, _)| *from)
    }
}

fn thread(dice: &mut StdRng, people: &[SeedPerson], graph: &SocialGraph) -> Thread {
    // Who is known to many writes much.
    let author = graph.draw(dice);
    // People write about what they are interested in.
    let category = pick(dice, &people[author].interests);
    let topic = WORDS.topics.iter().find(|topic| topic.category == category).unwrap_or(&WORDS.topics[0]);
    let mut types = vec![category];
    if dice.random_bool(0.3) {
        types.push(WORDS.topics.choose(dice).map_or(category, |topic| topic.category.as_str()));
        types.dedup();
    }
    let subject = word(dice, &topic.subjects);
    let tag = hashtag(subject);
    let content = format!("{} {subject}. {} #{tag}", word(dice, &WORDS.openings), word(dice, &topic.thoughts));
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
        replies: Vec::new(),
        comment_reactions: Vec::new(),
        bookmarks: Vec::new(),
        picture: dice.random_bool(ILLUSTRATED).then(|| dice.random()),
        reports: Vec::new(),
    };
    // Only visible posts can be answered.
    if status == "POSTED" {
        let passers_by = dice.random_range(0..=PASSERS_BY.min(people.len()));
        let mut readers: BTreeSet<usize> = index::sample(dice, people.len(), passers_by).into_iter().collect();
        readers.extend(graph.followers(author).filter(|_| dice.random_bool(FOLLOWER_VIEWS)));
        for reader in &readers {
            thread.views.push(*reader);
            if dice.random_bool(0.4) {
                thread.reactions.push((*reader, pick(dice, &REACTIONS)));
            }
            if dice.random_bool(0.3) {
                thread.comments.push((*reader, word(dice, &WORDS.comments)));
            }
            if dice.random_bool(BOOKMARKED) {
                thread.bookmarks.push(*reader);
            }
            if *reader != author && dice.random_bool(REPORTED) {
                thread.reports.push((*reader, pick(dice, &REASONS)));
            }
        }
        discuss(dice, people, &mut thread, &readers);
    }
    thread
}

/// What readers do with the comments of others: the author answers some, and names who wrote them; readers react to some.
fn discuss(dice: &mut StdRng, people: &[SeedPerson], thread: &mut Thread, readers: &BTreeSet<usize>) {
    for (place, (writer, _)) in thread.comments.iter().enumerate() {
        if *writer != thread.author && dice.random_bool(REPLIED) {
            let text = format!("@{} {}", people[*writer].username, word(dice, &WORDS.comments));
            thread.replies.push((thread.author, place, text));
        }
        for reader in readers.iter().filter(|reader| *reader != writer) {
            if dice.random_bool(COMMENT_LIKED) {
                thread.comment_reactions.push((*reader, place, pick(dice, &REACTIONS)));
            }
        }
    }
}

fn word(dice: &mut StdRng, list: &'static [String]) -> &'static str {
    list.choose(dice).map_or("", String::as_str)
}

fn pick<T: Copy + Default>(dice: &mut StdRng, list: &[T]) -> T {
    list.choose(dice).copied().unwrap_or_default()
}

/// The tag of a subject: its words, each with a capital.
fn hashtag(subject: &str) -> String {
    subject
        .split_whitespace()
        .map(capitalised)
        .flat_map(|word| word.chars().collect::<Vec<_>>())
        .filter(|c| c.is_alphanumeric())
        .collect()
}

pub fn capitalised(text: &str) -> String {
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
    fn a_few_are_known_to_many_and_write_most() {
        let plan = Plan::new(1, 200, 1_000);
        let sorted = |mut counts: Vec<usize>| {
            counts.sort_unstable_by(|one, other| other.cmp(one));
            (counts.iter().take(20).sum::<usize>(), counts.iter().sum::<usize>())
        };
        let followers =
            (0..200).map(|person| plan.connections.iter().filter(|(_, to)| *to == person).count()).collect();
        let posts =
            (0..200).map(|person| plan.threads.iter().filter(|thread| thread.author == person).count()).collect();
        for (of_the_first_tenth, of_all) in [sorted(followers), sorted(posts)] {
            assert!(of_the_first_tenth * 4 > of_all, "{of_the_first_tenth} of {of_all}");
        }
    }

    #[test]
    fn only_posted_posts_are_answered_and_by_each_person_once() {
        let plan = Plan::new(1, 30, 200);
        let some = |of: fn(&Thread) -> usize| plan.threads.iter().map(of).sum::<usize>() > 0;
        assert!(some(|thread| thread.replies.len()) && some(|thread| thread.comment_reactions.len()));
        assert!(some(|thread| thread.bookmarks.len()));
        for thread in &plan.threads {
            assert!(thread.status == "POSTED" || thread.views.is_empty());
            let reacting: BTreeSet<_> = thread.reactions.iter().map(|(reader, _)| reader).collect();
            assert_eq!(reacting.len(), thread.reactions.len());
            let of_comments: BTreeSet<_> = thread.comment_reactions.iter().map(|(who, to, _)| (who, to)).collect();
            assert_eq!(of_comments.len(), thread.comment_reactions.len());
            assert!(thread.comment_reactions.iter().all(|(_, comment, _)| *comment < thread.comments.len()));
            for (_, comment, text) in &thread.replies {
                let named = &plan.people[thread.comments[*comment].0].username;
                assert!(text.starts_with(&format!("@{named} ")) && named.len() <= 30, "{text}");
            }
            assert!(thread.bookmarks.iter().all(|reader| thread.views.contains(reader)));
            assert!(thread.title.chars().count() <= 100 && !thread.content.is_empty());
            let tag = thread.content.rsplit_once(" #").map(|(_, tag)| tag);
            assert!(
                tag.is_some_and(|tag| tag.chars().all(char::is_alphanumeric) && tag.len() > 2),
                "{}",
                thread.content
            );
        }
    }

    #[test]
    fn one_person_alone_is_a_plan_too() {
        let plan = Plan::new(1, 1, 5);
        assert_eq!((plan.people.len(), plan.connections.len(), plan.threads.len()), (1, 0, 5));
    }
}
