//! The laws of imports: no file reaches itself again, arrows run downward over the floors, and inside a feature from the
//! routes to the rows.
//!
//! **Floors.** A service stands on the six floors of its core; above them its features, its settings, and `main.rs`.
//! [`FLOORS`] lists them from the ground. An arrow leads to a lower floor, or stays in its room; rooms of one floor use
//! each other only where the floor says so. A file that stands on no floor is a breach, too.
//!
//! **Kinds.** The files of a feature have kinds by their names (`views.rs`, `models.rs`, …). [`USES`] says which kind
//! uses which, in the feature and across features; a kind that is not in it (`cookies.rs`) may use and be used by any but
//! the [`ENTRANCES`]. The `mod.rs` of a feature is its vocabulary, and whatever file may use it; only its router uses
//! the views, and counts as a node of its own (see [`imports`](super::imports)).

use super::{imports::Imports, sources::Source};

/// One floor: rooms that stand beside each other.
#[derive(Debug)]
pub struct Floor {
    /// A room is a folder or a file of `src`, without `.rs`; [`FEATURES`] is every folder that no other floor lists.
    pub rooms: &'static [&'static str],
    /// Whether its rooms may use each other, as long as no cycle comes of it.
    pub neighbours: bool,
}

impl Floor {
    const fn of(rooms: &'static [&'static str]) -> Floor {
        Floor { rooms, neighbours: false }
    }

    const fn of_neighbours(rooms: &'static [&'static str]) -> Floor {
        Floor { rooms, neighbours: true }
    }

    /// The room in which a file stands.
    fn room<'a>(&'a self, file: &'a str) -> Option<&'a str> {
        let room_of = |room: &&&str| {
            file.strip_prefix(**room).is_some_and(|rest| rest.starts_with('/') || rest.starts_with(".rs"))
        };
        self.rooms.iter().find(room_of).copied()
    }
}

/// The place of the features of a service that does not order them further.
pub const FEATURES: &str = "*";

/// The floors of every core, from the ground.
const CORE: &[Floor] = &[
    // It declares the folders, and uses none of them.
    Floor::of(&["core/mod"]),
    Floor::of(&["core/ground"]),
    // The wing of the contract: compatibility with the original API.
    Floor::of_neighbours(&["core/api", "core/contract"]),
    Floor::of(&["core/app"]),
    Floor::of(&["core/events"]),
    Floor::of(&["core/doors"]),
    Floor::of(&["core/serve"]),
];

/// The floors of a crate above its core, or all of them when it has no core.
const FLOORS: &[(&str, &[Floor])] = &[
    (
        "auth-service",
        &[
            Floor::of(&["app"]),
            Floor::of(&["names"]),
            Floor::of(&["personal_data", "read_model", "tokens", "users"]),
            Floor::of(&["directory", "graph_view", "mails"]),
            Floor::of(&["profiles", "sessions"]),
            Floor::of(&["connections", "pictures", "roles", "search", "suggestions"]),
            Floor::of(&["accounts"]),
            Floor::of(&["linked_accounts"]),
            Floor::of(&["auth"]),
            Floor::of(&["settings"]),
            Floor::of(&["main"]),
        ],
    ),
    ("post-service", SIMPLE),
    ("interaction-service", SIMPLE),
    (
        "moderation-service",
        &[
            Floor::of(&["token_check"]),
            // What can be decided about, the one way to change it, and those who use it.
            Floor::of(&["subjects"]),
            Floor::of(&["ledger"]),
            Floor::of(&["scopes", "strikes"]),
            Floor::of(&["decisions"]),
            Floor::of(&["appeals"]),
            Floor::of(&["expiry"]),
            // What contents are, what can be said about their texts, what follows from it.
            Floor::of(&["disguises"]),
            Floor::of(&["text_model", "moderations", "contents"]),
            Floor::of(&["training", "signals"]),
            Floor::of(&["policies"]),
            Floor::of(&["analyses"]),
            Floor::of(&["perspective"]),
            Floor::of_neighbours(&[FEATURES]),
            Floor::of(&["personal_data"]),
            Floor::of(&["settings"]),
            Floor::of(&["main"]),
        ],
    ),
    ("engagement-service", SIMPLE),
    (
        "web-client",
        &[
            Floor::of(&["ground"]),
            Floor::of(&["texts"]),
            Floor::of(&["api"]),
            Floor::of(&["session"]),
            Floor::of(&["app"]),
            // What is around every page, and who asks for it.
            Floor::of(&["frame"]),
            Floor::of(&["doors"]),
            Floor::of(&["pages"]),
            Floor::of(&["main"]),
        ],
    ),
    (
        "stack",
        &[
            // Two pages that everything may use: what runs, and the API as a program uses it.
            Floor::of(&["system", "client"]),
            Floor::of(&["host"]),
            Floor::of(&["servers"]),
            Floor::of(&["platform"]),
            Floor::of(&["traffic"]),
            Floor::of(&["launcher"]),
            Floor::of(&["proof"]),
            Floor::of(&["cli"]),
            Floor::of(&["main"]),
        ],
    ),
];

