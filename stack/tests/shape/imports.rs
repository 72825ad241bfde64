//! The imports of a crate: which of its files uses which other, read from `use` declarations and from paths in the code.
//!
//! An arrow leads from the file that names something to the file in which it finds the name: `crate::a::b::C`,
//! `super::…`, `self::…`, and paths that begin with a child module or with an imported one (`signals::created(…)`). A
//! name that `a/mod.rs` re-exports leads to `a/mod.rs`, and the re-export itself from there to the file that it names.
//! `mod a;` is no arrow, and neither is the import of a module: what is used of it is.
//!
//! **Routers.** The `mod.rs` of a feature holds its vocabulary, which its views use, and its routers, which use its
//! views. The two are apart in the graph: the functions of a `mod.rs` that return an `OpenApiRouter` are a node of their
//! own, named `posts/mod.rs#router`. A call of `posts::router` leads to that node and not to the vocabulary; in a view it
//! would close a cycle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

use super::sources::Source;
use super::tokens::{Token, tokens};

/// What the functions of a feature's `mod.rs` return that are a node of their own.
const ROUTER: &str = "OpenApiRouter";
/// What the name of that node ends with.
const ROUTER_NODE: &str = "#router";

/// The first place at which a file uses another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrow {
    /// Paths from the crate's `src`.
    pub from: String,
    pub to: String,
    /// What is used; `*` when it is everything.
    pub name: String,
    /// File and line from the workspace's root.
    pub place: String,
}

impl std::fmt::Display for Arrow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} uses {} ({})", self.place, self.to, self.name)
    }
}

/// The files of one crate and the arrows between them, at most one from one file to another.
#[derive(Debug, Default)]
pub struct Imports {
    pub files: Vec<String>,
    pub arrows: Vec<Arrow>,
}

impl Imports {
    /// Reads the production sources of one crate.
    pub fn of(files: &[Source]) -> Imports {
        let modules = Modules::of(files);
        let mut arrows = BTreeMap::new();
        for file in files {
            for arrow in (Reader { modules: &modules, file, own: module_of(&file.path) }).arrows() {
                arrows.entry((arrow.from.clone(), arrow.to.clone())).or_insert(arrow);
            }
        }
        let files = files.iter().map(|file| inside(&file.path).to_owned()).collect();
        Imports { files, arrows: arrows.into_values().collect() }
    }

    /// The sets of files that all reach each other, largest first.
    pub fn knots(&self) -> Vec<BTreeSet<&str>> {
        let mut targets: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for arrow in &self.arrows {
            targets.entry(&arrow.from).or_default().push(&arrow.to);
        }
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            targets.keys().map(|from| (*from, reached_from(from, &targets))).collect();
        let mut knots: BTreeSet<BTreeSet<&str>> = BTreeSet::new();
        for (file, others) in reached.iter().filter(|(file, others)| others.contains(*file)) {
            let returns = |other: &&&str| reached.get(**other).is_some_and(|back| back.contains(file));
            knots.insert(others.iter().filter(returns).copied().collect());
        }
        let mut knots: Vec<_> = knots.into_iter().collect();
        knots.sort_by_key(|knot| std::cmp::Reverse(knot.len()));
        knots
    }

    /// The cycles of a knot, shortest first, until the knot would open if one arrow of each were turned.
    pub fn cycles(&self, knot: &BTreeSet<&str>) -> Vec<Vec<&Arrow>> {
        let inside = |arrow: &&Arrow| knot.contains(arrow.from.as_str()) && knot.contains(arrow.to.as_str());
        let mut arrows: Vec<&Arrow> = self.arrows.iter().filter(inside).collect();
        let mut cycles = Vec::new();
        while let Some(cycle) = shortest_cycle(&arrows) {
            // The arrow into the file that most others use is the least likely one to be wrong: it stays.
            let uses = |arrow: &&&Arrow| arrows.iter().filter(|other| other.to == arrow.to).count();
            let turned = *cycle.iter().min_by_key(uses).expect("a cycle has arrows");
            arrows.retain(|arrow| *arrow != turned);
            cycles.push(cycle);
        }
        cycles
    }
}

