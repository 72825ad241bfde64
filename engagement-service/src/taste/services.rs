//! The weights of what a person listens to, and how similar two tastes are.
//!
//! ```text
//! track   3
//! artist  8 when among the top artists, and 3 for each top track of theirs
//! genre   the sum of its artists
//!
//! similarity = (4 · tracks + 3 · artists + 3 · genres) / 10
//! ```
//!
//! Each part is the weighted Jaccard index of the two sides, 0 when one of them is empty.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::affinities::services::{Weights, overlap};

/// What a track counts, and each top track for its artist.
const TRACK: f64 = 3.0;
/// What a top artist counts.
const ARTIST: f64 = 8.0;
/// Items of a kind that are kept: a source names a hundred at most.
const MOST: usize = 100;

/// An artist as a source names them.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceArtist {
    pub id: String,
    pub name: String,
    pub genres: Vec<String>,
}

/// A track as a source names it, with the ids and names of its artists.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceTrack {
    pub id: String,
    pub name: String,
    pub artists: Vec<(String, String)>,
}

/// What a source says a person listens to most.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listening {
    pub tracks: Vec<SourceTrack>,
    pub artists: Vec<SourceArtist>,
}

/// A track, artist or genre with its weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TasteItem {
    /// The id at the source; of a genre its name.
    pub id: String,
    pub name: String,
    pub weight: f64,
}

/// What a person listens to, by kind, the weightiest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TasteItems {
    pub tracks: Vec<TasteItem>,
    pub artists: Vec<TasteItem>,
    pub genres: Vec<TasteItem>,
}

impl TasteItems {
    /// The weights of what a source says.
    pub fn weigh(listening: &Listening) -> Self {
        let mut tracks = BTreeMap::new();
        let mut artists: BTreeMap<&str, (&str, f64)> = BTreeMap::new();
        let mut genres = BTreeMap::new();
        for artist in &listening.artists {
            artists.insert(&artist.id, (&artist.name, ARTIST));
        }
        for track in &listening.tracks {
            tracks.insert(track.id.as_str(), (track.name.as_str(), TRACK));
            for (id, name) in &track.artists {
                artists.entry(id).or_insert((name, 0.0)).1 += TRACK;
            }
        }
        for artist in &listening.artists {
            let weight = artists.get(artist.id.as_str()).map_or(0.0, |(_, weight)| *weight);
            for genre in &artist.genres {
                genres.entry(genre.as_str()).or_insert((genre.as_str(), 0.0)).1 += weight;
            }
        }
        Self { tracks: ranked(tracks), artists: ranked(artists), genres: ranked(genres) }
    }

    /// How similar two tastes are, 0 to 1.
    pub fn similarity(&self, other: &Self) -> f64 {
        let part = |one: &[TasteItem], other: &[TasteItem]| overlap(&weights(one), &weights(other));
        let tracks = part(&self.tracks, &other.tracks);
        let (artists, genres) = (part(&self.artists, &other.artists), part(&self.genres, &other.genres));
        (4.0 * tracks + 3.0 * artists + 3.0 * genres) / 10.0
    }
}

/// The weights of items by their ids.
fn weights(items: &[TasteItem]) -> Weights {
    items.iter().map(|item| (item.id.clone(), item.weight)).collect()
}

fn ranked(items: BTreeMap<&str, (&str, f64)>) -> Vec<TasteItem> {
    let item =
        |(id, (name, weight)): (&str, (&str, f64))| TasteItem { id: id.to_owned(), name: name.to_owned(), weight };
    let mut items: Vec<_> = items.into_iter().map(item).collect();
    items.sort_by(|one, other| other.weight.total_cmp(&one.weight).then_with(|| one.name.cmp(&other.name)));
    items.truncate(MOST);
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(id: &str, artist: &str) -> SourceTrack {
        let artists = vec![(artist.to_owned(), artist.to_uppercase())];
        SourceTrack { id: id.into(), name: id.to_uppercase(), artists }
    }

    fn artist(id: &str, genres: &[&str]) -> SourceArtist {
        let genres = genres.iter().map(|genre| (*genre).to_owned()).collect();
        SourceArtist { id: id.into(), name: id.to_uppercase(), genres }
    }

    fn listening() -> Listening {
        let tracks = vec![track("t1", "a"), track("t2", "a"), track("t3", "c")];
        Listening { tracks, artists: vec![artist("a", &["pop", "rock"]), artist("b", &["rock"])] }
    }

    #[test]
    fn artists_count_by_their_tracks_and_genres_by_their_artists() {
        let items = TasteItems::weigh(&listening());
        let seen = |items: &[TasteItem]| items.iter().map(|item| (item.name.clone(), item.weight)).collect::<Vec<_>>();
        let named =
            |all: &[(&str, f64)]| all.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect::<Vec<_>>();
        assert_eq!(seen(&items.tracks), named(&[("T1", 3.0), ("T2", 3.0), ("T3", 3.0)]));
        assert_eq!(seen(&items.artists), named(&[("A", 14.0), ("B", 8.0), ("C", 3.0)]));
        assert_eq!(seen(&items.genres), named(&[("rock", 22.0), ("pop", 14.0)]));
    }

    #[test]
    fn the_similarity_is_weighted_by_kind_and_defined_for_nothing() {
        let (own, nothing) = (TasteItems::weigh(&listening()), TasteItems::default());
        assert!((own.similarity(&own) - 1.0).abs() < 1e-12);
        assert!(own.similarity(&nothing).abs() < 1e-12 && nothing.similarity(&nothing).abs() < 1e-12);
        let other =
            TasteItems::weigh(&Listening { tracks: vec![track("t1", "a")], artists: vec![artist("d", &["rock"])] });
        // Tracks: 3 of 9. Artists: 3 of A are common; 14 + 8 + 3 + 8 in all. Genres: 8 of rock; 22 + 14 in all.
        let expected = (4.0 * 3.0 / 9.0 + 3.0 * 3.0 / 33.0 + 3.0 * 8.0 / 36.0) / 10.0;
        assert!((own.similarity(&other) - expected).abs() < 1e-12, "{}", own.similarity(&other));
        assert!((other.similarity(&own) - expected).abs() < 1e-12, "it is the same from both sides");
    }
}