const SIMPLE: &[Floor] = &[
    // What stands between a service and its neighbours, and what its handlers have beside what every service has.
    Floor::of(&["token_check", "post_service", "pre_publish", "joined", "tag_names"]),
    Floor::of(&["app"]),
    Floor::of_neighbours(&[FEATURES]),
    Floor::of(&["settings"]),
    Floor::of(&["main"]),
];

/// What the kinds of a feature's files use, from its routes to its rows.
pub const USES: &[(&str, &[&str])] = &[
    ("views", &["signals", "services", "schemas", "models"]),
    ("schedulers", &["consumers", "signals", "services", "schemas", "models"]),
    ("consumers", &["processors", "services", "models"]),
    ("processors", &["signals", "producers", "services", "schemas", "models"]),
    ("signals", &["producers", "services", "schemas", "models"]),
    ("producers", &["schemas", "models"]),
    ("services", &["schemas", "models"]),
    ("schemas", &["services", "models"]),
    ("models", &["services"]),
];

/// Kinds through which work enters a feature: the router and `main.rs` use them, and no other feature does.
pub const ENTRANCES: [&str; 3] = ["views", "schedulers", "consumers"];

/// The floors of a crate from the ground.
pub fn floors(package: &str) -> Vec<&'static Floor> {
    let (_, own) =
        FLOORS.iter().find(|(name, _)| *name == package).unwrap_or_else(|| panic!("{package} has no floors"));
    let core = CORE.iter().filter(|_| package != "stack");
    core.chain(*own).collect()
}

/// The cycles between files.
pub fn cycles(imports: &Imports) -> Vec<String> {
    let mut breaches = Vec::new();
    for knot in imports.knots() {
        for cycle in imports.cycles(&knot) {
            let arrows: Vec<_> = cycle.iter().map(ToString::to_string).collect();
            let files =
                if knot.len() > cycle.len() { format!(" (of a knot of {} files)", knot.len()) } else { String::new() };
            breaches.push(format!("a cycle of {}{files}:\n      {}", cycle.len(), arrows.join("\n      ")));
        }
    }
    breaches
}

/// The arrows that lead upward or to a neighbour, and the files that stand on no floor.
pub fn upward(imports: &Imports, floors: &[&Floor]) -> Vec<String> {
    let place = |file: &str| {
        let listed = floors.iter().enumerate().find_map(|(level, floor)| Some((level, floor.room(file)?.to_owned())));
        listed.or_else(|| {
            let level = floors.iter().position(|floor| floor.rooms.contains(&FEATURES))?;
            let (room, _) = file.split_once('/').filter(|(room, _)| *room != "core")?;
            Some((level, room.to_owned()))
        })
    };
    let homeless = imports.files.iter().filter(|file| place(file).is_none());
    let mut breaches: Vec<_> = homeless.map(|file| format!("{file} stands on no floor")).collect();
    for arrow in &imports.arrows {
        let (Some((from, room)), Some((to, other))) = (place(&arrow.from), place(&arrow.to)) else { continue };
        if from < to {
            breaches.push(format!("{arrow}: upward from {room} to {other}"));
        } else if from == to && room != other && !floors[from].neighbours {
            breaches.push(format!("{arrow}: {room} and {other} stand beside each other"));
        }
    }
    breaches
}

/// The arrows between files of features that run against the direction of use.
pub fn against_the_use(imports: &Imports) -> Vec<String> {
    let kind = |file: &str| file.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
    let in_features = |file: &str| file.contains('/') && !file.starts_with("core/");
    let mut breaches = Vec::new();
    for arrow in imports.arrows.iter().filter(|arrow| in_features(&arrow.from) && in_features(&arrow.to)) {
        let (from, to) = (kind(&arrow.from), kind(&arrow.to));
        let is_router = arrow.from.contains('#') || arrow.to.contains('#');
        let uses = |kind: &str| USES.iter().find(|(name, _)| *name == kind).map(|(_, uses)| *uses);
        let is_entrance = ENTRANCES.contains(&to.as_str());
        let allowed = match (uses(&from), uses(&to)) {
            _ if is_router => true,
            (Some(uses), Some(_)) => uses.contains(&to.as_str()) || (from == to && !is_entrance),
            _ => !is_entrance,
        };
        if !allowed {
            breaches.push(format!("{arrow}: {from} do not use {to}"));
        }
    }
    breaches
}