fn reached_from<'a>(start: &str, targets: &BTreeMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = targets.get(start).cloned().unwrap_or_default();
    while let Some(file) = next.pop() {
        if reached.insert(file) {
            next.extend(targets.get(file).into_iter().flatten());
        }
    }
    reached
}

fn shortest_cycle<'a>(arrows: &[&'a Arrow]) -> Option<Vec<&'a Arrow>> {
    let mut leaving: BTreeMap<&str, Vec<&'a Arrow>> = BTreeMap::new();
    for arrow in arrows {
        leaving.entry(arrow.from.as_str()).or_default().push(arrow);
    }
    let mut shortest: Option<Vec<&Arrow>> = None;
    for start in leaving.keys() {
        let mut came_by: BTreeMap<&str, &Arrow> = BTreeMap::new();
        let mut next = VecDeque::from([*start]);
        while let Some(file) = next.pop_front() {
            for arrow in leaving.get(file).into_iter().flatten() {
                if !came_by.contains_key(arrow.to.as_str()) {
                    came_by.insert(&arrow.to, arrow);
                    next.push_back(&arrow.to);
                }
            }
            if came_by.contains_key(start) {
                break;
            }
        }
        let Some(mut arrow) = came_by.get(start).copied() else { continue };
        let mut cycle = vec![arrow];
        while arrow.from != *start {
            arrow = came_by[arrow.from.as_str()];
            cycle.push(arrow);
        }
        cycle.reverse();
        if shortest.as_ref().is_none_or(|shortest| cycle.len() < shortest.len()) {
            let is_smallest = cycle.len() == 2;
            shortest = Some(cycle);
            if is_smallest {
                break;
            }
        }
    }
    shortest
}

/// A path from the crate's `src`.
pub fn inside(path: &str) -> &str {
    path.split_once("/src/").map_or(path, |(_, inside)| inside)
}

/// The names that lead from the crate's root to the module of a file.
fn module_of(path: &str) -> Vec<String> {
    let mut names: Vec<String> = inside(path).trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    let last = names.last().map_or("", String::as_str);
    if last == "mod" || (names.len() == 1 && ["main", "lib"].contains(&last)) {
        names.pop();
    }
    names
}

/// The modules of a crate that are files.
struct Modules {
    files: BTreeMap<Vec<String>, String>,
    /// The functions that are routers, each behind its file.
    routers: BTreeSet<(String, String)>,
}

impl Modules {
    fn of(files: &[Source]) -> Modules {
        let paths = files.iter().map(|file| (module_of(&file.path), inside(&file.path).to_owned()));
        let named = |file: &Source| {
            let routers = routers(file).into_iter();
            routers.map(|(name, _)| (inside(&file.path).to_owned(), name)).collect::<Vec<_>>()
        };
        Modules { files: paths.collect(), routers: files.iter().flat_map(named).collect() }
    }

    fn is_module(&self, path: &[String]) -> bool {
        self.files.contains_key(path)
    }

    /// The file in which a path from the root ends, with the name that is looked up there; none for a module itself.
    fn target(&self, path: &[String]) -> Option<(&str, Option<String>)> {
        let length = (0..=path.len()).rev().find(|length| self.is_module(&path[..*length]))?;
        Some((&self.files[&path[..length]], path.get(length).cloned()))
    }
}

/// The functions of a `mod.rs` that return a router: their names, and from where to where in the code they go.
fn routers(file: &Source) -> Vec<(String, Range<usize>)> {
    if !(file.path.ends_with("/mod.rs") && file.code.contains(ROUTER)) {
        return Vec::new();
    }
    let tokens = tokens(&file.code);
    let mut routers = Vec::new();
    for start in (0..tokens.len()).filter(|at| tokens[*at].text == "fn") {
        let head: Vec<&str> = tokens[start..].iter().map(|token| token.text).take_while(|text| *text != "{").collect();
        if !head.windows(2).any(|pair| pair == ["->", ROUTER]) {
            continue;
        }
        let mut depth = 0;
        let body = tokens[start + head.len()..].iter().find(|token| {
            depth += i32::from(token.text == "{") - i32::from(token.text == "}");
            depth == 0
        });
        routers.push((head[1].to_owned(), tokens[start].at..body.map_or(file.code.len(), |end| end.at)));
    }
    routers
}

