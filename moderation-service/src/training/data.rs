//! The training rows: which sets are read, what each of their labels says to which head, and how much of each an epoch sees.
//!
//! A set says something about some heads and nothing about the others, so a target has a weight, and a weight of 0 means that
//! the row is silent. Sources are weighed by how well their labels mean what the head means, and thinned so that none drowns
//! the others. One row in sixteen is kept for the dev split, chosen by the hash of its text alone, so that the same text is never on both
//! sides; of the templates, one pattern in sixteen. Rows that equal, after normalisation, a row of the exclusion file or a sentence of
//! `everyday.txt`, which measures false alarms, are dropped and counted.
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use super::dice::Dice;
use super::evasions::disguise;
use super::options::Training;
use super::templates::{Sentence, sentences};
use crate::text_model::cleaner::clean;
use crate::text_model::{HEADS, Head, OUTPUTS, everyday, hex};

/// The dev split has one row in this many.
const DEV: u8 = 16;

/// A row, as the network learns from it.
#[derive(Clone, Debug)]
pub struct Example {
    pub source: &'static str,
    pub text: String,
    /// Per head: what it should say, and how much that counts.
    pub targets: [(f32, f32); HEADS],
    /// Of Davidson's three classes, with its weight.
    pub class: Option<(usize, f32)>,
    /// The group that a sentence of the templates is about, and the function that its block trains.
    pub group: Option<&'static str>,
    pub function: Option<&'static str>,
    /// Whether the row is of the dev split.
    pub is_dev: bool,
    /// The share of epochs that it is in.
    pub share: f32,
    /// The share of epochs in which a disguised copy is beside it.
    pub disguised: f32,
}

/// A row and what the network says about it.
pub type Measured<'a> = (&'a Example, [f32; OUTPUTS]);

/// The rows of all sets, and how many were dropped as excluded.
#[derive(Debug, Default)]
pub struct Examples {
    pub rows: Vec<Example>,
    /// Rows that equal one of the exclusion file.
    pub excluded: usize,
    /// Rows that equal an everyday sentence.
    pub everyday: usize,
    pub repeated: usize,
    /// The SHA-256 of every file that was read.
    pub files: BTreeMap<String, String>,
}

