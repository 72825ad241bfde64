//! The rank of candidates, and the list that is put together of them.
//!
//! **Rank.** A sum of four parts, each from 0 to 1, lessened by age and by what the reader refused:
//!
//! ```text
//! parts = 1.0 · similar + 0.7 · near + 0.3 · topic + 0.2 · response
//! rank  = parts · (½ + ½ · 2^(-age / 3 days)) · 0.3^refused · (1 - min(0.9, 3 · aversion))
//! ```
//!
//! `similar` is the similarity to what the reader engaged with, as a share of the most similar candidate's; `near` is n / (n + 2) of n
//! people the reader is connected to who reacted, or half of that for those who are connected to the author; `topic` is how much the reader
//! cares for its category, as a share of the category they care for most; `response` is log10(1 + 2 · comments + reactions + views / 10) / 4,
//! the gain of the list of explore. `refused` counts posts of the author that the reader is not interested in, `aversion` is the
//! similarity to such a post.
//!
//! **Diversity.** The list takes one candidate after the other by maximal marginal relevance (Carbonell and Goldstein, "The use of MMR,
//! diversity-based reranking", SIGIR 1998): the one with the largest 0.7 · rank - 0.3 · likeness, where likeness is that to the
//! most alike of those taken: 0.6 for the same author, and 0.4 times the share of common categories.
//!
//! **Exploration.** A fixed share of the places, evenly spread, goes to posts that few have seen, one of each author, drawn with a chance that
//! falls with their views: each has the key u^(1 + views) with u even between 0 and 1, and the largest keys win (Efraimidis and
//! Spirakis, "Weighted random sampling with a reservoir", 2006).
use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use rand::{Rng, RngExt};
use uuid::Uuid;

use super::candidates::models::{Candidate, CategoryShare};
use super::sources::RecommendationSource;

/// What the parts of a rank count: of the same strength, what people like one did says more than what a friend did once, and that more
/// than a category, which is a dozen words for everything.
const SIMILAR: f64 = 1.0;
const NEAR: f64 = 0.7;
const TOPIC: f64 = 0.3;
const RESPONSE: f64 = 0.2;
/// Days in which the part of a rank that falls with age falls to a half.
const HALF_LIFE: f64 = 3.0;
/// What is left of a rank for each post of the author that the reader is not interested in.
const AFTER_REFUSAL: f64 = 0.3;
/// How much a rank counts against likeness to what the list has already.
const RELEVANCE: f64 = 0.7;
/// The likeness of two posts of one author; the rest is that of their categories.
const SAME_AUTHOR: f64 = 0.6;

/// A post of a list, and why it is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Pick {
    pub post: Uuid,
    pub source: RecommendationSource,
    /// How many people or posts the reason is about; 0: it is about none.
    pub number: i64,
    /// The category that the reason is about.
    pub word: String,
}

/// A candidate with its rank.
struct Ranked {
    candidate: Candidate,
    rank: f64,
    pick: Pick,
    /// Its likeness to the most alike of those that were taken.
    likeness: f64,
}

/// A list of candidates, up to a number of `places`, of which a share is exploration.
pub fn pick(
    dice: &mut impl Rng,
    now: DateTime<Utc>,
    candidates: Vec<Candidate>,
    shares: &[CategoryShare],
    exploration: f64,
    places: usize,
) -> Vec<Pick> {
    let mut explored = explore(dice, &candidates).into_iter();
    let mut ranked = rank(now, candidates, shares);
    let (mut picks, mut taken) = (Vec::with_capacity(places), BTreeSet::new());
    while picks.len() < places {
        let is_due = explored_up_to(picks.len() + 1, exploration) > explored_up_to(picks.len(), exploration);
        let discovery = if is_due { explored.find(|pick| !taken.contains(&pick.post)) } else { None };
        if let Some(pick) = &discovery {
            ranked.retain(|one| one.candidate.id != pick.post);
        }
        let Some(pick) = discovery.or_else(|| take_best(&mut ranked)) else { break };
        taken.insert(pick.post);
        picks.push(pick);
    }
    picks
}