struct Reader<'a> {
    modules: &'a Modules,
    file: &'a Source,
    /// The module of the file.
    own: Vec<String>,
}

/// One name of a `use` declaration.
struct Import {
    path: Vec<String>,
    /// The name that it has here.
    alias: String,
    public: bool,
    at: usize,
}

impl Reader<'_> {
    fn arrows(&self) -> Vec<Arrow> {
        let tokens = tokens(&self.file.code);
        let routers = routers(self.file);
        let mut arrows = Vec::new();
        let mut note = |path: &[String], at: usize, module_counts: bool| {
            let Some((to, name)) = self.modules.target(path) else { return };
            if name.is_none() && !module_counts {
                return;
            }
            let here = inside(&self.file.path);
            let in_router = routers.iter().any(|(_, body)| body.contains(&at));
            let from = if in_router { format!("{here}{ROUTER_NODE}") } else { here.to_owned() };
            let function = (to.to_owned(), name.clone().unwrap_or_default());
            let called = self.modules.routers.contains(&function);
            let to = if called { format!("{to}{ROUTER_NODE}") } else { to.to_owned() };
            let is_new = |arrow: &Arrow| arrow.from != from || arrow.to != to;
            if to != here && arrows.iter().all(is_new) {
                let name = name.or_else(|| path.last().cloned()).unwrap_or_default();
                arrows.push(Arrow { from, to, name, place: self.file.place(at) });
            }
        };
        let mut aliases: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let (imports, paths) = imports_and_paths(&tokens);
        // An import may begin with what another imports.
        for import in imports.iter().chain(&imports) {
            if let Some(path) = self.absolute(&import.path, &aliases) {
                aliases.insert(import.alias.clone(), path);
            }
        }
        for import in &imports {
            if let Some(path) = self.absolute(&import.path, &aliases) {
                note(&path, import.at, import.public);
            }
        }
        for (path, at) in paths {
            if let Some(path) = self.absolute(&path, &aliases) {
                note(&path, at, false);
            }
        }
        arrows
    }

    /// A path as it is written here, from the crate's root; none when it leads to another crate or stays in a type.
    fn absolute(&self, path: &[String], aliases: &BTreeMap<String, Vec<String>>) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([&self.own, rest].concat()),
            "super" => {
                let above = rest.iter().take_while(|name| *name == "super").count();
                let kept = self.own.len().checked_sub(1 + above)?;
                Some([&self.own[..kept], &rest[above..]].concat())
            }
            name => {
                let child = [&self.own[..], std::slice::from_ref(first)].concat();
                if self.modules.is_module(&child) {
                    return Some([&child[..], rest].concat());
                }
                let imported = aliases.get(name)?;
                Some([&imported[..], rest].concat())
            }
        }
    }
}

/// The imports of a file, and the paths of two names or more that stand in its code.
fn imports_and_paths(tokens: &[Token]) -> (Vec<Import>, Vec<(Vec<String>, usize)>) {
    let (mut imports, mut paths) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let token = tokens[at];
        let before = at.checked_sub(1).map_or("", |before| tokens[before].text);
        let after = tokens.get(at + 1).map_or("", |after| after.text);
        if token.text == "use" && after != "<" {
            // `pub use` and `pub(crate) use`.
            let public = before == "pub" || before == ")";
            at = use_tree(tokens, at + 1, &[], public, &mut imports);
        } else if token.is_name() && after == "::" && before != "::" {
            let mut path = vec![token.text.to_owned()];
            while tokens.get(at + 1).is_some_and(|sign| sign.text == "::")
                && tokens.get(at + 2).is_some_and(Token::is_name)
            {
                path.push(tokens[at + 2].text.to_owned());
                at += 2;
            }
            paths.push((path, token.at));
            at += 1;
        } else {
            at += 1;
        }
    }
    (imports, paths)
}

