//! The calculations of search: a query in the syntax of Postgres, the document of a post, and the keys by which titles are suggested.
use super::languages;
use super::models::PostDocument;
use super::words::{self, Word, fold};
use crate::facets::services::{read, tag_identities};
use crate::posts::models::Post;

/// The longest key, in characters; who types more than that has found what they want.
const MAX_KEY: usize = 40;
/// From how many words of a title on it is suggested; a title has at most 100 characters.
const MAX_KEYS: usize = 8;

/// What is indexed of a post.
pub fn document(post: &Post) -> PostDocument {
    let title = post.title.as_deref().unwrap_or_default();
    let (title_words, content_words) = (words::words(title), words::words(&post.content));
    let mut folded_content = words::join(&content_words, |word| &word.folded);
    let mut folded_title = words::join(&title_words, |word| &word.folded);
    for (text, of) in [(&mut folded_content, &content_words), (&mut folded_title, &title_words)] {
        for single in words::singles(of) {
            text.push(' ');
            text.push_str(&single);
        }
    }
    let tags = tag_identities(&read(&post.content));
    PostDocument {
        post: post.id,
        config: languages::configuration_of(&format!("{title}\n{}", post.content)),
        folded_title,
        folded_content,
        title: words::join(&title_words, |word| &word.written),
        content: words::join(&content_words, |word| &word.written),
        labels: labels(tags.iter().map(String::as_str), post.types.iter().map(String::as_str)),
        keys: title_keys(title),
    }
}

/// The words by which tags and categories are found.
pub fn labels<'a>(tags: impl IntoIterator<Item = &'a str>, categories: impl IntoIterator<Item = &'a str>) -> String {
    let categories = categories.into_iter().map(|category| category.replace('_', " ").to_lowercase());
    let labels: Vec<String> = tags.into_iter().map(fold).chain(categories).collect();
    labels.join(" ")
}

/// A query for `websearch_to_tsquery`, as it is written and folded.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct QueryText {
    pub written: String,
    pub folded: String,
    /// Whether there is a word that must be there; without one, nearly all posts would be found.
    pub has_word: bool,
}

/// Reads a query: words, `"phrases"`, `or`, and `-` before what must not be there. What is written together, as the words of a
/// Chinese sentence or of an address, must stand together.
pub fn query_text(q: &str) -> QueryText {
    let mut query = QueryText::default();
    for (number, part) in q.split('"').enumerate() {
        let is_quoted = number % 2 == 1;
        if is_quoted {
            // The minus of a quoted phrase is the last character of the part before.
            let is_excluded = q.split('"').nth(number - 1).is_some_and(|before| before.ends_with('-'));
            query.add(&words::words(part), is_excluded);
            continue;
        }
        for piece in part.split_whitespace() {
            if piece.eq_ignore_ascii_case("or") {
                query.push("or");
            } else {
                query.add(&words::words(piece), piece.starts_with('-'));
            }
        }
    }
    query
}

impl QueryText {
    fn push(&mut self, text: &str) {
        for query in [&mut self.written, &mut self.folded] {
            query.push_str(text);
            query.push(' ');
        }
    }

    /// Adds words that stand together. In quotes none of them is an operator.
    fn add(&mut self, words: &[Word], is_excluded: bool) {
        if words.is_empty() {
            return;
        }
        self.has_word |= !is_excluded;
        let sign = if is_excluded { "-" } else { "" };
        for (query, text) in [
            (&mut self.written, words::join(words, |word| &word.written)),
            (&mut self.folded, words::join(words, |word| &word.folded)),
        ] {
            query.extend([sign, "\"", &text, "\" "]);
        }
    }
}

/// A text as keys are: folded, one blank between its pieces, nothing else that is no letter or digit.
pub fn key(text: &str) -> String {
    let folded = fold(text);
    let pieces = folded.split(|c: char| !(c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c)));
    let key = pieces.filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join(" ");
    key.chars().take(MAX_KEY).collect::<String>().trim_end().to_owned()
}

/// The keys of a title: from each of its first words on.
pub fn title_keys(title: &str) -> Vec<String> {
    let starts = title.split_whitespace().map(|word| word.as_ptr() as usize - title.as_ptr() as usize);
    let mut keys: Vec<String> =
        starts.take(MAX_KEYS).map(|start| key(&title[start..])).filter(|key| !key.is_empty()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A query is read as people know it from the web.
    #[test]
    fn a_query_has_words_phrases_alternatives_and_exclusions() {
        let read = |q: &str| query_text(q).folded.trim_end().to_owned();
        assert_eq!(read("Café -Tee"), r#""cafe" -"tee""#);
        assert_eq!(read(r#""the Great wave" or -"small boat""#), r#""the great wave" or -"small boat""#);
        assert_eq!(read("e-mail"), r#""e mail""#, "what is written together stands together");
        assert_eq!(read("東京都"), r#""東京 京都""#);
        assert_eq!(read("ör"), r#""or""#, "a word that folds to an operator is none");
        assert_eq!(read("'); drop table post; --"), r#""drop" "table" "post""#);
        assert_eq!((read("?! -"), query_text("?!").has_word), (String::new(), false));
        assert!(query_text("-a b").has_word && !query_text("-a -\"b c\"").has_word);
        assert_eq!(query_text("Café").written.trim_end(), r#""café""#);
    }

    /// A title is suggested from each of its words on.
    #[test]
    fn a_title_has_a_key_per_word() {
        assert_eq!(
            title_keys("On  the Éngine — again"),
            ["again", "engine again", "on the engine again", "the engine again"]
        );
        assert_eq!(title_keys("…"), Vec::<String>::new());
        assert_eq!(title_keys("東京 都"), ["東京 都", "都"]);
        assert_eq!(title_keys(&"a ".repeat(50)), [format!("a{}", " a".repeat(19))], "no longer than is typed");
    }
}