/// How many of the first places are explored: spread evenly, and a tenth of a hundred is ten whatever a sum of tenths is.
fn explored_up_to(places: usize, exploration: f64) -> f64 {
    (f64::from(u32::try_from(places).unwrap_or(u32::MAX)) * exploration + 1e-9).floor()
}

/// What few have seen, one post of each author, in the order in which it is drawn.
fn explore(dice: &mut impl Rng, candidates: &[Candidate]) -> Vec<Pick> {
    let mut drawn: Vec<(f64, &Candidate)> = Vec::new();
    for candidate in candidates.iter().filter(|candidate| candidate.unseen && candidate.refused == 0) {
        let views = f64::from(u32::try_from(candidate.views).unwrap_or(u32::MAX));
        drawn.push((dice.random::<f64>().powf(1.0 + views), candidate));
    }
    drawn.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut authors = BTreeSet::new();
    let firsts = drawn.into_iter().filter(|(_, candidate)| authors.insert(candidate.author));
    let pick = |candidate: &Candidate| Pick {
        post: candidate.id,
        source: RecommendationSource::Exploration,
        number: 0,
        word: String::new(),
    };
    firsts.map(|(_, candidate)| pick(candidate)).collect()
}

/// Takes the best that is left, and notes how alike the others are to it.
fn take_best(ranked: &mut Vec<Ranked>) -> Option<Pick> {
    let worth = |one: &Ranked| RELEVANCE * one.rank - (1.0 - RELEVANCE) * one.likeness;
    let best = (0..ranked.len()).max_by(|one, other| worth(&ranked[*one]).total_cmp(&worth(&ranked[*other])))?;
    let best = ranked.swap_remove(best);
    for other in ranked {
        other.likeness = other.likeness.max(likeness(&best.candidate, &other.candidate));
    }
    Some(best.pick)
}

/// How alike two posts are, 0 to 1. It is asked for each place and each candidate, some 100,000 times for a list, so that it collects nothing:
/// the categories of a post are few, and none stands there twice.
fn likeness(one: &Candidate, other: &Candidate) -> f64 {
    let common = one.types.iter().filter(|category| other.types.contains(category)).count();
    let all = one.types.len() + other.types.len() - common;
    let author = if one.author == other.author { SAME_AUTHOR } else { 0.0 };
    author + (1.0 - SAME_AUTHOR) * share(i64::try_from(common).unwrap_or(0), i64::try_from(all).unwrap_or(0))
}

fn rank(now: DateTime<Utc>, candidates: Vec<Candidate>, shares: &[CategoryShare]) -> Vec<Ranked> {
    let shares: HashMap<&str, f64> = shares.iter().map(|share| (share.category.as_str(), share.share)).collect();
    let dearest = shares.values().copied().fold(0.0, f64::max);
    let closest = candidates.iter().map(|candidate| candidate.similarity).fold(0.0, f64::max);
    let ranked = candidates.into_iter().map(|mut candidate| {
        candidate.types.sort_unstable();
        candidate.types.dedup();
        let topic = candidate.types.iter().filter_map(|category| Some((category, *shares.get(category.as_str())?)));
        let topic = topic.max_by(|one, other| one.1.total_cmp(&other.1));
        let similar = if closest > 0.0 { SIMILAR * candidate.similarity / closest } else { 0.0 };
        let reacted = NEAR * share(candidate.reacted, candidate.reacted + 2);
        let connected = NEAR / 2.0 * share(candidate.connected, candidate.connected + 2);
        let liked = topic.map_or(0.0, |(_, share)| if dearest > 0.0 { TOPIC * share / dearest } else { 0.0 });
        let reasons = [
            (similar, RecommendationSource::SimilarPosts, candidate.seeds, String::new()),
            (reacted, RecommendationSource::ConnectionsReacted, candidate.reacted, String::new()),
            (connected, RecommendationSource::ConnectionsConnected, candidate.connected, String::new()),
            (
                liked,
                RecommendationSource::Category,
                0,
                topic.map_or_else(String::new, |(category, _)| category.clone()),
            ),
        ];
        let strongest =
            reasons.into_iter().filter(|reason| reason.0 > 0.0).max_by(|one, other| one.0.total_cmp(&other.0));
        let (_, source, number, word) = strongest.unwrap_or((0.0, RecommendationSource::Fresh, 0, String::new()));
        let parts = similar + reacted.max(connected) + liked + RESPONSE * response(&candidate);
        let rank = parts * freshness(now, &candidate) * acceptance(&candidate);
        let pick = Pick { post: candidate.id, source, number, word };
        Ranked { candidate, rank, pick, likeness: 0.0 }
    });
    ranked.collect()
}

