//! Fingerprints of texts: two texts that are nearly the same have fingerprints that differ in few bits.
//!
//! This is `SimHash` (Charikar 2002; near-duplicates at 64 bits and 3 of them: Manku, Jain, Das Sarma 2007). Each run of three
//! words is hashed to 64 bits; each bit of the fingerprint is the majority of that bit over all runs. Of two fingerprints
//! that differ in at most three bits, at least one of four quarters is equal, so candidates are found by equal quarters.
//!
//! What spammers vary is left out: case, punctuation, numbers, mentions and the addresses of links. Of a text of some hundred words a
//! changed or added word or two leave the fingerprint near; of one of some dozen words they do not, so only copies of that are found.
use std::collections::HashSet;

/// Words of a shingle: a run of words that is hashed as one.
const SHINGLE: usize = 3;
/// Shorter texts are the same by chance: "happy birthday to you".
const MIN_WORDS: usize = 5;
/// Words that are read; the beginning of a long text is enough to recognise it.
const MAX_WORDS: usize = 2_000;
/// Bits by which fingerprints of near-duplicates differ at most.
pub const MAX_DISTANCE: i32 = 3;

/// The fingerprint of a text; none for a text of few words. As a signed number, as Postgres keeps it.
pub fn fingerprint(text: &str) -> Option<i64> {
    let words: Vec<String> = text
        .split_whitespace()
        .filter(|piece| !piece.contains("://") && !piece.starts_with("www.") && !piece.starts_with('@'))
        .flat_map(|piece| piece.split(|c: char| !c.is_alphabetic()))
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
        .map(str::to_lowercase)
        .collect();
    if words.len() < MIN_WORDS {
        return None;
    }
    // A shingle that is repeated counts once: a text is what it says, not how often.
    let shingles: HashSet<u64> = words.windows(SHINGLE).map(hash).collect();
    let mut votes = [0_i32; 64];
    for shingle in shingles {
        for (bit, vote) in votes.iter_mut().enumerate() {
            *vote += if shingle >> bit & 1 == 1 { 1 } else { -1 };
        }
    }
    let bits = votes.iter().enumerate().filter(|(_, vote)| **vote > 0).map(|(bit, _)| 1_u64 << bit);
    Some(bits.fold(0, |all, bit| all | bit).cast_signed())
}

/// FNV-1a, with the finaliser of `SplitMix64` behind it, because the high bits of FNV say little of short words. Fixed for ever:
/// fingerprints are stored.
fn hash(words: &[String]) -> u64 {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([b' ']));
    let mut mixed =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    const SPAM: &str = "Congratulations! You have been selected for a free gift card worth 500 dollars. Click the link below to \
        claim your prize today before it expires, and share it with all of your friends so that they can win as well.";

    /// A text of 149 words.
    pub const LONG: &str = "We are giving away one hundred bicycles to the readers of this page, and all that you have to do is write a \
        few words. The bicycles are new, they come in red, green and blue, and each of them has a bell, a lamp and a basket for your \
        shopping. Nobody has to pay for anything, and whoever has won will get a message from us before the end of the month. Those who \
        took part last year know how quickly it goes, and some of them still send us pictures of their rides. Please read the rules on our \
        page, since entries that come too late or twice cannot be counted in the draw. We thank the workshop in the old harbour, where \
        every one of the bicycles was put together by hand this winter. Good luck to all of you, and see you on the road.";

    fn distance(left: &str, right: &str) -> u32 {
        (fingerprint(left).unwrap() ^ fingerprint(right).unwrap()).count_ones()
    }

    /// Variations of spam are near, whatever filters they were made for; other texts of the same subject are far.
    #[test]
    fn near_duplicates_are_near_and_other_texts_far() {
        let varied = [
            SPAM.to_uppercase(),
            format!("@anna {SPAM} https://example.com/x?{}", 7),
            SPAM.replace("500", "900").replace('.', "!!!"),
            SPAM.replace(' ', "  "),
        ];
        for text in varied {
            assert_eq!(distance(SPAM, &text), 0, "{text}");
        }
        let others = [
            "I have been selected for the choir of our school, and all of my friends are coming to hear me sing next week.",
            "The link below leads to the recipe. Share it with your friends, so that they can bake the bread as well.",
        ];
        for text in others {
            assert!(distance(SPAM, text) > 10, "{text}: {}", distance(SPAM, text));
        }
        assert_eq!(fingerprint("happy birthday to you"), None);
        assert_eq!(fingerprint("😂 😂 😂 😂 😂 😂 😂"), None);
    }

    /// A small change of a long text is near, in as many bits as it changes runs of words; a larger one, or any of a short text, is not.
    #[test]
    fn small_changes_of_a_long_text_are_near() {
        for (changed, bits) in [
            (LONG.replace("Good luck", "Much luck"), 1),
            (format!("Dear friend, {LONG}"), 2),
            (LONG.replace("old harbour", "new harbour"), 2),
            (LONG.replace("in red,", "in black,"), 3),
            (LONG.replace("for your shopping", "for your dog"), 5),
        ] {
            assert_eq!(distance(LONG, &changed), bits, "{changed}");
        }
        let short = SPAM.replace("free gift", "nice gift");
        assert!(i64::from(distance(SPAM, &short)) > i64::from(MAX_DISTANCE), "{}", distance(SPAM, &short));
    }

    /// Stored fingerprints must be those of later versions.
    #[test]
    fn a_fingerprint_is_the_same_for_ever() {
        assert_eq!(fingerprint("one two three four five").map(i64::cast_unsigned), Some(PINNED));
    }

    /// Of "one two three four five".
    const PINNED: u64 = 11_118_793_233_468_053_648;
}
