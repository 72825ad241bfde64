//! Text that was written to harm: in a name, a post, a comment and a search it is text, so that a page has the same tree of tags as
//! with a plain one.

use anyhow::{Context, Result, ensure};
use reqwest::{Method, Url};
use serde_json::{Value, json};

use super::visitor::Visitor;
use super::{World, none};
use crate::client::{Person, To, eventually};

/// Tags, ends of attributes, and characters that turn the direction of what follows them.
const HOSTILE: &str = "<script>document.title='x'</script>\"'><img src=x onerror=alert(1)>\u{202e}\u{2066}";
/// The same with marks of direction that are closed: the API refuses others in a profile.
const CLOSED: &str = "<script>document.title='x'</script>\"'><img src=x onerror=alert(1)>\u{2067}x\u{2069}";
/// A template's own marks and an entity.
const OTHER: &str = "{{ 7*7 }} &lt;b&gt; ${x} <!-- ]]> \u{200f}</textarea></title>";
/// The marks above one letter; a text of this many of them is one tall letter.
const MARKS: usize = 9_999;

/// What the tags of a page are: their names in order, each with its depth, without the texts and the values.
const TREE: &str = r"
    const depth = (element) => { let steps = 0; while ((element = element.parentElement)) steps++; return steps; };
    return [...document.querySelectorAll('*')].map((element) => `${depth(element)}${element.tagName}`).join(' ');
";

/// Ways in which text would become what loads or runs, and one in which it becomes words.
const SINKS: &str = r#"
    const tried = (change) => { try { change(); return 'done'; } catch { return 'refused'; } };
    const [script, part] = [document.createElement('script'), document.createElement('div')];
    return [
        tried(() => { part.innerHTML = '<iframe src="/"></iframe>'; }),
        tried(() => { script.src = '/assets/script.js'; }),
        tried(() => { script.text = 'document.title = "x"'; }),
        tried(() => { part.innerHTML = '<b>words</b>'; }),
    ];
"#;

pub async fn is_text(world: &World) -> Result<()> {
    let plain =
        written(world, "plain", &["Eve", "A word", "Some words", "More words", "Her life"].map(str::to_owned)).await?;
    let tall = format!("a{}", "\u{301}".repeat(MARKS));
    let hostile = [
        HOSTILE.get(..60).unwrap_or(HOSTILE).to_owned(),
        HOSTILE.to_owned(),
        tall,
        OTHER.to_owned(),
        CLOSED.to_owned(),
    ];
    let hostile = written(world, "hostile", &hostile).await?;
    let visitor = world.visitor(true).await?;
    visitor.signs_in(&plain.reader.email).await?;
    let mut found = Vec::new();
    for page in ["/posts/{post}", "/users/{author}", "/comments/{comment}", "/users/{author}/followers"] {
        let (one, other) = (tree(&visitor, &plain.of(page)).await?, tree(&visitor, &hostile.of(page)).await?);
        if one != other {
            found.push(format!("{page}:\n{one}\n{other}"));
        }
    }
    // Nothing has this word, so that both find nothing.
    let sought = format!("zzzz {HOSTILE}");
    let search = Url::parse_with_params("http://here/search", [("q", sought.as_str())])?;
    let query = search.query().context("no query")?;
    let (one, other) = (tree(&visitor, "/search?q=zzzz").await?, tree(&visitor, &format!("/search?{query}")).await?);
    if one != other {
        found.push(format!("/search:\n{one}\n{other}"));
    }
    none("pages whose tags depend on what was written", &found)?;
    none("the console", &visitor.console().await?)?;
    // Last, for the console has each refusal.
    let tried = visitor.runs(SINKS, vec![]).await?;
    ensure!(tried == json!(["refused", "refused", "refused", "done"]), "what text becomes: {tried}");
    visitor.leaves().await
}

/// What one author has written.
struct Written {
    author: String,
    post: String,
    comment: String,
    /// A person who has nothing to do with it.
    reader: Person,
}

impl Written {
    fn of(&self, page: &str) -> String {
        page.replace("{post}", &self.post).replace("{author}", &self.author).replace("{comment}", &self.comment)
    }
}

/// Writes a profile, a post and a comment of these texts: name, title, content, comment, life.
async fn written(world: &World, kind: &str, texts: &[String; 5]) -> Result<Written> {
    let [name, title, content, comment, life] = texts;
    let author = world.join(&format!("{kind}.author@example.org"), (name, name)).await?;
    let reader = world.join(&format!("{kind}.reader@example.org"), ("Rita", "Reader")).await?;
    let profile = json!({ "bio": life, "location": life });
    let _: Value = author.api.ask(Method::PATCH, To::Auth, "/users/me", Some(&profile)).await?;
    let post = author.write_post(title, content, &["BOOKS"], "POSTED").await?.id;
    let comment = author.comment(&post, comment).await?.id;
    let counted = async || author.post(&post).await;
    eventually("the comment is counted", counted, |post| post.total_comments == 1).await?;
    Ok(Written { author: author.id, post, comment, reader })
}

/// The tags of a page, which runs nothing that was written.
async fn tree(visitor: &Visitor, path: &str) -> Result<String> {
    visitor.open(path).await?;
    visitor.sees("main h1").await?;
    let title = visitor.browser.tab.title().await?;
    ensure!(title != "x", "{path} has run what was written");
    let tree = visitor.runs(TREE, vec![]).await?;
    Ok(tree.as_str().context("no tree")?.to_owned())
}