/// What a label of a source says: head, target, weight; the share of its rows, and of disguises.
type Meaning = (&'static [(Head, f32, f32)], f32, f32);

const NO: f32 = 0.0;
const YES: f32 = 1.0;

/// The sets: file, label, meaning, in the order of precedence of equal texts.
#[rustfmt::skip]
const SETS: [(&str, &str, Meaning); 14] = {
    use Head::{Hate, Sexism, Spam, Threat, Toxic};
    [
        ("davidson", "hate", (&[(Toxic, YES, 1.0), (Hate, YES, 0.7), (Spam, NO, 0.1)], 1.0, 0.1)),
        ("davidson", "offensive", (&[(Toxic, YES, 1.0), (Hate, NO, 0.5), (Spam, NO, 0.1)], 0.4, 0.06)),
        ("davidson", "neither", (&[(Toxic, NO, 1.0), (Hate, NO, 0.6), (Sexism, NO, 0.2), (Threat, NO, 0.3), (Spam, NO, 0.2)], 1.0, 0.04)),
        ("edos", "sexist", (&[(Sexism, YES, 1.0), (Hate, YES, 0.3), (Toxic, YES, 0.3), (Spam, NO, 0.1)], 1.0, 0.06)),
        ("edos", "not sexist", (&[(Sexism, NO, 1.0), (Spam, NO, 0.1)], 0.7, 0.04)),
        ("misogyny", "misogynistic", (&[(Sexism, YES, 0.5), (Hate, YES, 0.3), (Spam, NO, 0.1)], 1.0, 0.06)),
        ("misogyny", "not", (&[(Sexism, NO, 0.5), (Hate, NO, 0.25), (Spam, NO, 0.1)], 0.2, 0.04)),
        ("hatemoji", "hate", (&[(Hate, YES, 1.5), (Spam, NO, 0.1)], 1.0, 0.45)),
        ("hatemoji", "not_hate", (&[(Hate, NO, 1.5), (Spam, NO, 0.1)], 1.0, 0.45)),
        ("identity_templates", "toxic", (&[(Toxic, YES, 0.7), (Spam, NO, 0.1)], 0.09, 0.04)),
        ("identity_templates", "nontoxic", (&[(Toxic, NO, 0.7), (Hate, NO, 0.7), (Threat, NO, 0.3), (Spam, NO, 0.1)], 0.09, 0.04)),
        ("sms_spam", "spam", (&[(Spam, YES, 1.0)], 1.0, 0.05)),
        ("sms_spam", "ham", (&[(Spam, NO, 1.0), (Hate, NO, 0.1), (Threat, NO, 0.3)], 0.4, 0.04)),
        ("youtube_spam", "spam", (&[(Spam, YES, 1.0)], 1.0, 0.05)),
    ]
};
const YOUTUBE_HAM: Meaning = (&[(Head::Spam, NO, 1.0), (Head::Hate, NO, 0.1)], 1.0, 0.04);

/// Davidson's classes, with the weights that make up for their numbers.
pub const CLASSES: [(&str, f32); 3] = [("hate", 2.2), ("offensive", 0.8), ("neither", 1.0)];
/// How much of an epoch's sentences are those of the templates, and disguised ones beside them.
const TEMPLATES: (f32, f32) = (0.5, 0.22);
/// The source of rows that moderators have decided.
const MODERATORS: &str = "moderators";
/// How much a moderator's decision counts, and how often an epoch has a disguised copy of its text.
const DECISION: (f32, f32) = (1.0, 0.1);
/// What a sentence of the templates says to a head that it does not name.
const UNNAMED: [(Head, f32); 5] =
    [(Head::Toxic, 1.0), (Head::Hate, 1.0), (Head::Sexism, 0.3), (Head::Threat, 1.0), (Head::Spam, 0.3)];

/// The categories of the lexicon whose severe words the templates use as slurs.
const SLURS: [&str; 2] = ["racial / ethnic slurs", "sexual orientation / gender"];

/// A text as two rows are compared: cleaned, in lower case, letters and digits alone.
pub fn normalised(text: &str) -> String {
    clean(text).to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
}

fn is_dev(text: &str) -> bool {
    Sha256::digest(normalised(text))[0] % DEV == 0
}

/// Whether an everyday sentence is one of the half by which thresholds are chosen; false alarms are counted on the other half.
pub fn chooses_thresholds(text: &str) -> bool {
    Sha256::digest(normalised(text))[1].is_multiple_of(2)
}

/// Rows as they are collected: none twice, and none that must not be learned.
#[derive(Default)]
struct Collection {
    banned: HashSet<String>,
    everyday: HashSet<String>,
    known: HashSet<String>,
    examples: Examples,
}

impl Collection {
    fn read(&mut self, path: &Path) -> anyhow::Result<String> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.examples.files.insert(name, hex(&Sha256::digest(&text)));
        Ok(text)
    }

    fn add(&mut self, example: Example) {
        let key = normalised(&example.text);
        if self.banned.contains(&key) {
            self.examples.excluded += 1;
        } else if self.everyday.contains(&key) {
            self.examples.everyday += 1;
        } else if key.is_empty() || !self.known.insert(key) {
            self.examples.repeated += 1;
        } else {
            self.examples.rows.push(example);
        }
    }

    /// Adds the rows of a table of texts and labels, whose first line is its heading.
    fn add_table(
        &mut self,
        path: &Path,
        example: impl Fn(&str, &str) -> anyhow::Result<Example>,
    ) -> anyhow::Result<()> {
        let table = self.read(path)?;
        for (number, line) in table.lines().enumerate().skip(1) {
            let place = || format!("{}:{}", path.display(), number + 1);
            let (text, label) = line.rsplit_once('\t').with_context(|| format!("{}: two columns", place()))?;
            self.add(example(text, label).with_context(place)?);
        }
        Ok(())
    }
}

