//! Sentences from the functional templates (`templates.txt`): what a network has to distinguish beyond words.
//!
//! A pattern belongs to the dev split or to the rows that are learned as a whole, so that a figure about templates is one about
//! patterns that were never seen. A dev pattern about groups is filled with each of them, so that groups can be compared.
use std::collections::{BTreeMap, HashSet};

use anyhow::{Context, ensure};

use super::dice::Dice;
use crate::text_model::{HEADS, Head};

const TEMPLATES: &str = include_str!("templates.txt");
/// Sentences of a pattern, and of a hateful one: there are fewer such patterns.
const PER_PATTERN: (usize, usize) = (14, 20);
/// How often a group is written as its emoji, where it has one.
const AS_EMOJI: f32 = 0.1;
/// The share of sentences that also stand among harmless ones, so that one sentence decides about a longer text.
const AMONG_OTHERS: f32 = 0.12;
/// The slots that a group fills, and whose sentences are therefore about one.
const GROUP_SLOTS: [&str; 3] = ["{groups}", "{one}", "{member}"];

/// A sentence with the labels of its block.
#[derive(Clone, Debug)]
pub struct Sentence {
    pub text: String,
    pub labels: Labels,
    /// The group that it is about, by its plural.
    pub group: Option<&'static str>,
    /// The function of its block: what a reader has to understand, as its heading says behind the labels.
    pub function: &'static str,
    /// Whether its pattern is kept for the dev split.
    pub is_dev: bool,
}

/// What a block says of each head; nothing where it is left open.
pub type Labels = [Option<bool>; HEADS];

/// The words of a group, in the forms of `@group`.
struct Group {
    plural: &'static str,
    one: &'static str,
    member: &'static str,
    is_sex: bool,
    emoji: Vec<&'static str>,
}

/// What patterns are filled with.
struct Words {
    lists: BTreeMap<&'static str, Vec<&'static str>>,
    groups: Vec<Group>,
    slurs: Vec<String>,
}

/// All sentences: patterns filled by the dice, none twice. The slurs are those of the training data's lexicon.
pub fn sentences(slurs: Vec<String>, keep: impl Fn(&str) -> bool, mut dice: Dice) -> anyhow::Result<Vec<Sentence>> {
    let mut words = Words { lists: BTreeMap::new(), groups: Vec::new(), slurs };
    let (mut labels, mut is_everyday, mut function, mut seen) = ([None; HEADS], false, "", HashSet::new());
    let (mut all, mut everyday) = (Vec::new(), Vec::new());
    for line in TEMPLATES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(list) = line.strip_prefix("@group ") {
            words.groups = list.split('|').map(group).collect::<anyhow::Result<_>>()?;
        } else if let Some((name, list)) = line.strip_prefix('@').and_then(|list| list.split_once(' ')) {
            words.lists.insert(name, list.split('|').map(str::trim).collect());
        } else if let Some(block) = line.strip_prefix('=') {
            let (heading, name) = block.split_once('#').unwrap_or((block, ""));
            (labels, is_everyday) = block_labels(heading)?;
            function = name.trim();
        } else {
            for sentence in of_pattern(line, (labels, function), keep(line), &words, &mut dice)? {
                if seen.insert(sentence.text.clone()) {
                    if is_everyday {
                        everyday.push(sentence.clone());
                    }
                    all.push(sentence);
                }
            }
        }
    }
    let alone = all.len();
    for place in 0..alone {
        if dice.unit() < AMONG_OTHERS {
            let mut sentence = all[place].clone();
            let other = dice.pick(&everyday);
            if other.is_dev == sentence.is_dev {
                let (first, second) =
                    if dice.unit() < 0.5 { (&sentence.text, &other.text) } else { (&other.text, &sentence.text) };
                sentence.text = format!("{first} {second}");
                all.push(sentence);
            }
        }
    }
    Ok(all)
}

/// The labels of a block's heading, and whether its sentences are everyday ones.
fn block_labels(heading: &str) -> anyhow::Result<(Labels, bool)> {
    let (mut labels, mut is_everyday) = ([Some(false); HEADS], false);
    for word in heading.split_whitespace() {
        let head = Head::ALL.iter().find(|head| head.name() == word.trim_start_matches('?'));
        match (word, head) {
            ("clean", _) => {}
            ("everyday", _) => is_everyday = true,
            (_, Some(head)) => labels[*head as usize] = (!word.starts_with('?')).then_some(true),
            _ => anyhow::bail!("{word} is no label"),
        }
    }
    Ok((labels, is_everyday))
}