/// What the core's files name of their service outside the core.
pub fn core_outward(imports: &Imports) -> Vec<String> {
    let is_core = |file: &str| file.starts_with("core/") || file == "core.rs";
    let outward = imports.arrows.iter().filter(|arrow| is_core(&arrow.from) && !is_core(&arrow.to));
    outward.map(|arrow| format!("{arrow}: the core names its service")).collect()
}

/// What the tests of the core may name of the service that they start.
const FOR_CORE_TESTS: [&str; 2] = ["SERVICE", "matrix"];

/// What the core, its tests included, names in the crate besides itself and what tests may.
pub fn core_tests_outward(file: &Source) -> Vec<String> {
    let outward = |at: &usize| {
        let named = &file.code[at + "crate::".len()..];
        !named.starts_with("core::") && !FOR_CORE_TESTS.iter().any(|allowed| named.starts_with(allowed))
    };
    let places = file.occurrences("crate::").into_iter().filter(|_| file.path.contains("/src/core/")).filter(outward);
    let name = |at: usize| file.code[at..].chars().take_while(|c| !"; \n({,.".contains(*c)).collect::<String>();
    places.map(|at| format!("{}: {}", file.place(at), name(at))).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::imports::{Imports, sample},
        *,
    };

    /// A small service that keeps every law.
    const CLEAN: [(&str, &str); 16] = [
        (
            "main.rs",
            "mod core;\nmod posts;\nfn main() { core::serve::serve(posts::router(), posts::schedulers::start()) }",
        ),
        ("settings.rs", "use crate::core::ground::settings::Base;"),
        ("core/mod.rs", "pub mod ground;\npub mod app;\npub mod serve;"),
        ("core/ground/settings.rs", "pub struct Base;"),
        ("core/api/errors.rs", "use crate::core::contract::Words;"),
        ("core/contract/mod.rs", "pub struct Words;"),
        ("core/app/mod.rs", "use crate::core::ground::settings::Base;\npub struct App;"),
        ("core/events/outbox.rs", "use crate::core::app::App;"),
        ("core/serve/mod.rs", "use super::app::App;\npub fn serve() {}"),
        (
            "posts/mod.rs",
            "mod views;\npub enum Status {}\npub fn router() -> OpenApiRouter<App> { routes!(views::get_post) }",
        ),
        (
            "posts/views.rs",
            "use super::{Status, signals};\nuse super::models::Post;\nfn get_post() { signals::read() }",
        ),
        (
            "posts/signals.rs",
            "use super::models::Post;\nuse super::events::producers;\nfn read() { producers::read() }",
        ),
        ("posts/models.rs", "use super::Status;\npub struct Post;"),
        ("posts/schedulers.rs", "use super::models::Post;"),
        ("posts/events/producers.rs", "use crate::core::events::outbox::publish;"),
        ("people/mod.rs", "use crate::posts::models::Post;"),
    ];

    /// The breaches of the clean tree with one more line at the end of one file.
    fn with(path: &str, line: &str) -> Vec<String> {
        let mut texts = CLEAN.map(|(path, text)| (path, text.to_owned())).to_vec();
        match texts.iter_mut().find(|(other, _)| *other == path) {
            Some((_, text)) => *text = format!("{text}\n{line}"),
            None => texts.push((path, line.to_owned())),
        }
        breaches(&texts, "post-service")
    }

    fn breaches(texts: &[(&str, String)], package: &str) -> Vec<String> {
        let files: Vec<_> = texts.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let imports = Imports::of(&sample(&files));
        let floors = floors(package);
        [cycles(&imports), upward(&imports, &floors), against_the_use(&imports), core_outward(&imports)].concat()
    }

    #[test]
    fn a_clean_tree_keeps_every_law() {
        assert_eq!(with("main.rs", ""), Vec::<String>::new());
    }

    #[test]
    fn an_arrow_that_is_turned_round_is_named() {
        let found = with("core/ground/settings.rs", "use crate::core::app::App;");
        let arrow = "s/src/core/ground/settings.rs:2 uses core/app/mod.rs (App)";
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("a cycle of 2") && found[0].contains(arrow), "{found:?}");
        assert_eq!(found[1], format!("{arrow}: upward from core/ground to core/app"));
        // Upward alone, without a cycle.
        let found = with("core/api/extract.rs", "use crate::core::app::App;");
        assert_eq!(found, ["s/src/core/api/extract.rs:1 uses core/app/mod.rs (App): upward from core/api to core/app"]);
    }

    #[test]
    fn a_cycle_of_three_is_named() {
        let found = with("posts/models.rs", "use super::events::producers::Draft;");
        assert_eq!(
            found,
            ["s/src/posts/models.rs:3 uses posts/events/producers.rs (Draft): models do not use producers"]
        );
        let mut texts = CLEAN.map(|(path, text)| (path, text.to_owned())).to_vec();
        texts.push(("core/events/a.rs", "use super::b::B;".to_owned()));
        texts.push(("core/events/b.rs", "use super::c::C;".to_owned()));
        texts.push(("core/events/c.rs", "use super::a::A;".to_owned()));
        let found = breaches(&texts, "post-service");
        let arrows = [
            "a.rs:1 uses core/events/b.rs (B)",
            "b.rs:1 uses core/events/c.rs (C)",
            "c.rs:1 uses core/events/a.rs (A)",
        ];
        let arrows = arrows.map(|arrow| format!("s/src/core/events/{arrow}")).join("\n      ");
        assert_eq!(found, [format!("a cycle of 3:\n      {arrows}")]);
    }

    #[test]
    fn models_that_use_their_views_are_named() {
        let found = with("posts/models.rs", "fn f() { super::views::get_post() }");
        assert_eq!(found.len(), 2, "{found:?}");
        let arrow = "s/src/posts/models.rs:3 uses posts/views.rs (get_post)";
        assert!(found[0].starts_with("a cycle of 2") && found[0].contains(arrow), "{found:?}");
        assert_eq!(found[1], format!("{arrow}: models do not use views"));
    }

    #[test]
    fn a_feature_that_uses_the_entrances_of_another_is_named() {
        let found = with("people/views.rs", "use crate::posts::views::GONE;");
        assert_eq!(found, ["s/src/people/views.rs:1 uses posts/views.rs (GONE): views do not use views"]);
        let found = with("people/mod.rs", "fn f() { crate::posts::schedulers::start() }");
        assert_eq!(found, ["s/src/people/mod.rs:2 uses posts/schedulers.rs (start): mod do not use schedulers"]);
        assert_eq!(
            with("people/signals.rs", "use crate::posts::signals;\nfn f() { signals::read() }"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_core_that_names_its_service_is_named() {
        let found = with("core/serve/layers.rs", "use crate::posts::Status;");
        let arrow = "s/src/core/serve/layers.rs:1 uses posts/mod.rs (Status)";
        assert_eq!(
            found,
            [format!("{arrow}: upward from core/serve to posts"), format!("{arrow}: the core names its service")]
        );
        let found = with("core/app/mod.rs", "static R: crate::Resources = crate::Resources;");
        assert!(found.iter().any(|breach| breach.contains("(Resources): the core names its service")), "{found:?}");
        let found = with("core/serve/layers.rs", "use crate::settings::Settings;");
        assert!(found.iter().any(|breach| breach.contains("upward from core/serve to settings")), "{found:?}");
        // Its tests start the service at hand.
        assert_eq!(with("core/serve/tests.rs", "use crate::SERVICE;"), Vec::<String>::new());
    }

    #[test]
    fn tests_of_the_core_name_what_they_start_and_no_feature() {
        let text = "use crate::SERVICE;\nuse crate::core::app::App;\nuse crate::posts::Post;";
        let file = |path: &str| Source::new(path, text);
        assert_eq!(core_tests_outward(&file("s/src/core/tests.rs")), ["s/src/core/tests.rs:3: crate::posts::Post"]);
        assert_eq!(core_tests_outward(&file("s/src/posts/tests.rs")), Vec::<String>::new());
    }

    #[test]
    fn a_file_that_stands_on_no_floor_is_named() {
        assert_eq!(with("core/drawer.rs", ""), ["core/drawer.rs stands on no floor"]);
        assert_eq!(with("drawer.rs", ""), ["drawer.rs stands on no floor"]);
    }

    #[test]
    fn rooms_of_one_floor_are_apart_where_the_floor_says_so() {
        let mut texts = vec![
            ("users/models.rs", String::new()),
            ("tokens/models.rs", "use crate::users::models::User;".to_owned()),
            ("sessions/models.rs", "use crate::tokens::models::Token;".to_owned()),
        ];
        let beside = "s/src/tokens/models.rs:1 uses users/models.rs (User): tokens and users stand beside each other";
        assert_eq!(breaches(&texts, "auth-service"), [beside]);
        texts[1].1 = "use crate::sessions::models::Session;".to_owned();
        let found = breaches(&texts, "auth-service");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[1].ends_with("upward from tokens to sessions"), "{found:?}");
    }
}
