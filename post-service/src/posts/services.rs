//! Calculations on a post: its score and its popularity.

/// The upper end of both scales.
const MAX: f64 = 100.0;

/// The score of a post: reactions and comments per view, `min(100, round((r + c) / v, 2))`, 0 without
/// a view. The formula is the original's.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub fn score(views: i64, comments: i64, reactions: i64) -> f64 {
    if views <= 0 {
        return 0.0;
    }
    let ratio = (comments.max(0) + reactions.max(0)) as f64 / views as f64;
    ((ratio * 100.0).round() / 100.0).min(MAX)
}

/// The popularity of a post: views per connection of the author, `min(100, v / n)`; 100 for an author without connections,
/// or with an unknown number. The formula is the original's.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub fn popularity(views: i64, connections: Option<i64>) -> f64 {
    match connections {
        Some(connections) if connections > 0 => (views.max(0) as f64 / connections as f64).min(MAX),
        _ => MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "the formulas give these values exactly")]
    fn score_is_a_ratio_rounded_to_two_digits_and_capped() {
        assert_eq!(score(0, 5, 5), 0.0);
        assert_eq!(score(-1, 5, 5), 0.0);
        assert_eq!(score(3, 1, 1), 0.67);
        assert_eq!(score(3, -1, 1), 0.33);
        assert_eq!(score(1, 60, 41), 100.0);
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "the formulas give these values exactly")]
    fn popularity_is_100_without_connections_and_never_more() {
        assert_eq!(popularity(0, None), 100.0);
        assert_eq!(popularity(0, Some(0)), 100.0);
        assert_eq!(popularity(3, Some(2)), 1.5);
        assert_eq!(popularity(0, Some(2)), 0.0);
        assert_eq!(popularity(-1, Some(2)), 0.0);
        assert_eq!(popularity(1000, Some(2)), 100.0);
    }
}
