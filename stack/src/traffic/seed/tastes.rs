//! What seeded people listen to. No public route takes that, because the services fetch it from linked accounts: it is imported as an
//! operator imports tastes, where the platform is one of this machine.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::seq::index;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::client::Person;
use crate::host::workspace::prebuilt;
use crate::system::ENGAGEMENT;
use crate::traffic::seed::plan::capitalised;

/// Artists of each genre, tracks of each artist.
const GENRES: [&str; 8] = ["ambient", "folk", "hip hop", "indie", "jazz", "rock", "soul", "techno"];
const ARTISTS: usize = 12;
const TRACKS: usize = 5;
/// Artists that a person listens to, at most, of a favourite genre and of another one.
const FAVOURITES: usize = 6;
const OTHERS: usize = 2;
/// How often a person says what they listen to, and how often others see it.
const LISTENS: f64 = 0.7;
const SHARES: f64 = 0.8;

/// What a person listens to.
#[derive(Debug, Clone, PartialEq)]
pub struct Taste {
    /// By genre and number.
    artists: Vec<(usize, usize)>,
    /// By the place of the artist in that list, and number.
    tracks: Vec<(usize, usize)>,
    shared: bool,
}

/// What each of some people listens to; the same number makes the same.
pub fn tastes(number: u64, people: usize) -> Vec<Option<Taste>> {
    let mut dice = StdRng::seed_from_u64(number ^ 0x7a57e);
    (0..people).map(|_| dice.random_bool(LISTENS).then(|| Taste::draw(&mut dice))).collect()
}

impl Taste {
    fn draw(dice: &mut StdRng) -> Taste {
        let (favourite, other) = (dice.random_range(0..GENRES.len()), dice.random_range(0..GENRES.len()));
        let mut artists = Vec::new();
        for (genre, most) in [(favourite, FAVOURITES), (other, OTHERS)] {
            let count = dice.random_range(1..=most);
            artists.extend(index::sample(dice, ARTISTS, count).into_iter().map(|artist| (genre, artist)));
        }
        artists.sort_unstable();
        artists.dedup();
        let mut tracks = Vec::new();
        for place in 0..artists.len() {
            let count = dice.random_range(0..=TRACKS);
            tracks.extend(index::sample(dice, TRACKS, count).into_iter().map(|track| (place, track)));
        }
        Taste { artists, tracks, shared: dice.random_bool(SHARES) }
    }

    /// As a line of the import.
    fn line(&self, person: &str) -> Value {
        let id = |(genre, artist): (usize, usize)| format!("seed-{genre}-{artist}");
        let name = |(genre, artist): (usize, usize)| format!("{} No. {}", capitalised(GENRES[genre]), artist + 1);
        let artists = self
            .artists
            .iter()
            .map(|artist| json!({ "id": id(*artist), "name": name(*artist), "genres": [GENRES[artist.0]] }));
        let tracks = self.tracks.iter().map(|(place, track)| {
            let artist = self.artists[*place];
            let title = format!("Song {} by {}", track + 1, name(artist));
            json!({ "id": format!("{}-{track}", id(artist)), "name": title, "artists": [[id(artist), name(artist)]] })
        });
        json!({ "person_id": person, "shared": self.shared, "artists": artists.collect::<Vec<_>>(),
            "tracks": tracks.collect::<Vec<_>>() })
    }
}

/// Imports the tastes of people into the database at this address; how many, none where the service is not built here.
pub async fn import(database: &str, people: &[Person], tastes: &[Option<Taste>]) -> Result<Option<usize>> {
    let binary = [false, true].into_iter().find_map(|release| prebuilt(release).ok()?.remove(ENGAGEMENT.package));
    let Some(binary) = binary else { return Ok(None) };
    let lines: Vec<String> = people
        .iter()
        .zip(tastes)
        .filter_map(|(person, taste)| Some(taste.as_ref()?.line(&person.id).to_string()))
        .collect();
    let mut command = Command::new(binary);
    command.arg("import-tastes").env("DATABASE_URL", database).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().context("the engagement service cannot be run")?;
    let mut input = child.stdin.take().context("it reads nothing")?;
    let text = lines.join("\n");
    let written = input.write_all(text.as_bytes()).await;
    drop(input);
    let output = child.wait_with_output().await.context("the engagement service does not end")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "tastes cannot be imported: {}", said.trim());
    written.context("tastes cannot be handed over")?;
    Ok(Some(lines.len()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn people_of_one_genre_have_artists_in_common() {
        let (some, again, others) = (tastes(1, 40), tastes(1, 40), tastes(2, 40));
        assert_eq!(some, again);
        assert_ne!(some, others);
        let listening: Vec<_> = some.iter().flatten().collect();
        assert!((20..40).contains(&listening.len()), "{}", listening.len());
        let all: Vec<_> = listening.iter().flat_map(|taste| &taste.artists).collect();
        let different: BTreeSet<_> = all.iter().collect();
        assert!(different.len() * 3 < all.len() * 2, "{} of {}", different.len(), all.len());
        let line = listening[0].line("an id");
        assert!(line["artists"].as_array().is_some_and(|artists| !artists.is_empty()), "{line}");
        assert_eq!(line["person_id"], "an id");
    }
}
