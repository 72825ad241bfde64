//! What a text means whose writing is disguised: `h 4 t e`, `k.i.l.l`, `a$$`, `goawayfromhere`.
//!
//! The text model learns disguised texts, but letters that stand alone have no meaning left for it to learn. So a text in which digits and
//! signs stand for letters, letters are spaced out, or words are joined is read twice, as written and as meant, and the higher
//! score of each head counts. Where letters were spaced or words joined, the boundaries of words are found with the model's vocabulary,
//! whose tokens are numbered by frequency: few and frequent words are the likeliest. The cost is a bounded number of
//! look-ups per letter.

/// What is written for a letter.
const LEET: [(char, char); 9] =
    [('4', 'a'), ('@', 'a'), ('3', 'e'), ('1', 'i'), ('!', 'i'), ('0', 'o'), ('5', 's'), ('$', 's'), ('7', 't')];
/// Single letters in a row that are taken for a spaced word; two may be initials.
const SPACED: usize = 3;
/// The shortest word that is taken for several, in letters, and the longest; compounds are short, and random strings long.
const JOINED: std::ops::RangeInclusive<usize> = 9..=80;
/// The most spaced letters in a row whose words are looked for.
const LONGEST_RUN: usize = 300;
/// The longest word of a joined one, in letters.
const LONGEST_WORD: usize = 20;
/// The least mean length of the words of a joined one: shorter ones are syllables.
const MEAN_LENGTH: usize = 3;
/// Words of two letters are among the first 2,200 tokens; later ones are abbreviations.
const FREQUENT: u32 = 2_200;

/// The cleaned text as it is meant, where that is not as it is written; `word` is the number of a word in the vocabulary.
pub fn undisguise(cleaned: &str, word: impl Fn(&str) -> Option<u32>) -> Option<String> {
    let (mut meant, mut alone) = (Vec::new(), Vec::new());
    for written in cleaned.split(' ').chain([""]) {
        let token = unleet(written, &word).unwrap_or_else(|| written.to_owned());
        if token.chars().count() == 1 && token.chars().all(char::is_alphabetic) {
            alone.push((written, token));
            continue;
        }
        let letters = alone.iter().filter(|(written, token)| written == token).count();
        if letters >= SPACED.max(alone.len().div_ceil(2)) {
            let joined = alone.iter().map(|(_, letter)| letter.to_lowercase()).collect::<String>();
            meant.push(words(&joined, &word).unwrap_or(joined));
        } else {
            meant.extend(alone.iter().map(|(written, _)| (*written).to_owned()));
        }
        alone.clear();
        if !token.is_empty() {
            meant.push(separated(&token).or_else(|| joined(&token, &word)).unwrap_or(token));
        }
    }
    let meant = meant.join(" ");
    (meant != cleaned).then_some(meant)
}

/// A word whose digits and signs stand for letters. One that begins with a digit may be a number with its unit, and one that ends with
/// it a name with a number, hence of them only a known word counts.
fn unleet(token: &str, word: &impl Fn(&str) -> Option<u32>) -> Option<String> {
    let chars: Vec<char> = token.chars().collect();
    let first = chars.first()?;
    if chars.len() < 3 || !chars.iter().any(char::is_ascii_alphabetic) {
        // A spaced word may hold a digit.
        let only = (chars.len() == 1).then(|| letter(*first)).flatten();
        return only.filter(|_| first.is_ascii_digit()).map(String::from);
    }
    let last = chars.iter().rposition(|c| c.is_alphanumeric());
    let meant = chars.iter().enumerate().map(|(at, c)| match c {
        // At the end of a word an exclamation mark is one.
        '!' if last.is_none_or(|last| last < at) => '!',
        c => letter(*c).unwrap_or(*c),
    });
    let meant: String = meant.collect();
    let is_number = first.is_ascii_digit()
        || (*first == '$' && chars[1].is_ascii_digit())
        || chars.last().is_some_and(char::is_ascii_digit);
    (meant != token && (!is_number || word(&meant.to_lowercase()).is_some())).then_some(meant)
}

fn letter(c: char) -> Option<char> {
    LEET.iter().find(|(written, _)| *written == c).map(|(_, letter)| *letter)
}

