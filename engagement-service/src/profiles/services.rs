//! Calculations on a profile: the engagement score, its level, and the changes of its sums by a post.
use super::models::{Changes, Counts, Post};
use super::{Kind, Level};

/// How many days the score looks back, today included.
pub const WINDOW: u64 = 30;

/// The upper end of the scale.
const MAX: f64 = 100.0;

/// The engagement score of a user, 0 to 100, rounded to two digits:
///
/// ```text
/// score = 100 · Σ w · (1 − 2^(−n / h))    posts      w = 0.4   h = 4
///                                         comments   w = 0.3   h = 12
///                                         reactions  w = 0.2   h = 20
///                                         views      w = 0.1   h = 60
/// ```
///
/// where `n` is the number of actions of a kind in the last 30 days (a negative one counts as 0), `w` the weight of the kind
/// (they add up to 1), and `h` the number at which it yields half of its weight. The original declares a score and never calculates it, so the formula
/// is our own choice, made for four properties: it is bounded without a cut; it is monotone, so doing more never costs;
/// each further action counts less than the one before, so that mass is not rewarded; and nothing alone fills the scale,
/// the most that posts without anything else yield is 40. The weights follow the effort of an action. The numbers `h` are
/// a habit: a post a week, a comment every second or third day, reactions on two days out of three, two views a day. A
/// user who does all of them scores 50, the lower end of `NORMALLY_ACTIVE`.
pub fn score(counts: Counts) -> f64 {
    let sum = part(counts.posts, 0.4, 4.0)
        + part(counts.comments, 0.3, 12.0)
        + part(counts.reactions, 0.2, 20.0)
        + part(counts.views, 0.1, 60.0);
    // Two digits before the level is looked up: a shown score never contradicts its level.
    (sum * MAX * 100.0).round() / 100.0
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn part(count: i64, weight: f64, half: f64) -> f64 {
    weight * (1.0 - (-(count.max(0) as f64) / half).exp2())
}

/// The level of a score, by the original's thresholds 80, 60, 50, 20 and 10. The fifth is the original's mark for
/// `ISOLATED`, which is the last level of the scale: whatever is below `LESS_ACTIVE` is `ISOLATED`, from 10 to 20 as well
/// as under 10, or a score of 15 would have no level.
pub fn level(score: f64) -> Level {
    match score {
        score if score >= 80.0 => Level::HighlyActive,
        score if score >= 60.0 => Level::ModeratelyActive,
        score if score >= 50.0 => Level::NormallyActive,
        score if score >= 20.0 => Level::LessActive,
        _ => Level::Isolated,
    }
}

/// The stored version of a post after another one was received. A deletion is final, and else the newest version counts, so
/// that the order of events does not matter.
pub fn merge(known: Option<Post>, received: Post) -> Post {
    match known {
        None => received,
        Some(known) if known.types.is_none() => known,
        Some(known) if received.types.is_some() && received.version <= known.version => known,
        Some(known) => Post { types: received.types, version: received.version, ..known },
    }
}

/// Adds a post to its author's sums (`times` 1), or takes it away (-1); a deleted one does not count.
pub fn add_post(changes: &mut Changes, post: &Post, times: i64) {
    let Some(types) = &post.types else { return };
    changes.add_activity(post.user_id, Kind::Post, post.day, times);
    for category in types {
        changes.add_category(post.user_id, category, times);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profiles::CATEGORIES;

    fn counts(posts: i64, comments: i64, reactions: i64, views: i64) -> Counts {
        Counts { posts, comments, reactions, views }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "the formula gives these values exactly, after rounding")]
    fn a_score_is_half_at_the_half_counts_and_never_more_than_full() {
        assert_eq!(score(Counts::default()), 0.0);
        assert_eq!(score(counts(-1, -5, -20, -60)), 0.0);
        assert_eq!(score(counts(4, 12, 20, 60)), 50.0);
        assert_eq!(score(counts(8, 24, 40, 120)), 75.0);
        assert_eq!(score(counts(12, 36, 60, 180)), 87.5);
        assert_eq!(score(counts(i64::MAX, i64::MAX, i64::MAX, i64::MAX)), 100.0);
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "the formula gives these values exactly, after rounding")]
    fn one_kind_of_activity_yields_at_most_its_weight() {
        assert_eq!(
            [score(counts(1, 0, 0, 0)), score(counts(4, 0, 0, 0)), score(counts(9999, 0, 0, 0))],
            [6.36, 20.0, 40.0]
        );
        assert_eq!(
            [score(counts(0, 1, 0, 0)), score(counts(0, 12, 0, 0)), score(counts(0, 9999, 0, 0))],
            [1.68, 15.0, 30.0]
        );
        assert_eq!(
            [score(counts(0, 0, 1, 0)), score(counts(0, 0, 20, 0)), score(counts(0, 0, 9999, 0))],
            [0.68, 10.0, 20.0]
        );
        assert_eq!(
            [score(counts(0, 0, 0, 1)), score(counts(0, 0, 0, 60)), score(counts(0, 0, 0, 9999))],
            [0.11, 5.0, 10.0]
        );
    }

    #[test]
    fn more_never_yields_less_and_each_further_one_yields_no_more_than_the_one_before() {
        for of in [
            (|n| counts(n, 0, 0, 0)) as fn(i64) -> Counts,
            |n| counts(0, n, 0, 0),
            |n| counts(0, 0, n, 0),
            |n| counts(0, 0, 0, n),
        ] {
            let mut gain = f64::INFINITY;
            for n in 0..200 {
                let further = score(of(n + 1)) - score(of(n));
                assert!(further >= 0.0, "{n}");
                // Rounding to two digits moves a difference by at most 0.01.
                assert!(further <= gain + 0.011, "{n}");
                gain = further;
            }
        }
    }

    #[test]
    fn a_level_begins_at_its_threshold() {
        let levels = [100.0, 80.0, 79.99, 60.0, 59.99, 50.0, 49.99, 20.0, 19.99, 10.0, 9.99, 0.0].map(level);
        let expected = [
            Level::HighlyActive,
            Level::HighlyActive,
            Level::ModeratelyActive,
            Level::ModeratelyActive,
            Level::NormallyActive,
            Level::NormallyActive,
            Level::LessActive,
            Level::LessActive,
            Level::Isolated,
            Level::Isolated,
            Level::Isolated,
            Level::Isolated,
        ];
        assert_eq!(levels, expected);
    }

    #[test]
    fn categories_are_in_the_order_of_jsonb() {
        let mut sorted = CATEGORIES;
        sorted.sort_by_key(|word| (word.len(), *word));
        assert_eq!(CATEGORIES, sorted);
        assert!(sorted.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
