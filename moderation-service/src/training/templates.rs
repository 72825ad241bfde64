//! Sentences from the functional templates (`templates.txt`): what a network has to distinguish beyond words.
use std::collections::{BTreeMap, HashSet};

use anyhow::Context;

use super::dice::Dice;

const TEMPLATES: &str = include_str!("templates.txt");
/// Sentences per pattern at most.
const PER_PATTERN: usize = 44;

/// A sentence with the labels of its block.
#[derive(Clone, Debug)]
pub struct Sentence {
    pub text: String,
    pub labels: Vec<&'static str>,
}

/// The words of a group, in the forms of `@group`.
struct Group {
    plural: &'static str,
    one: &'static str,
    member: &'static str,
    is_sex: bool,
}

/// All sentences: patterns filled by the dice, none twice. The slurs are those of the training data's lexicon.
pub fn sentences(slurs: &[String], mut dice: Dice) -> anyhow::Result<Vec<Sentence>> {
    let (mut lists, mut groups) = (BTreeMap::<&str, Vec<&str>>::new(), Vec::new());
    let (mut labels, mut seen, mut all) = (Vec::new(), HashSet::new(), Vec::new());
    for line in TEMPLATES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(list) = line.strip_prefix("@group ") {
            groups = list.split('|').map(group).collect::<anyhow::Result<_>>()?;
        } else if let Some((name, list)) = line.strip_prefix('@').and_then(|list| list.split_once(' ')) {
            lists.insert(name, list.split('|').map(str::trim).collect());
        } else if let Some(block) = line.strip_prefix('=') {
            labels = block.split('#').next().unwrap_or_default().split_whitespace().collect();
        } else {
            let count = if line.contains('{') { PER_PATTERN } else { 3 };
            for _ in 0..count {
                let (text, is_about_women) = fill(line, &lists, &groups, slurs, &mut dice)?;
                let mut labels = labels.clone();
                if is_about_women && labels.contains(&"hate") && !labels.contains(&"sexism") {
                    labels.push("sexism");
                }
                if seen.insert(text.clone()) {
                    all.push(Sentence { text, labels });
                }
            }
        }
    }
    Ok(all)
}

fn group(forms: &'static str) -> anyhow::Result<Group> {
    let mut forms_of = forms.trim().split('/');
    let mut next = || forms_of.next().with_context(|| format!("a group has three forms: {forms}"));
    Ok(Group { plural: next()?, one: next()?, member: next()?, is_sex: forms_of.next().is_some() })
}

/// A pattern with its slots filled, and whether it is about women.
fn fill(
    pattern: &str,
    lists: &BTreeMap<&str, Vec<&str>>,
    groups: &[Group],
    slurs: &[String],
    dice: &mut Dice,
) -> anyhow::Result<(String, bool)> {
    let (group, other) = (dice.pick(groups), dice.pick(groups));
    let slur = if slurs.is_empty() { "scum" } else { dice.pick(slurs) };
    let (mut text, mut rest) = (String::new(), pattern);
    while let Some((before, slot)) = rest.split_once('{') {
        let (name, behind) = slot.split_once('}').with_context(|| format!("a slot ends with a brace: {pattern}"))?;
        text.push_str(before);
        text.push_str(match name {
            "groups" => group.plural,
            "groups2" => other.plural,
            "one" => group.one,
            "member" => group.member,
            "slur" => slur,
            list => {
                let words = lists.get(list).with_context(|| format!("there is no list {list}: {pattern}"))?;
                dice.pick::<&str>(words)
            }
        });
        rest = behind;
    }
    text.push_str(rest);
    let mut chars = text.chars();
    // A pattern that begins in lower case was written by people in a hurry; a slot at the start is a sentence's start.
    let text = match chars.next() {
        Some(first) if pattern.starts_with('{') => first.to_uppercase().chain(chars).collect(),
        _ => text,
    };
    let names_group = ["{groups}", "{one}", "{member}"].iter().any(|slot| pattern.contains(slot));
    Ok((text, names_group && group.is_sex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_can_be_filled_and_every_head_has_both_sides() {
        let all = sentences(&["snark".to_owned()], Dice::new(&[1])).unwrap();
        assert!(all.len() > 8_000, "{}", all.len());
        assert!(all.iter().all(|sentence| !sentence.text.contains(['{', '}', '|'])));
        for label in ["hate", "toxic", "threat", "spam", "sexism"] {
            let count = all.iter().filter(|sentence| sentence.labels.contains(&label)).count();
            assert!(count > 20 && count < all.len() * 3 / 4, "{label}: {count}");
        }
        assert!(all.iter().all(|sentence| sentence.labels != ["clean", "sexism"]));
        let again = sentences(&["snark".to_owned()], Dice::new(&[1])).unwrap();
        assert_eq!(all[7].text, again[7].text, "the dice decide alone");
    }
}
