//! The tags of a content, and what makes one a trend.
//!
//! **The formula.** In each tag every person of the last day counts once, by the hour of their last post with it: `2^(-hours / 6)`.
//! The sum is what is *observed*. *Expected* is what the same number of people as on an average day of the week before would
//! be, spread evenly over the day, and never less than 1. The score is `(observed - expected)² / expected`, Pearson's
//! chi-squared of one cell, as Mastodon scores its trends (`app/models/trends/tags.rb`); where less is observed than expected, there
//! is none. So a tag that many use every day needs many more, and one account moves a score as one person, however much it writes.
use uuid::Uuid;

use super::models::{PostTag, TagUse, Trend};
use crate::facets::FacetKind;
use crate::facets::services::read_shown;
use crate::tag_names::tag_identity;

/// After how many hours a person counts half.
pub const HALF_LIFE: f64 = 6.0;
/// The least number of people in a trend.
pub const LEAST_AUTHORS: i64 = 3;
/// The days of a tag's past.
const PAST_DAYS: f64 = 7.0;
/// The hours of the day that is observed.
const HOURS: u32 = 24;
/// The most trends that are kept.
pub const MAX_TRENDS: usize = 50;

/// The tags of a post, each once, as it is first written.
pub fn post_tags(post_id: Uuid, content: &str) -> Vec<PostTag> {
    let mut tags: Vec<PostTag> = Vec::new();
    for facet in read_shown(content, false).into_iter().filter(|facet| facet.kind == FacetKind::Tag) {
        if let Some(tag) = tag_identity(&facet.value).filter(|tag| tags.iter().all(|other| other.tag != *tag)) {
            tags.push(PostTag { post_id, tag, written: facet.value });
        }
    }
    tags
}

/// What a person counts on average who used a tag at any hour of the day.
fn average_weight() -> f64 {
    let sum: f64 = (0..HOURS).map(|hour| 0.5_f64.powf(f64::from(hour) / HALF_LIFE)).sum();
    sum / f64::from(HOURS)
}

/// The score of a tag: of what is observed, and of the people of the days before, summed up over the days.
#[expect(clippy::cast_precision_loss, reason = "numbers of people stay far below 2^52")]
pub fn score(observed: f64, past: i64) -> f64 {
    let expected = (past as f64 / PAST_DAYS * average_weight()).max(1.0);
    if observed <= expected { 0.0 } else { (observed - expected).powi(2) / expected }
}

/// The tags that are trends, the highest scores first.
pub fn trends(uses: Vec<TagUse>) -> Vec<Trend> {
    let trend = |used: TagUse| {
        let score = score(used.weight, used.past);
        Trend { tag: used.tag, written: used.written, score, authors: used.authors }
    };
    let mut trends: Vec<Trend> = uses.into_iter().map(trend).filter(|trend| trend.score > 0.0).collect();
    trends.sort_by(|one, other| other.score.total_cmp(&one.score).then_with(|| one.tag.cmp(&other.tag)));
    trends.truncate(MAX_TRENDS);
    trends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_what_is_observed_beyond_what_the_past_lets_expect() {
        let is = |one: f64, other: f64| (one - other).abs() < 1e-9;
        assert!(is(score(3.0, 0), 4.0), "three people at once, and none before: (3 - 1)² / 1");
        assert!(is(score(1.0, 0), 0.0) && is(score(0.5, 0), 0.0));
        // 70 people in 7 days are 10 a day, and weigh 3.6 when they are spread over it.
        let expected = 10.0 * average_weight();
        assert!((3.5..3.7).contains(&expected), "{expected}");
        assert!(is(score(expected, 70), 0.0), "what is used as ever is no trend");
        assert!(is(score(2.0 * expected, 70), expected));
        assert!(score(10.0, 0) > score(10.0, 70), "a new tag beats an old one");
    }

    #[test]
    fn the_highest_scores_come_first_and_what_has_none_is_left_out() {
        let used = |tag: &str, weight, past| TagUse { tag: tag.into(), written: tag.into(), authors: 5, weight, past };
        let all = trends(vec![used("b", 3.0, 0), used("old", 3.0, 700), used("a", 3.0, 0), used("top", 4.0, 0)]);
        assert_eq!(all.iter().map(|trend| trend.tag.as_str()).collect::<Vec<_>>(), ["top", "a", "b"]);
        let many = (0..100).map(|n| used(&n.to_string(), 5.0, 0)).collect();
        assert_eq!(trends(many).len(), MAX_TRENDS);
    }
}
