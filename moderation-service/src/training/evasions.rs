//! How writers evade filters, as copies of training rows: a row and its disguise have the same labels, hateful or harmless.
use super::dice::Dice;

/// A letter and what is written for it.
const LEET: [(char, char); 10] = [
    ('a', '4'),
    ('a', '@'),
    ('e', '3'),
    ('i', '1'),
    ('o', '0'),
    ('s', '5'),
    ('s', '$'),
    ('t', '7'),
    ('i', '!'),
    ('l', '1'),
];

/// Emoji that change nothing: a hateful text stays so, and a harmless one.
const EMOJI: [&str; 16] =
    ["😂", "🤣", "😊", "😉", "🙃", "😏", "😎", "😅", "🤔", "👀", "😳", "❤️", "🙏", "🎉", "🔥", "💯"];

/// A copy of a text with one kind of disguise.
pub fn disguise(text: &str, dice: &mut Dice) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    match dice.below(10) {
        0 => text.to_lowercase().chars().map(|c| leet(c, dice)).collect(),
        1 => on_some_words(&words, dice, |word, _| {
            word.chars().flat_map(|c| [c, ' ']).collect::<String>().trim_end().to_owned()
        }),
        2 => join(&words, dice),
        3 => on_some_words(&words, dice, |word, dice| {
            let mut chars: Vec<char> = word.chars().collect();
            if chars.len() > 3 {
                let at = 1 + dice.below(chars.len() - 2);
                chars.swap(at, at + 1);
            }
            chars.into_iter().collect()
        }),
        4 => on_some_words(&words, dice, |word, dice| {
            let mut chars: Vec<char> = word.chars().collect();
            if chars.len() > 3 {
                chars.remove(1 + dice.below(chars.len() - 2));
            }
            chars.into_iter().collect()
        }),
        5 => on_some_words(&words, dice, |word, dice| {
            let at = dice.below(word.chars().count());
            word.chars()
                .enumerate()
                .flat_map(|(index, c)| std::iter::repeat_n(c, if index == at { 3 } else { 1 }))
                .collect()
        }),
        6 => text.to_uppercase(),
        7 => {
            let emoji = *dice.pick(&EMOJI);
            format!("{text} {}", emoji.repeat(1 + dice.below(3)))
        }
        // All of the text, letter by letter, as far as that is read at all.
        8 if text.chars().count() <= 60 => words.concat().chars().flat_map(|c| [c, ' ']).collect(),
        _ => {
            let text: String =
                text.chars().filter(|c| c.is_alphanumeric() || c.is_whitespace() || *c == '\'').collect();
            text.to_lowercase()
        }
    }
}

fn leet(c: char, dice: &mut Dice) -> char {
    let found = LEET.iter().filter(|(letter, _)| *letter == c).nth(dice.below(2));
    let found = found.or_else(|| LEET.iter().find(|(letter, _)| *letter == c));
    match found {
        Some((_, replacement)) if dice.unit() < 0.6 => *replacement,
        _ => c,
    }
}

/// Changes up to three of the longer words.
fn on_some_words(words: &[&str], dice: &mut Dice, change: impl Fn(&str, &mut Dice) -> String) -> String {
    let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let mut long: Vec<usize> = (0..words.len()).filter(|at| words[*at].chars().count() > 3).collect();
    dice.shuffle(&mut long);
    for at in long.into_iter().take(1 + dice.below(3)) {
        words[at] = change(&words[at], dice);
    }
    words.join(" ")
}

/// Leaves out blanks.
fn join(words: &[&str], dice: &mut Dice) -> String {
    let mut text = String::new();
    for (at, word) in words.iter().enumerate() {
        if at > 0 && dice.unit() < 0.5 {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disguise_changes_the_writing_and_nothing_else() {
        let mut dice = Dice::new(&[3]);
        let texts: Vec<_> = (0..80).map(|_| disguise("Never trust your neighbours, they steal", &mut dice)).collect();
        assert!(texts.iter().any(|text| text.contains("N e v e r") || text.contains("t r u s t")), "{texts:?}");
        assert!(texts.iter().any(|text| text.contains('3') || text.contains('5')), "{texts:?}");
        assert!(texts.iter().any(|text| text.starts_with("N e v e r t r")));
        assert!(texts.iter().any(|text| text.ends_with(['😂', '🔥', '👀', '😎', '🎉'])), "{texts:?}");
        assert!(texts.iter().any(|text| text == "NEVER TRUST YOUR NEIGHBOURS, THEY STEAL"));
        assert!(texts.iter().all(|text| text.chars().count() >= 25), "{texts:?}");
    }
}