impl Examples {
    /// Reads the sets of a training.
    pub fn read(training: &Training) -> anyhow::Result<Self> {
        let mut rows = Collection { everyday: everyday().map(normalised).collect(), ..Collection::default() };
        if let Some(path) = &training.exclude {
            let texts = rows.read(path)?;
            rows.banned = texts.lines().map(|line| normalised(line.split('\t').next().unwrap_or(line))).collect();
            rows.banned.remove("");
        }
        // A decision of this platform's moderators comes before the label that a public set has for the same text.
        if let Some(path) = &training.extra {
            rows.add_table(path, decision)?;
        }
        let mut names: Vec<&'static str> = SETS.iter().map(|(name, ..)| *name).collect();
        names.dedup();
        for name in names {
            rows.add_table(&training.data.join(format!("{name}.tsv")), |text, label| example(name, text, label))?;
        }
        if !training.without_templates {
            let lexicon = rows.read(&training.data.join("profanity_lexicon.csv"))?;
            for sentence in sentences(slurs(&lexicon), is_dev, Dice::new(&[training.seed, 1]))? {
                rows.add(of_template(sentence));
            }
        }
        Ok(rows.examples)
    }

    /// The rows of one epoch in the order of the dice, as texts and numbers of rows: thinned, with disguised copies.
    pub fn epoch(&self, mut dice: Dice) -> Vec<(String, usize)> {
        let mut epoch = Vec::new();
        for (number, row) in self.rows.iter().enumerate().filter(|(_, row)| !row.is_dev) {
            if dice.unit() < row.share {
                epoch.push((row.text.clone(), number));
                if dice.unit() < row.disguised {
                    epoch.push((disguise(&row.text, &mut dice), number));
                }
            }
        }
        dice.shuffle(&mut epoch);
        epoch
    }
}

fn of_template(sentence: Sentence) -> Example {
    let mut targets = [(NO, 0.0); HEADS];
    for (head, weight) in UNNAMED {
        targets[head as usize] = match sentence.labels[head as usize] {
            Some(true) => (YES, 1.0),
            Some(false) => (NO, weight),
            None => (NO, 0.0),
        };
    }
    Example {
        source: "templates",
        text: sentence.text,
        targets,
        class: None,
        group: sentence.group,
        function: Some(sentence.function),
        is_dev: sentence.is_dev,
        share: TEMPLATES.0,
        disguised: TEMPLATES.1,
    }
}

/// A text that moderators have decided: the heads that apply, or `clean`. A decision says nothing about heads that it does not name.
fn decision(text: &str, label: &str) -> anyhow::Result<Example> {
    let mut targets = [(NO, 0.0); HEADS];
    for name in label.split([',', ' ']).filter(|name| !name.is_empty()) {
        let head = Head::ALL.iter().find(|head| head.name() == name);
        match (name, head) {
            ("clean", _) => targets = [(NO, DECISION.0); HEADS],
            (_, Some(head)) => targets[*head as usize] = (YES, DECISION.0),
            _ => bail!("the label {name:?} is no head of the model and not clean"),
        }
    }
    let (is_dev, source) = (is_dev(text), MODERATORS);
    let text = text.to_owned();
    let (class, group, function) = (None, None, None);
    Ok(Example { source, text, targets, class, group, function, is_dev, share: 1.0, disguised: DECISION.1 })
}

fn example(source: &'static str, text: &str, label: &str) -> anyhow::Result<Example> {
    let meaning = SETS.iter().find(|(name, known, _)| *name == source && *known == label).map(|(.., meaning)| *meaning);
    let meaning = meaning.or_else(|| (source == "youtube_spam" && label == "ham").then_some(YOUTUBE_HAM));
    let (heads, share, disguised) = meaning.with_context(|| format!("the label {label:?} is unknown"))?;
    let mut targets = [(NO, 0.0); HEADS];
    for (head, target, weight) in heads {
        targets[*head as usize] = (*target, *weight);
    }
    let class = CLASSES.iter().position(|(name, _)| source == "davidson" && *name == label);
    Ok(Example {
        source,
        text: text.to_owned(),
        targets,
        class: class.map(|class| (class, CLASSES[class].1)),
        group: None,
        function: None,
        is_dev: is_dev(text),
        share,
        disguised,
    })
}

/// The severe slurs of the lexicon that are one plain word.
fn slurs(lexicon: &str) -> Vec<String> {
    let is_slur = |line: &&str| SLURS.iter().any(|category| line.contains(category)) && line.ends_with(",Severe");
    let words = lexicon.lines().filter(is_slur).filter_map(|line| line.split(',').next());
    words.filter(|word| word.chars().all(|c| c.is_ascii_alphabetic())).map(str::to_owned).collect()
}
