//! The settings of the model in shadow, and how it is compared with the first.
use std::path::PathBuf;

use clap::Args;

use crate::policies::rules::HeadThresholds;
use crate::text_model::HEADS;

/// Which model is in shadow, and how much it reads.
#[derive(Args, Clone, Debug)]
pub struct ShadowSettings {
    /// The file of a second text model, which reads what the first has read without any consequence; without one none does
    #[arg(long, env = "MODERATION_SHADOW_MODEL")]
    pub moderation_shadow_model: Option<PathBuf>,

    /// The share of texts that it reads, above 0 to 1: always the same texts, by their hashes
    #[arg(long, env = "MODERATION_SHADOW_SAMPLE", default_value_t = 1.0, value_parser = share)]
    pub moderation_shadow_sample: f64,
}

fn share(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "a number".to_owned())?;
    if number > 0.0 && number <= 1.0 { Ok(number) } else { Err("a number above 0 and up to 1".to_owned()) }
}

/// Scores with the thresholds by which they are labels.
pub type Labelled<'a> = (&'a [f64; HEADS], &'a [HeadThresholds; HEADS]);

/// Of how many heads two models say alike whether a text has the label.
pub fn heads_agreed(first: Labelled<'_>, second: Labelled<'_>) -> usize {
    let has_label = |(scores, thresholds): Labelled<'_>, head: usize| scores[head] >= thresholds[head].label;
    (0..HEADS).filter(|head| has_label(first, *head) == has_label(second, *head)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_agree_by_their_own_thresholds() {
        let thresholds = |label| [HeadThresholds { label, hide: None }; HEADS];
        let (low, high) = (thresholds(0.4), thresholds(0.8));
        let (first, second) = ([0.5, 0.5, 0.9, 0.1, 0.1], [0.9, 0.5, 0.9, 0.1, 0.9]);
        assert_eq!(heads_agreed((&first, &low), (&first, &low)), HEADS);
        assert_eq!(heads_agreed((&first, &low), (&second, &high)), 3, "0.5 is a label of the first alone");
    }

    #[test]
    fn a_share_is_above_0_and_up_to_1() {
        assert_eq!(share("0.25"), Ok(0.25));
        for wrong in ["0", "1.1", "-1", "NaN", "all"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }
}
