//! The model of a file: from texts to calibrated scores, long texts in overlapping pieces.
use std::path::Path;

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};

use super::Calibration;
use super::artefact::Artefact;
use super::cleaner::clean;
use super::encoder::Encoder;
use super::kernel::packed::InstructionSet;
use super::wordpiece::Tokenizer;
use super::{CLASSES, Class, HEADS, OUTPUTS, Scores, TextModel, hex};
use crate::disguises::meant;

/// How many tokens two neighbouring pieces of a long text share at most, so that a sentence on the border is in one of them.
const OVERLAP: usize = 32;
/// The most pieces of a text that are read: about 16,000 tokens, which is more than the longest post with the descriptions of its pictures
/// has, even where each character is a token. Of a longer text, which only another service lets through, as many pieces are read with gaps
/// between them: the beginning, the end, and what lies evenly between. What goes on for long is met wherever it stands, and what is said once
/// in a gap is not, so the scores say that it was read in part.
const MAX_PIECES: usize = 176;
/// Tokens that are read at once: their rows stay in the processor's cache.
const TOKENS_AT_ONCE: usize = 512;
/// The characters that the version has of the file's hash.
const HASH: usize = 12;

/// What is read of a text.
struct Pieces {
    tokens: Vec<Vec<u32>>,
    /// Whether there are gaps between them.
    is_partial: bool,
}

/// A fine-tuned `MiniLM`.
#[derive(Debug)]
pub struct MiniLm {
    version: String,
    tokenizer: Tokenizer,
    encoder: Encoder,
    heads: [Calibration; HEADS],
    classes: [f32; CLASSES],
}

impl MiniLm {
    /// Reads the file of a model.
    pub fn open(file: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
        Self::new(&bytes, InstructionSet::best()).with_context(|| format!("{} is no model", file.display()))
    }

    /// The model of a file's content, computed with one instruction set.
    pub fn new(file: &[u8], set: InstructionSet) -> anyhow::Result<Self> {
        let artefact = Artefact::from_bytes(file)?;
        let tokenizer = Tokenizer::new(&artefact.vocabulary)?;
        let words = artefact.description.dimensions.words;
        ensure!(tokenizer.size == words, "the vocabulary has {} tokens and the model {words}", tokenizer.size);
        let hash = hex(&Sha256::digest(file));
        Ok(Self {
            version: format!("text-{}", &hash[..HASH]),
            tokenizer,
            heads: artefact.description.heads,
            classes: artefact.description.classes,
            encoder: Encoder::new(artefact, set),
        })
    }

    /// The pieces of a text, and of what it means where its writing is disguised.
    fn pieces(&self, text: &str) -> Pieces {
        let cleaned = clean(text);
        let mut pieces = self.pieces_of(&cleaned);
        if let Some(meant) = meant(text, &cleaned, clean, |word| self.tokenizer.word(word)) {
            let meant = self.pieces_of(&meant);
            pieces.tokens.extend(meant.tokens);
            pieces.is_partial |= meant.is_partial;
        }
        pieces
    }

    /// The pieces of a cleaned text: each begins and ends as the model expects, and shares some tokens with its neighbours, unless these are
    /// too many.
    fn pieces_of(&self, cleaned: &str) -> Pieces {
        let tokens = self.tokenizer.encode(cleaned);
        let window = self.encoder.dimensions.positions - 2;
        let step = window - OVERLAP.min(window / 2);
        let count = 1 + tokens.len().saturating_sub(window).div_ceil(step);
        let is_partial = count > MAX_PIECES;
        let last = tokens.len().saturating_sub(window);
        let start = |place: usize| if is_partial { place * last / (MAX_PIECES - 1) } else { place * step };
        let piece = |start: usize| {
            let inside = &tokens[start..tokens.len().min(start + window)];
            [&[self.tokenizer.start], inside, &[self.tokenizer.end]].concat()
        };
        Pieces { tokens: (0..count.min(MAX_PIECES)).map(start).map(piece).collect(), is_partial }
    }

    fn scores(&self, outputs: &[f32; OUTPUTS], is_partial: bool) -> Scores {
        let scores = std::array::from_fn(|head| self.heads[head].probability(outputs[head]));
        Scores {
            scores,
            labels: std::array::from_fn(|head| scores[head] >= self.heads[head].label),
            hides: std::array::from_fn(|head| self.heads[head].hide.is_some_and(|hide| scores[head] >= hide)),
            class: Class::of(outputs, &self.classes),
            is_partial,
        }
    }

    /// What the network says of each text before it becomes a probability. A text of several pieces has the highest output of each head:
    /// one hateful sentence makes a text hateful. That of `Neither` is subtracted from the classes, so the same is true of them.
    #[cfg(any(test, feature = "train"))]
    pub fn outputs(&self, texts: &[&str]) -> anyhow::Result<Vec<[f32; OUTPUTS]>> {
        self.highest(&texts.iter().map(|text| self.pieces(text)).collect::<Vec<_>>())
    }