/// What a post has got, by the effort of each, from 0 to 1.
fn response(candidate: &Candidate) -> f64 {
    let count = |number: i64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    let got = 1.0 + 2.0 * count(candidate.comments) + count(candidate.reactions) + count(candidate.views) / 10.0;
    (got.log10() / 4.0).min(1.0)
}

fn freshness(now: DateTime<Utc>, candidate: &Candidate) -> f64 {
    let days = (now - candidate.published_at.0).as_seconds_f64().max(0.0) / 86_400.0;
    0.5 + 0.5 * (-days / HALF_LIFE).exp2()
}

/// What is left of a rank after what the reader refused.
fn acceptance(candidate: &Candidate) -> f64 {
    let refusals = i32::try_from(candidate.refused).unwrap_or(i32::MAX);
    AFTER_REFUSAL.powi(refusals) * (1.0 - (3.0 * candidate.aversion).min(0.9))
}

fn share(part: i64, whole: i64) -> f64 {
    let [part, whole] = [part, whole].map(|number| f64::from(i32::try_from(number).unwrap_or(i32::MAX)));
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;
    use crate::core::contract::timestamp::Timestamp;

    fn now() -> DateTime<Utc> {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    /// A post of an author of its own that nothing speaks for.
    fn candidate(number: u128) -> Candidate {
        Candidate {
            id: Uuid::from_u128(number),
            author: Uuid::from_u128(1_000 + number),
            types: vec!["NEWS".to_owned()],
            published_at: Timestamp(now()),
            similarity: 0.0,
            seeds: 0,
            reacted: 0,
            connected: 0,
            unseen: false,
            views: 0,
            comments: 0,
            reactions: 0,
            refused: 0,
            aversion: 0.0,
        }
    }

    fn order(candidates: Vec<Candidate>, exploration: f64) -> Vec<u128> {
        let mut dice = StdRng::seed_from_u64(7);
        let picks = pick(&mut dice, now(), candidates, &[], exploration, 200);
        picks.iter().map(|pick| pick.post.as_u128()).collect()
    }

    /// Each part of the rank, and each thing that lessens it, decides where all else is equal.
    #[test]
    fn more_speaks_for_a_post_and_less_against_it() {
        let better: [(&str, Candidate, Candidate); 7] = [
            ("similar", Candidate { similarity: 0.4, ..candidate(1) }, Candidate { similarity: 0.1, ..candidate(2) }),
            ("near", Candidate { reacted: 3, ..candidate(1) }, Candidate { reacted: 1, ..candidate(2) }),
            ("reacted", Candidate { reacted: 2, ..candidate(1) }, Candidate { connected: 2, ..candidate(2) }),
            ("response", Candidate { comments: 5, ..candidate(1) }, Candidate { reactions: 5, ..candidate(2) }),
            (
                "refused",
                Candidate { reactions: 5, ..candidate(1) },
                Candidate { reactions: 5, refused: 1, ..candidate(2) },
            ),
            (
                "aversion",
                Candidate { reactions: 5, ..candidate(1) },
                Candidate { reactions: 5, aversion: 0.2, ..candidate(2) },
            ),
            (
                "age",
                Candidate { reactions: 5, ..candidate(1) },
                Candidate { reactions: 5, published_at: Timestamp(now() - TimeDelta::days(5)), ..candidate(2) },
            ),
        ];
        for (what, one, other) in better {
            assert_eq!(order(vec![other, one], 0.0), [1, 2], "{what}");
        }
    }

    /// The strongest part is the reason, with its number or its word.
    #[test]
    fn the_reason_is_what_counted_most() {
        let shares = [CategoryShare { category: "NEWS".to_owned(), share: 0.5 }];
        let reason = |candidate: Candidate, shares: &[CategoryShare]| {
            let picks = pick(&mut StdRng::seed_from_u64(7), now(), vec![candidate], shares, 0.0, 1);
            (picks[0].source, picks[0].number, picks[0].word.clone())
        };
        let similar = Candidate { similarity: 0.1, seeds: 4, reacted: 2, ..candidate(1) };
        assert_eq!(reason(similar, &shares), (RecommendationSource::SimilarPosts, 4, String::new()));
        let near = Candidate { reacted: 3, connected: 3, ..candidate(1) };
        assert_eq!(reason(near, &shares), (RecommendationSource::ConnectionsReacted, 3, String::new()));
        assert_eq!(reason(candidate(1), &shares), (RecommendationSource::Category, 0, "NEWS".to_owned()));
        assert_eq!(reason(candidate(1), &[]), (RecommendationSource::Fresh, 0, String::new()));
    }

    /// The second post of an author, and of a category, comes behind one that is a little worse and different.
    #[test]
    fn a_list_does_not_repeat_authors_and_categories() {
        let strong = |number| Candidate { similarity: 0.4, ..candidate(number) };
        let same_author = Candidate { author: candidate(1).author, similarity: 0.39, ..candidate(2) };
        let other = Candidate { similarity: 0.35, types: vec!["SPORT".to_owned()], ..candidate(3) };
        assert_eq!(order(vec![strong(1), same_author, other.clone()], 0.0), [1, 3, 2]);
        let same_category = Candidate { similarity: 0.39, ..candidate(2) };
        let named_twice = Candidate { types: vec!["NEWS".to_owned(); 2], ..same_category.clone() };
        for same_category in [same_category, named_twice] {
            assert_eq!(order(vec![strong(1), same_category, other.clone()], 0.0), [1, 3, 2]);
        }
    }

    /// Every tenth place goes to what few have seen, one post of each author, and what is seen least is drawn most.
    #[test]
    fn a_share_of_the_places_is_explored() {
        let known = (1..=90).map(|number| Candidate { similarity: 0.4, ..candidate(number) });
        let unseen = (100..200).map(|number| Candidate {
            unseen: true,
            author: Uuid::from_u128(5_000 + number / 5),
            ..candidate(number)
        });
        let candidates: Vec<Candidate> = known.chain(unseen).collect();
        let all: BTreeSet<u128> = order(candidates.clone(), 0.1).into_iter().collect();
        assert_eq!((order(candidates.clone(), 0.1).len(), all.len()), (190, 190), "what was explored comes once");
        let picks = pick(&mut StdRng::seed_from_u64(7), now(), candidates, &[], 0.1, 100);
        let explored: Vec<usize> = (1..)
            .zip(&picks)
            .filter_map(|(place, pick)| (pick.source == RecommendationSource::Exploration).then_some(place))
            .collect();
        assert_eq!(explored, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
        let authors: BTreeSet<u128> = explored.iter().map(|place| picks[place - 1].post.as_u128() / 5).collect();
        assert_eq!(authors.len(), 10);
        let mut dice = StdRng::seed_from_u64(7);
        let two = [Candidate { unseen: true, ..candidate(1) }, Candidate { unseen: true, views: 19, ..candidate(2) }];
        let first = (0..1_000).filter(|_| explore(&mut dice, &two)[0].post == two[0].id).count();
        // 20 of 21 times, by the weights 1 and 1/20.
        assert!((920..=980).contains(&first), "{first}");
    }
}