/// Reads the tree behind `use` and returns the token behind its `;` (or, inside a group, at its `,` or `}`).
fn use_tree(tokens: &[Token], mut at: usize, stem: &[String], public: bool, imports: &mut Vec<Import>) -> usize {
    let start = tokens.get(at).map_or(0, |token| token.at);
    let mut path = stem.to_vec();
    let mut alias = None;
    while let Some(token) = tokens.get(at) {
        match token.text {
            "::" => {}
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token.text != "}") {
                    at = use_tree(tokens, at, &path, public, imports);
                    at += usize::from(tokens.get(at).is_some_and(|token| token.text == ","));
                }
                at += 1;
                return at + usize::from(stem.is_empty() && tokens.get(at).is_some_and(|token| token.text == ";"));
            }
            "as" => {
                at += 1;
                alias = tokens.get(at).map(|name| name.text.to_owned());
            }
            // `{self, …}` is the module that the group belongs to.
            "self" if !stem.is_empty() => {}
            "," | "}" | ";" => break,
            name => path.push(name.to_owned()),
        }
        at += 1;
    }
    let ends = tokens.get(at).is_some_and(|token| token.text == ";");
    if let Some(last) = path.last().cloned() {
        imports.push(Import { path, alias: alias.unwrap_or(last), public, at: start });
    }
    at + usize::from(ends)
}