/// A word whose letters are separated by the same sign: `k.i.l.l`.
fn separated(token: &str) -> Option<String> {
    let chars: Vec<char> = token.chars().collect();
    let sign = chars.get(1).filter(|sign| !sign.is_alphanumeric())?;
    let letters: String = chars.iter().step_by(2).collect();
    let is_separated = chars.iter().skip(1).step_by(2).all(|c| c == sign) && letters.chars().all(char::is_alphabetic);
    (is_separated && letters.chars().count() >= SPACED).then_some(letters)
}

/// Words that were written as one, with what stands before and behind them.
fn joined(token: &str, word: &impl Fn(&str) -> Option<u32>) -> Option<String> {
    let inside = token.trim_matches(|c: char| !c.is_ascii_alphabetic());
    let is_candidate = JOINED.contains(&inside.len()) && inside.bytes().all(|byte| byte.is_ascii_alphabetic());
    let lower = Some(inside.to_lowercase()).filter(|lower| is_candidate && word(lower).is_none())?;
    Some(token.replace(inside, &words(&lower, word)?))
}

/// The likeliest words of joined letters, separated by blanks.
fn words(joined: &str, word: &impl Fn(&str) -> Option<u32>) -> Option<String> {
    if !joined.is_ascii() || joined.len() > LONGEST_RUN {
        return None;
    }
    // Per end of a beginning: its lowest cost, and the length of its last word.
    let mut best: Vec<Option<(u32, usize)>> = vec![Some((0, 0))];
    for end in 1..=joined.len() {
        let ends = (1..=end.min(LONGEST_WORD)).filter_map(|length| {
            let (before, _) = best[end - length]?;
            let last = &joined[end - length..end];
            let number = word(last)?;
            let is_word = match length {
                1 => matches!(last, "a" | "i"),
                2 => number < FREQUENT,
                _ => true,
            };
            is_word.then(|| (before + 1 + number.max(1).ilog2(), length))
        });
        let cheapest = ends.min();
        best.push(cheapest);
    }
    let (mut found, mut end) = (Vec::new(), joined.len());
    while end > 0 {
        let (_, length) = best[end]?;
        found.push(&joined[end - length..end]);
        end -= length;
    }
    found.reverse();
    (found.len() * MEAN_LENGTH <= joined.len() + 1).then(|| found.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A vocabulary by frequency, as that of the model.
    fn word(word: &str) -> Option<u32> {
        let words = ["a", "i", "go", "we", "all", "the", "hate", "kill", "away", "from", "here", "women", "immigrants"];
        words.iter().position(|known| *known == word).map(|at| 2_000 + u32::try_from(at).unwrap())
    }

    #[test]
    fn a_disguised_text_is_also_read_as_it_is_meant() {
        let cases = [
            ("I h a t e women", "i hate women"),
            ("k 1 l l them", "kill them"),
            ("k111 and k1ll, all4 3 of them", "k111 and kill, all4 3 of them"),
            ("we k.i.l.l all!", "we kill all!"),
            ("h4te the a$$, sh!t!", "hate the ass, shit!"),
            ("1mmigrants go away", "immigrants go away"),
            ("goawayfromhere!", "go away from here!"),
            ("#wehatewomen", "#we hate women"),
            ("i h a t e w o m e n", "i hate women"),
        ];
        for (written, meant) in cases {
            assert_eq!(undisguise(written, word).as_deref(), Some(meant), "{written:?}");
        }
    }

    /// Ordinary writing is read once.
    #[test]
    fn numbers_initials_and_long_words_are_what_they_are() {
        let texts = [
            "",
            "plain words, nothing else!",
            "10k run on the 4th at 5pm, $20 or $1m, an mp3",
            "J. K. Rowling and I",
            "e.g. in the U.S. at 3",
            "Donaudampfschifffahrt and Llanfairpwllgwyngyll",
            "3 and 1",
            "immigrants",
        ];
        for text in texts {
            assert_eq!(undisguise(text, word), None, "{text:?}");
        }
    }

    /// Hostile lengths cost no more than their length, and the result is never much longer than the text.
    #[test]
    fn hostile_texts_end() {
        let started = std::time::Instant::now();
        let shouted = format!("a{}", "!?".repeat(500_000));
        for text in ["a ".repeat(100_000), "a".repeat(100_000), "4".repeat(100_000), "a.".repeat(50_000), shouted] {
            let meant = undisguise(&text, |_| Some(2_000)).unwrap_or_default();
            assert!(meant.len() <= 2 * text.len());
        }
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}