    /// The highest outputs of the pieces of each text.
    fn highest(&self, texts: &[Pieces]) -> anyhow::Result<Vec<[f32; OUTPUTS]>> {
        let pieces = texts.iter().enumerate();
        let pieces = pieces.flat_map(|(text, pieces)| pieces.tokens.iter().map(move |piece| (text, piece.as_slice())));
        let pieces: Vec<(usize, &[u32])> = pieces.collect();
        let mut highest = vec![[f32::MIN; OUTPUTS]; texts.len()];
        let mut rest = pieces.as_slice();
        while !rest.is_empty() {
            let mut tokens = 0;
            let fits = rest.iter().take_while(|(_, piece)| {
                tokens += piece.len();
                tokens <= TOKENS_AT_ONCE
            });
            let count = fits.count().max(1);
            let (now, later) = rest.split_at(count);
            rest = later;
            let read: Vec<&[u32]> = now.iter().map(|(_, piece)| *piece).collect();
            for ((text, _), mut outputs) in now.iter().zip(self.encoder.read(&read)?) {
                let neither = outputs[HEADS + Class::Neither as usize];
                outputs[HEADS..].iter_mut().for_each(|output| *output -= neither);
                for (highest, output) in highest[*text].iter_mut().zip(outputs) {
                    *highest = highest.max(output);
                }
            }
        }
        Ok(highest)
    }
}

impl TextModel for MiniLm {
    fn version(&self) -> &str {
        &self.version
    }

    fn calibrations(&self) -> &[Calibration; HEADS] {
        &self.heads
    }

    fn read(&self, texts: &[&str]) -> anyhow::Result<Vec<Scores>> {
        let pieces: Vec<Pieces> = texts.iter().map(|text| self.pieces(text)).collect();
        let outputs = self.highest(&pieces)?;
        Ok(outputs.iter().zip(&pieces).map(|(outputs, pieces)| self.scores(outputs, pieces.is_partial)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{VOCABULARY, tiny};
    use super::*;

    /// Every token of a long text is read up to the most pieces, and neighbours share tokens.
    #[test]
    fn long_texts_are_read_in_overlapping_pieces() {
        let model = MiniLm::new(&tiny(), InstructionSet::SCALAR).unwrap();
        let window = model.encoder.dimensions.positions - 2;
        for count in [0, 1, window - 1, window, window + 1, 3 * window, 300] {
            let text = "one two ".repeat(count).split_inclusive(' ').take(count).collect::<String>();
            let Pieces { tokens: pieces, is_partial } = model.pieces(&text);
            let inside: Vec<&[u32]> = pieces.iter().map(|piece| &piece[1..piece.len() - 1]).collect();
            assert!(!is_partial, "{count}");
            assert!(pieces.iter().all(|piece| piece[0] == 1 && *piece.last().unwrap() == 2), "{pieces:?}");
            assert!(inside.iter().all(|piece| piece.len() <= window), "{count}");
            let new: usize = inside.iter().skip(1).map(|piece| piece.len().saturating_sub(window / 2)).sum();
            assert_eq!(inside[0].len() + new, count, "{count} tokens in {} pieces", pieces.len());
        }
    }

    /// A megabyte costs a bounded number of pieces, those of what it means among them; they lie evenly between the beginning and the end, and
    /// what is read says that it is not all.
    #[test]
    fn a_megabyte_is_read_in_a_bounded_number_of_pieces() {
        let model = MiniLm::new(&tiny(), InstructionSet::best()).unwrap();
        let window = model.encoder.dimensions.positions - 2;
        let token = |word: &str| u32::try_from(VOCABULARY.lines().position(|piece| piece == word).unwrap()).unwrap();
        let third = "one ".repeat(80_000);
        let endless = format!("two {third}{}{third}three", "b c ".repeat(40_000));
        assert!(endless.len() > 800_000, "{}", endless.len());
        let Pieces { tokens: pieces, is_partial } = model.pieces_of(&clean(&endless));
        assert!(is_partial);
        assert_eq!(pieces.len(), MAX_PIECES);
        assert!(pieces.iter().all(|piece| piece.len() == window + 2));
        assert_eq!((pieces[0][1], pieces[MAX_PIECES - 1][window]), (token("two"), token("three")));
        let in_the_middle = pieces.iter().filter(|piece| piece.contains(&token("b"))).count();
        assert!((MAX_PIECES / 4..MAX_PIECES / 2).contains(&in_the_middle), "{in_the_middle} of a third");
        let disguised = model.pieces(&"k i l l them a l l ".repeat(20_000));
        assert!(disguised.is_partial && disguised.tokens.len() <= 2 * MAX_PIECES, "{}", disguised.tokens.len());
        let read = model.read(&[&endless, "one two"]).unwrap();
        assert_eq!([read[0].is_partial, read[1].is_partial], [true, false]);
    }

    /// A text scores the same alone and among others, and a text in pieces as high as its worst piece.
    #[test]
    fn a_score_does_not_depend_on_the_company() {
        let model = MiniLm::new(&tiny(), InstructionSet::best()).unwrap();
        let texts = ["one two", "", "three", "one three two two", "unknown"];
        let together = model.read(&texts).unwrap();
        for (text, scores) in texts.iter().zip(&together) {
            assert_eq!(model.read(&[text]).unwrap()[0], *scores, "{text:?}");
        }
        assert_ne!(together[0], together[2]);
        let (quiet, long) = (model.read(&["three"]).unwrap()[0], model.read(&[&"one two ".repeat(40)]).unwrap()[0]);
        assert!(long.scores.iter().zip(quiet.scores).any(|(long, quiet)| *long > quiet));
        for head in 0..HEADS {
            assert_eq!(long.labels[head], long.scores[head] >= 0.5);
        }
    }
}