/// The production sources of a sample crate `s`, by path and text.
#[cfg(test)]
pub fn sample(files: &[(&str, &str)]) -> Vec<Source> {
    let files: Vec<_> = files.iter().map(|(path, text)| Source::new(&format!("s/src/{path}"), text)).collect();
    super::production::production(&files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrows(files: &[(&str, &str)]) -> Vec<String> {
        let imports = Imports::of(&sample(files));
        imports.arrows.iter().map(|arrow| format!("{} -> {} {}", arrow.from, arrow.to, arrow.name)).collect()
    }

    const TREE: [(&str, &str); 6] =
        [("a/mod.rs", ""), ("a/b.rs", ""), ("a/b/deep.rs", ""), ("c/mod.rs", ""), ("c/d.rs", ""), ("core.rs", "")];

    /// The arrows of one more file in the tree above.
    fn from(path: &str, text: &str) -> Vec<String> {
        let mut tree = TREE.to_vec();
        tree.retain(|(other, _)| *other != path);
        tree.push((path, text));
        arrows(&tree)
    }

    #[test]
    fn use_declarations_are_followed_to_the_file_that_they_name() {
        let text =
            "use std::fmt;\nuse crate::{a::{b::{deep::Deep, B}, A}, core};\npub(crate) use super::super::c::d as e;";
        assert_eq!(
            from("a/x.rs", text),
            ["a/x.rs -> a/b.rs B", "a/x.rs -> a/b/deep.rs Deep", "a/x.rs -> a/mod.rs A", "a/x.rs -> c/d.rs d"]
        );
        assert_eq!(from("c/d.rs", "use super::*;"), ["c/d.rs -> c/mod.rs *"]);
        assert_eq!(from("a/mod.rs", "mod b;\npub use self::b::{self, C};"), ["a/mod.rs -> a/b.rs b"]);
        assert_eq!(from("a/mod.rs", "mod b;\nuse b::C;\nfn f() -> impl Sized + use<'_> {}"), ["a/mod.rs -> a/b.rs C"]);
    }

    #[test]
    fn the_import_of_a_module_counts_where_it_is_used() {
        assert_eq!(from("a/x.rs", "use crate::c;"), Vec::<String>::new());
        assert_eq!(from("a/x.rs", "use crate::c;\nfn f() { c::d::g(c::d::H) }"), ["a/x.rs -> c/d.rs g"]);
        assert_eq!(from("a/x.rs", "use super::b as on;\nfn f() { on::deep::g() }"), ["a/x.rs -> a/b/deep.rs g"]);
    }

    #[test]
    fn paths_in_the_code_are_followed() {
        let text = "fn f(a: &crate::c::C) { super::b::g(); std::mem::take(a); Self::h::<crate::core::T>() }";
        assert_eq!(from("a/x.rs", text), ["a/x.rs -> a/b.rs g", "a/x.rs -> c/mod.rs C", "a/x.rs -> core.rs T"]);
        assert_eq!(from("main.rs", "mod c;\nfn main() { c::d::run() }"), ["main.rs -> c/d.rs run"]);
        assert_eq!(from("c/d.rs", "static S: &T = &crate::S;"), Vec::<String>::new());
        assert_eq!(arrows(&[("main.rs", ""), ("d.rs", "use crate::S;")]), ["d.rs -> main.rs S"]);
        assert_eq!(from("a/b.rs", "mod deep;\nfn f() { deep::g() }"), ["a/b.rs -> a/b/deep.rs g"]);
    }

    #[test]
    fn declarations_comments_texts_and_tests_are_no_arrows() {
        let text = "mod b;\n// crate::c::C\nconst A: &str = \"crate::c::C\";\n#[cfg(test)]\nmod tests {\n    use crate::c::C;\n}";
        assert_eq!(from("a/mod.rs", text), Vec::<String>::new());
        assert_eq!(from("a/tests.rs", "use crate::c::C;"), Vec::<String>::new());
    }

    #[test]
    fn a_re_exported_name_leads_to_the_file_that_re_exports_it() {
        let files = [("a/mod.rs", "mod b;\npub use b::B;"), ("a/b.rs", ""), ("c.rs", "use crate::a::B;")];
        assert_eq!(arrows(&files), ["a/mod.rs -> a/b.rs B", "c.rs -> a/mod.rs B"]);
    }

    #[test]
    fn the_routers_of_a_feature_are_apart_from_its_vocabulary() {
        let mut files = [
            ("main.rs", "mod a;\nfn main() { a::root() }"),
            (
                "a/mod.rs",
                "mod views;\npub const LIMIT: u8 = 1;\npub fn root() -> OpenApiRouter<App> { if true { routes!(views::get) } }",
            ),
            ("a/views.rs", "use super::LIMIT;"),
        ];
        let found =
            ["a/mod.rs#router -> a/views.rs get", "a/views.rs -> a/mod.rs LIMIT", "main.rs -> a/mod.rs#router root"];
        assert_eq!(arrows(&files), found);
        assert!(Imports::of(&sample(&files)).knots().is_empty());
        files[2].1 = "use super::root;";
        assert_eq!(Imports::of(&sample(&files)).knots().len(), 1);
    }

    #[test]
    fn knots_and_their_cycles_are_found() {
        let files = [
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "use crate::c::C;"),
            ("c.rs", "use crate::a::A;\nuse crate::d::D;"),
            ("d.rs", "\nuse crate::e::E;"),
            ("e.rs", "use crate::d::D;"),
            ("f.rs", "use crate::a::A;"),
        ];
        let imports = Imports::of(&sample(&files));
        let knots = imports.knots();
        assert_eq!(knots.len(), 2);
        assert_eq!(knots[0], BTreeSet::from(["a.rs", "b.rs", "c.rs"]));
        let cycles = imports.cycles(&knots[0]);
        assert_eq!(cycles.len(), 1);
        let places: Vec<_> = cycles[0].iter().map(ToString::to_string).collect();
        assert_eq!(places, ["s/src/a.rs:1 uses b.rs (B)", "s/src/b.rs:1 uses c.rs (C)", "s/src/c.rs:1 uses a.rs (A)"]);
        assert_eq!(imports.cycles(&knots[1])[0][0].place, "s/src/d.rs:2");
    }
}
