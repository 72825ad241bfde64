//! The recommended posts of a page. A feed is read without them when they cannot be had: they are an extra, and the feed is not.
use uuid::Uuid;

use super::Home;
use crate::post_recommendations::ListPlace;
use crate::post_recommendations::models::RecommendedEntry;

/// What is recommended on a page.
pub struct Mixed {
    pub entries: Vec<RecommendedEntry>,
    /// Where the next page goes on.
    pub list: Option<ListPlace>,
}

impl Home {
    /// Behind how many of its own posts a feed shows a recommended one; 0: it shows none.
    pub fn every(&self) -> usize {
        usize::from(self.settings.feed_recommendations_every)
    }

    /// Up to `places` recommended posts behind a place of a list, or from the beginning of the reader's current one. A list that is
    /// kept no more has none.
    pub async fn recommend(&self, reader: Uuid, list: Option<ListPlace>, places: usize) -> Mixed {
        if places == 0 {
            return Mixed { entries: Vec::new(), list };
        }
        let mixed = self.read_list(reader, list, places).await;
        let outcome = match &mixed {
            Ok(mixed) if mixed.entries.is_empty() => "none",
            Ok(_) => "mixed",
            Err(error) => {
                tracing::warn!(
                    error = error as &dyn std::error::Error,
                    "a home feed is shown without recommended posts"
                );
                "failed"
            }
        };
        metrics::counter!("feed_mixes_total", "outcome" => outcome).increment(1);
        mixed.unwrap_or(Mixed { entries: Vec::new(), list })
    }

    async fn read_list(&self, reader: Uuid, list: Option<ListPlace>, places: usize) -> sqlx::Result<Mixed> {
        let start = match list {
            Some(place) => place,
            None => ListPlace { list: self.recommender.current(reader).await?, place: 0 },
        };
        let rows = i64::try_from(places).unwrap_or(i64::MAX);
        let entries = self.recommender.entries(reader, start.list, start.place, rows).await?;
        let place = entries.last().map_or(start.place, |last| last.place);
        Ok(Mixed { entries, list: Some(ListPlace { place, ..start }) })
    }
}
