//! Facets: the #tags, @mentions and links in a text, and where they stand.
//!
//! They follow from the text alone, so they are read out of it whenever it is shown or published and are stored nowhere: they
//! never differ from it, and texts that were written before have them too. Reading is linear in the length of the text.
//!
//! **A tag** is one of the three number signs of Unicode (`#`, `＃`, `﹟`) and a name ([`crate::tag_names`]). **A mention** is `@`,
//! `＠` or `﹫` and a username by the auth service's rules. **A link** begins with `http://` or `https://` and ends before a blank, a
//! quotation mark, CJK punctuation, or the punctuation of the sentence that it stands in; what is in it is neither tag nor mention.
//!
//! None of them begins within a word, so that `a@b.example` and `C#` are none. The scripts that are written without blanks are an
//! exception: behind a Chinese, Japanese or Korean character one may begin, and a username may end before one.
pub mod services;

#[cfg(test)]
mod tests;

use serde::Serialize;
use utoipa::ToSchema;

/// What a facet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum FacetKind {
    /// A #tag
    Tag,
    /// An @mention of a username, whether there is such a user or not
    Mention,
    /// An address that begins with http:// or https://
    Link,
}

/// A part of a text that leads somewhere
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples(json!({ "kind": "TAG", "value": "Rust", "byte_start": 6, "byte_end": 11, "utf16_start": 6, "utf16_end": 11 })))]
pub struct Facet {
    pub kind: FacetKind,
    /// The tag or the username as it is written, without the sign before it; the address of a link
    pub value: String,
    /// Where it begins, in bytes of UTF-8, with its sign
    pub byte_start: usize,
    /// Behind its last byte
    pub byte_end: usize,
    /// Where it begins, in units of UTF-16, as JavaScript counts
    pub utf16_start: usize,
    pub utf16_end: usize,
}
