//! The words that seeded people use: names from many places, and something to say about every category.

pub const FIRST_NAMES: [&str; 32] = [
    "Amara", "Bruno", "Chiara", "Dmitri", "Elif", "Farid", "Greta", "Hiro", "Ines", "Jonas", "Keiko", "Liam", "Mina",
    "Nadia", "Omar", "Priya", "Quinn", "Rosa", "Santiago", "Tove", "Uma", "Viktor", "Wanjiru", "Ximena", "Yusuf",
    "Zuzana", "Anders", "Beatriz", "Chidi", "Dalia", "Emre", "Freya",
];

pub const LAST_NAMES: [&str; 32] = [
    "Abbott", "Bianchi", "Castillo", "Dubois", "Eriksson", "Fischer", "Garcia", "Haddad", "Ivanova", "Jensen",
    "Kimura", "Lopez", "Mbeki", "Nowak", "Okafor", "Patel", "Quispe", "Rossi", "Schmidt", "Tanaka", "Ulrich", "Vargas",
    "Weber", "Xu", "Yilmaz", "Zhang", "Andersen", "Bakker", "Costa", "Diallo", "Eklund", "Ferrari",
];

/// How a post begins; its subject follows.
pub const OPENINGS: [&str; 10] = [
    "Some thoughts on",
    "After a week of reading about it, here is what I make of",
    "A short report about",
    "I keep coming back to",
    "What nobody told me about",
    "Three things that I have learned from",
    "An honest look at",
    "I changed my mind about",
    "Notes from this morning, on",
    "Does anybody else care about",
];

pub const COMMENTS: [&str; 16] = [
    "Thank you for writing this down.",
    "I had not thought of it that way.",
    "This matches what I have seen, almost to the day.",
    "Do you have a source for the second part?",
    "I disagree, but you made me think.",
    "More of this, please.",
    "My sister says the same.",
    "We tried that last year; it took longer than we had hoped.",
    "Beautifully put.",
    "Could you say more about how you began?",
    "That is exactly what I needed to read today.",
    "Has anything changed since?",
    "I would like to hear the other side as well.",
    "Saved for later.",
    "The last sentence is the best one.",
    "It is the same where I live.",
];

/// A category of the platform, what people write about in it, and what they think of that.
#[derive(Debug, Clone, Copy, Default)]
pub struct Topic {
    pub category: &'static str,
    pub subjects: [&'static str; 3],
    pub thoughts: [&'static str; 2],
}

const fn topic(category: &'static str, subjects: [&'static str; 3], thoughts: [&'static str; 2]) -> Topic {
    Topic { category, subjects, thoughts }
}

/// All categories, in the order of the platform's contract.
#[rustfmt::skip]
pub const TOPICS: [Topic; 22] = [
    topic("SPORTS", ["the local marathon", "learning to climb at forty", "the cup final"], ["The crowd made the difference.", "It is slower than it looks and harder than it feels."]),
    topic("NEWS", ["the new bridge", "the council's vote", "last night's storm"], ["The facts came in slowly, as they should.", "I would wait a day before I repeat it."]),
    topic("HEALTH", ["sleeping without a phone", "walking ten thousand steps", "a month without sugar"], ["The first week is the worst.", "My doctor was less surprised than I was."]),
    topic("POLITICS", ["voting by mail", "the housing bill", "rent and who decides it"], ["Both sides have a point, and neither will say so.", "It will be decided in a committee."]),
    topic("TRAVEL", ["the night train to Lisbon", "two days in Tbilisi", "travelling with one bag"], ["Go in spring.", "The best part was getting lost."]),
    topic("FOOD", ["sourdough for the impatient", "my grandmother's lentils", "eating by season"], ["Salt is the whole secret.", "It tastes better on the second day."]),
    topic("FICTION", ["a story about a lighthouse", "writing in the second person", "unreliable narrators"], ["She closed the door and the sea went quiet.", "The ending came first."]),
    topic("TECHNOLOGY", ["programming in Rust", "repairing an old laptop", "small web servers"], ["It is simple once it is small.", "The manual was right all along."]),
    topic("COMMUNICATION", ["writing shorter letters", "learning to listen", "meetings that end early"], ["Silence is an answer, too.", "Half of it is asking again."]),
    topic("INTERNATIONAL", ["the climate summit", "grain prices", "undersea cables"], ["Everything is closer than the map says.", "The small print matters."]),
    topic("NATIONAL", ["the census", "the timetable reform", "a day off for elections"], ["The numbers are older than they look.", "It works in other places."]),
    topic("CULTURAL", ["the spring festival", "how we greet each other", "the old market"], ["Nobody remembers why, and everybody does it.", "My children will do it differently."]),
    topic("LIFE_STYLE", ["owning fewer things", "mornings without news", "living with plants"], ["It saves more time than it takes.", "I kept the books."]),
    topic("FASHION", ["mending my own clothes", "one coat for every season", "natural dyes"], ["Visible mending is a compliment.", "Good shoes come first."]),
    topic("EDUCATIONAL", ["teaching fractions with bread", "evening classes", "learning by heart"], ["They asked better questions than I did.", "Mistakes are where it begins."]),
    topic("PERSONAL_EVENT", ["my daughter's first concert", "moving house", "turning fifty"], ["I cried, of course.", "We ate cake on the floor."]),
    topic("OTHER", ["the neighbour's cat", "things that I found in the attic", "queues"], ["There is no conclusion.", "It made my day."]),
    topic("MUSIC_AND_ART", ["the cello suites", "a gallery without labels", "learning the accordion"], ["Listen to the third movement twice.", "I stood there for an hour."]),
    topic("NOVEL_AND_POETRY", ["reading slowly", "a novel in letters", "translating a sonnet"], ["The rhyme is a promise.", "I read the last chapter aloud."]),
    topic("BOOKS", ["the library's closing sale", "a history of maps", "annotating in pencil"], ["I bought more than I could carry.", "The index is a joy."]),
    topic("PROTEST", ["the march on Saturday", "a petition for the park", "how a strike is organised"], ["We were more than we had thought.", "Bring water and good company."]),
    topic("SCIENTIFIC", ["the new telescope", "counting birds", "how errors are measured"], ["The negative result is the interesting one.", "Somebody should repeat it."]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_fits_into_a_title() {
        for topic in &TOPICS {
            assert!(topic.subjects.iter().all(|subject| subject.len() <= 100), "{}", topic.category);
        }
    }

    #[test]
    fn no_category_comes_twice() {
        let mut categories: Vec<_> = TOPICS.iter().map(|topic| topic.category).collect();
        categories.sort_unstable();
        categories.dedup();
        assert_eq!(categories.len(), 22);
    }
}