fn of_pattern(
    pattern: &'static str,
    (labels, function): (Labels, &'static str),
    is_dev: bool,
    words: &Words,
    dice: &mut Dice,
) -> anyhow::Result<Vec<Sentence>> {
    let is_about_group = GROUP_SLOTS.iter().any(|slot| pattern.contains(slot));
    let count = match (pattern.contains('{'), is_about_group && is_dev) {
        (false, _) => 1,
        (true, false) if labels[Head::Hate as usize] == Some(true) => PER_PATTERN.1,
        (true, false) => PER_PATTERN.0,
        (true, true) => words.groups.len(),
    };
    let first = dice.below(words.groups.len());
    let mut all = Vec::with_capacity(count);
    for number in 0..count {
        let group = &words.groups[(first + number) % words.groups.len()];
        let mut labels = labels;
        if is_about_group && group.is_sex && labels[Head::Hate as usize] == Some(true) {
            labels[Head::Sexism as usize] = Some(true);
        }
        let group_name = is_about_group.then_some(group.plural);
        let text = fill(pattern, group, words, dice)?;
        all.push(Sentence { text, labels, group: group_name, function, is_dev });
    }
    Ok(all)
}

fn group(forms: &'static str) -> anyhow::Result<Group> {
    let forms: Vec<&'static str> = forms.trim().split('/').collect();
    ensure!((3..=5).contains(&forms.len()), "a group has three forms: {forms:?}");
    let emoji = forms.get(4).map(|emoji| emoji.split(',').collect());
    let is_sex = forms.get(3).is_some_and(|sex| !sex.is_empty());
    Ok(Group { plural: forms[0], one: forms[1], member: forms[2], is_sex, emoji: emoji.unwrap_or_default() })
}

/// A pattern with its slots filled.
fn fill(pattern: &str, group: &Group, words: &Words, dice: &mut Dice) -> anyhow::Result<String> {
    let plural =
        if !group.emoji.is_empty() && dice.unit() < AS_EMOJI { *dice.pick(&group.emoji) } else { group.plural };
    let (mut text, mut rest) = (String::new(), pattern);
    while let Some((before, slot)) = rest.split_once('{') {
        let (name, behind) = slot.split_once('}').with_context(|| format!("a slot ends with a brace: {pattern}"))?;
        text.push_str(before);
        text.push_str(match name {
            "groups" => plural,
            "groups2" => dice.pick(&words.groups).plural,
            "one" => group.one,
            "member" => group.member,
            "slur" if words.slurs.is_empty() => "scum",
            "slur" => dice.pick::<String>(&words.slurs),
            list => {
                let words = words.lists.get(list).with_context(|| format!("there is no list {list}: {pattern}"))?;
                dice.pick::<&str>(words)
            }
        });
        rest = behind;
    }
    text.push_str(rest);
    let mut chars = text.chars();
    // A pattern that begins in lower case was written by people in a hurry; a slot at the start is a sentence's start.
    Ok(match chars.next() {
        Some(first) if pattern.starts_with('{') => first.to_uppercase().chain(chars).collect(),
        _ => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_can_be_filled_and_every_head_has_both_sides() {
        let keep = |pattern: &str| pattern.len().is_multiple_of(16);
        let all = sentences(vec!["snark".to_owned()], keep, Dice::new(&[1])).unwrap();
        assert!(all.len() > 12_000, "{}", all.len());
        assert!(all.iter().all(|sentence| !sentence.text.contains(['{', '}', '|'])));
        for head in Head::ALL {
            let count = |side| all.iter().filter(|sentence| sentence.labels[head as usize] == Some(side)).count();
            assert!(count(true) > 300 && count(false) > 3_000, "{}: {} {}", head.name(), count(true), count(false));
        }
        assert!(all.iter().any(|sentence| sentence.labels[Head::Toxic as usize].is_none()));
        // What is for dev is about every group, equally often but for equal sentences.
        let of = |group| all.iter().filter(|sentence| sentence.is_dev && sentence.group == Some(group)).count();
        assert!(of("Muslims") > 40 && of("Muslims").abs_diff(of("deaf people")) < 20);
        let again = sentences(vec!["snark".to_owned()], keep, Dice::new(&[1])).unwrap();
        assert_eq!(all[7].text, again[7].text, "the dice decide alone");
        assert!(block_labels("clean harmless").is_err());
        let functions: HashSet<&str> = all.iter().map(|sentence| sentence.function).collect();
        assert!(functions.len() > 40 && functions.contains("counter-speech"), "{functions:?}");
        assert!(!functions.contains(""), "every block says what it trains");
    }

    /// A label with a question mark is left open.
    #[test]
    fn a_heading_says_yes_no_or_nothing_of_each_head() {
        let (labels, is_everyday) = block_labels(" clean ?toxic everyday ").unwrap();
        assert!(is_everyday);
        assert_eq!(labels, [None, Some(false), Some(false), Some(false), Some(false)]);
        assert_eq!(block_labels("hate toxic").unwrap().0[..2], [Some(true), Some(true)]);
    }
}
